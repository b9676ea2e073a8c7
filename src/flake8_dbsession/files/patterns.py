"""Patterns for paths, as ``.gitignore`` files write them.

Lists of plain names (``tests/``, ``*.pyi``, ``conftest.py``) are answered here; anything with an anchor, a
negation, a class or an escape goes to ``pathspec``, whose import alone takes longer than checking a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_BEYOND_NAMES = frozenset("![]\\")


class Patterns:
    """An ordered list of patterns; the last one that matches decides."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(line.rstrip("\r\n") for line in lines if line.strip() and not line.startswith("#"))
        names = [line.rstrip(" ") for line in self.lines]
        self._only_names = all(map(_is_name, names))
        self._any = _either(name for name in names if not name.endswith("/"))
        self._folder = _either(name.rstrip("/") for name in names)

    def __bool__(self) -> bool:
        return bool(self.lines)

    def verdict(self, path: str) -> bool | None:
        """True where ``path`` is matched, False where a negated pattern takes it back, None where none speaks.

        ``path`` is relative to where the patterns are anchored, with ``/``; a folder ends in ``/``. What is
        inside a matched folder is matched.
        """
        if not self.lines:
            return None
        if self._only_names:
            return True if self._matches_name(path) else None
        return _spec(self.lines).check_file(path).include

    def matches(self, path: str) -> bool:
        """Whether ``path`` (as for :meth:`verdict`) is matched in the end."""
        return self.verdict(path) is True

    def _matches_name(self, path: str) -> bool:
        *folders, name = path.split("/")
        if self._folder is not None and any(self._folder.fullmatch(folder) for folder in folders):
            return True
        return bool(name) and self._any is not None and self._any.fullmatch(name) is not None


@lru_cache(maxsize=256)
def patterns(lines: tuple[str, ...]) -> Patterns:
    """The compiled patterns of ``lines``, remembered."""
    return Patterns(lines)


def _is_name(line: str) -> bool:
    return "/" not in line.removesuffix("/") and not _BEYOND_NAMES & set(line) and "**" not in line and line != "/"


def _either(names: Iterable[str]) -> re.Pattern[str] | None:
    alternatives = "|".join(translate(name) for name in names)
    return re.compile(alternatives) if alternatives else None


@lru_cache(maxsize=256)
def _spec(lines: tuple[str, ...]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines)
