"""The project around one function: its modules, classes and functions, who runs them, and what they say of sessions."""
