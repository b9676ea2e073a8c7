"""The door for editors: the language server, and what an editor can change about a report."""
