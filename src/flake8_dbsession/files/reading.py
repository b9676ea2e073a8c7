"""Reading the project's other files: what cannot be read says nothing."""

from __future__ import annotations

import io
import os


def bytes_of(path: str) -> bytes:
    """The content of a file; nothing where it cannot be read, or is a pipe or a device."""
    try:
        if os.path.isfile(path):
            with open(path, "rb") as file:
                return file.read()
    except OSError:
        pass
    return b""


def text_of(path: str) -> str:
    """The text of a file, with newlines for all line ends; "" where it cannot be read."""
    return io.StringIO(bytes_of(path).decode("utf-8", "replace"), newline=None).read()


def line_of(path: str, key: str) -> int:
    """The first line of a file that gives ``key`` a value with ``=``; 0 for none."""
    lines = enumerate(text_of(path).splitlines(), 1)
    return next((number for number, line in lines if line.split("=")[0].strip() == key), 0)
