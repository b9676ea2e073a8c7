"""The bytes of the files of a project, and which of the files hold a word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .reading import bytes_of

_MOST_BYTES = 32_000_000
"""So much is kept of files that nobody but a question has read."""


class Texts:
    """What stands in files: what was put in their place, or else what is on the disk.

    Many a question is asked of all files, so what was read is kept, as far as there is room, and so is which files hold
    a word, until one of them gets another text.
    """

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._room = _MOST_BYTES
        self._holding: dict[tuple[bytes, ...], list[str]] = {}

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
        if self._holding and self.at(path) != data:
            self._holding.clear()
        self._kept[path] = data

    def lose(self, path: str) -> None:
        """From here on the file at ``path`` is what it is on the disk."""
        self._kept.pop(path, None)
        self._holding.clear()

    def holding(self, words: tuple[bytes, ...], paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The files that hold one of the words, with their bytes; ``paths`` are the same whenever somebody asks."""
        if words in self._holding:
            yield from ((path, self.at(path)) for path in self._holding[words])
            return
        found = []
        for path in paths:
            data = self.at(path)
            if any(word in data for word in words):
                found.append(path)
                yield path, data
        self._holding[words] = found
