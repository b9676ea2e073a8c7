"""Reading the project's other files: what cannot be read says nothing."""

from __future__ import annotations


def text_of(path: str) -> str:
    """The text of a file; "" where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def line_of(path: str, key: str) -> int:
    """The first line of a file that gives ``key`` a value with ``=``; 0 for none."""
    lines = enumerate(text_of(path).splitlines(), 1)
    return next((number for number, line in lines if line.split("=")[0].strip() == key), 0)
