"""What can be said to a terminal."""

from __future__ import annotations

import io
import os
from typing import IO

from ..model import Diagnostic


def wants_colour(choice: str, stream: IO[str]) -> bool:
    """Whether to write colours: as ``choice`` (auto, always, never) says, else ``NO_COLOR`` and ``FORCE_COLOR``, else
    whether ``stream`` is a terminal that has them."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def writable(text: str, encoding: str | None) -> str:
    """``text`` as a stream of this encoding can take it: bars and dots in ASCII where it knows no others."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return text.translate(_PLAIN)
    return text


_PLAIN = str.maketrans({"│": "|", "┏": "+", "┃": "!", "╳": "x", "⋮": ":", "…": "...", "×": "x"})


def forgive(stream: IO[str]) -> IO[str]:
    """``stream``, which from now on writes what it cannot encode as an escape."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


def place(diagnostic: Diagnostic) -> str:
    """``path:line:column:``, the column counted from 1."""
    return f"{diagnostic.path}:{diagnostic.span.line}:{diagnostic.span.column + 1}:"


def count(number: int, word: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
