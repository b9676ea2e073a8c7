"""The functions of the project, as their callers and the rules see them."""
