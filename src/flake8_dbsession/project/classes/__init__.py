"""The classes of the project: what they extend, and what their attributes stand for."""
