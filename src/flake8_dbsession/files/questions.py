"""What is asked of the bytes of all files of a project: which of them may matter to something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from .imports import starts_in, words_in


class Question(NamedTuple):
    """Whether a file holds, extends, defines, imports or starts imports with (``kind``) one of ``words``, and holds
    all of ``beside``."""

    kind: str
    words: tuple[bytes, ...]
    beside: tuple[bytes, ...] = ()

    def is_answered_by(self, data: bytes) -> bool:
        """Whether the answer is yes for a file with these bytes."""
        return self.finds_word_in(data) and self.finds_all_beside_in(data)

    def finds_all_beside_in(self, data: bytes) -> bool:
        """Whether a file with these bytes holds all of ``beside``."""
        return all(map(data.__contains__, self.beside))

    def finds_word_in(self, data: bytes) -> bool:
        """Whether it holds, extends, defines, imports or starts imports with one of ``words``."""
        if self.kind in NAMES:
            return not names(self.kind, data).isdisjoint(self.words)
        return any(map(data.__contains__, self.words))


@lru_cache(maxsize=64)
def names(kind: str, data: bytes) -> frozenset[bytes]:
    """The names of a kind in a file: hundreds of questions are asked of the few files that have changed."""
    return frozenset(NAMES[kind](data))


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


NAMES: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "extends": bases_in,
    "imports": words_in,
    "starts with": starts_in,
    "defines": functions_in,
}
KINDS = frozenset({"holds", *NAMES})
