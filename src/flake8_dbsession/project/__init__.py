"""The project around one function: its modules, classes and functions, who runs them, and what they say of sessions.

``project`` is asked, and asks ``modules``, ``names``, ``classes`` and ``functions``; ``reach`` says which functions are
worth following, ``app`` what is true of the whole application. ``runs`` is for the rules: who runs a function.
"""
