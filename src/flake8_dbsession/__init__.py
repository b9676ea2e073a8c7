"""A linter and fixer for the life of SQLAlchemy sessions and connections."""

__version__ = "0.1.0"
