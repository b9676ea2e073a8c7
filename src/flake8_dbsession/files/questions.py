"""What is asked of the bytes of all files of a project: which of them may matter to something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from .imports import words_in


class Question(NamedTuple):
    """Whether a file holds, extends, defines or imports (``kind``) one of ``words``, and holds all of ``beside``."""

    kind: str
    words: tuple[bytes, ...]
    beside: tuple[bytes, ...] = ()

    def is_answered_by(self, data: bytes) -> bool:
        """Whether the answer is yes for a file with these bytes."""
        return KINDS[self.kind](self.words, data) and all(word in data for word in self.beside)


def holds(words: tuple[bytes, ...], data: bytes) -> bool:
    """Whether one of the words stands anywhere in a file."""
    return any(map(data.__contains__, words))


def bases_in(data: bytes) -> Iterator[bytes]:
    """The last part of each name between the brackets of ``class X(…):``, for the classes at the margin of a file."""
    start = data.find(b"class ") if data.startswith(b"class ") else data.find(b"\nclass ")
    while start >= 0:
        head = data[start : data.find(b":", start)]
        for base in head.partition(b"(")[2].rstrip(b") \t").split(b","):
            yield base.partition(b"[")[0].strip().rpartition(b".")[2]
        start = data.find(b"\nclass ", start + 1)


def functions_in(data: bytes) -> Iterator[bytes]:
    """What stands between ``def`` and the next bracket, everywhere in a file."""
    for part in data.split(b"def ")[1:]:
        yield part[: part.find(b"(")].strip()


KINDS: dict[str, Callable[[tuple[bytes, ...], bytes], bool]] = {
    "holds": holds,
    "extends": lambda words, data: any(base in words for base in bases_in(data)),
    "imports": lambda words, data: any(word in words for word in words_in(data)),
    "defines": lambda words, data: any(name in words for name in functions_in(data)),
}
