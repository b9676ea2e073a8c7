"""What a file imports, by its bytes alone: many are asked where few are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_BLANK = (b" ", b"\t", b"(", b"\\")


class Imported(NamedTuple):
    """``from ..a import b`` (``level`` 2, ``a.b``) or ``import a.b``."""

    level: int
    name: bytes


def imported_in(data: bytes) -> Iterator[Imported]:
    """Every name of an import statement, wherever in the file it stands; a module before what is taken from it."""
    at = data.find(b"import")
    while at >= 0:
        after = at + len(b"import")
        if data[after : after + 1] in _BLANK:
            before = data[data.rfind(b"\n", 0, at) + 1 : at].split()
            if not before:
                yield from plain(names_after(data, after))
            elif len(before) == 2 and before[0] == b"from":
                yield from taken(before[1], names_after(data, after))
        at = data.find(b"import", after)


def names_after(data: bytes, start: int) -> list[list[bytes]]:
    """What is named after ``import``, each in its words: as far as the line goes, or the bracket that opens there."""
    line = _first(data, start, b"\n", b"#", b";")
    bracket = data.find(b"(", start, line)
    end = data.find(b")", bracket) if bracket >= 0 else -1
    names = data[bracket + 1 : end] if end >= 0 else data[start:line]
    if b"#" in names:
        names = b"\n".join(each.partition(b"#")[0] for each in names.split(b"\n"))
    return [words for words in (each.split() for each in names.split(b",")) if words]


def _first(data: bytes, start: int, *ends: bytes) -> int:
    """Where the first of some signs stands, or the end."""
    line = data.find(ends[0], start)
    line = len(data) if line < 0 else line
    found = (data.find(end, start, line) for end in ends[1:])
    return min((place for place in found if place >= 0), default=line)


def plain(names: list[list[bytes]]) -> Iterator[Imported]:
    """``import a.b as c, d``."""
    yield from (Imported(0, words[0]) for words in names)


def taken(source: bytes, names: list[list[bytes]]) -> Iterator[Imported]:
    """``from ..a import b as c, d``; of ``*`` the module only."""
    module = source.lstrip(b".")
    level = len(source) - len(module)
    if module:
        yield Imported(level, module)
    for words in names:
        if words[0][:1] not in (b"*", b"("):
            yield Imported(level, b".".join(filter(None, (module, words[0]))))


def words_in(data: bytes) -> Iterator[bytes]:
    """The parts of the names that a file imports."""
    for imported in imported_in(data):
        yield from imported.name.split(b".")


def starts_in(data: bytes) -> Iterator[bytes]:
    """What the full names begin with that a file imports: each top package or module, and with the part below it."""
    for imported in imported_in(data):
        if not imported.level:
            top, *below = imported.name.split(b".")
            yield top
            if below:
                yield b".".join((top, below[0]))


def absolute(imported: Imported, module: str, is_package: bool) -> str:
    """The dotted name of what a module imports."""
    name = imported.name.decode("utf-8", "replace")
    if not imported.level:
        return name
    above = module.split(".")
    above = above[: len(above) - imported.level + is_package]
    return ".".join([*above, name])
