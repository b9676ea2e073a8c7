"""Calls of the project's own functions and classes: what goes in, and what comes back out."""
