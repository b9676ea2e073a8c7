"""The bytes of the files of a project, and which of the files answer a question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .questions import Question
from .reading import bytes_of
from .sources import Sources

_MOST_BYTES = 32_000_000
"""So much is kept of files that nobody but a question has read."""


class Asked(NamedTuple):
    """The files that answer a question, as far as somebody wanted to know, and those that were not looked at."""

    found: list[str]
    rest: Iterator[str]


class Texts:
    """What stands in files: what was put in their place, or else what is on the disk.

    Many a question is asked of all files, so what was read is kept, as far as there is room, and so is which files
    answer it, until one of them gets another text.
    """

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._room = _MOST_BYTES
        self._asked: dict[Question, Asked] = {}

    def at(self, path: str) -> bytes:
        """The bytes of the file at ``path`` (absolute); nothing where it cannot be read."""
        kept = self._kept.get(path)
        if kept is not None:
            return kept
        data = bytes_of(path)
        if len(data) <= self._room:
            self._room -= len(data)
            self._kept[path] = data
        return data

    def put(self, path: str, data: bytes) -> None:
        """From here on the file at ``path`` has these bytes."""
        if self._asked and self.at(path) != data:
            self._asked.clear()
        self._kept[path] = data

    def lose(self, path: str) -> None:
        """From here on the file at ``path`` is what it is on the disk."""
        self._kept.pop(path, None)
        self._asked.clear()

    def answering(self, question: Question, paths: Sequence[str], sources: Sources) -> Iterator[str]:
        """The files that answer a question, which ``sources`` are told of; ``paths`` are always the same."""
        asked = self._asked.get(question)
        if asked is None:
            asked = self._asked[question] = Asked([], iter(paths))
        sources.meet_question(question, asked.found)
        position = 0
        while position < len(asked.found) or self._goes_on(question, asked):
            yield asked.found[position]
            position += 1

    def _goes_on(self, question: Question, asked: Asked) -> bool:
        """Look for one more file that answers the question."""
        path = next((path for path in asked.rest if question.is_answered_by(self.at(path))), None)
        if path is not None:
            asked.found.append(path)
        return path is not None
