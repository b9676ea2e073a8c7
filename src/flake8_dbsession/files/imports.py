"""What a file imports, by its bytes alone: many are asked where few are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_STATEMENT = re.compile(
    rb"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#;]*)|import[ \t]+([^\n#;]+))", re.MULTILINE
)
_WORD = re.compile(rb"\w+")


class Imported(NamedTuple):
    """``from ..a import b`` (``level`` 2, ``a.b``) or ``import a.b``."""

    level: int
    name: bytes


def imported_in(data: bytes) -> Iterator[Imported]:
    """Every name of an import statement, wherever in the file it stands; a module before what is taken from it."""
    for source, names, plain in _STATEMENT.findall(data):
        if plain:
            yield from (Imported(0, part.split()[0]) for part in plain.split(b",") if part.split())
            continue
        module = source.lstrip(b".")
        level = len(source) - len(module)
        if module:
            yield Imported(level, module)
        for part in names.strip(b"()").split(b","):
            words = part.split()
            if words and _WORD.fullmatch(words[0]):
                yield Imported(level, b".".join(filter(None, (module, words[0]))))


def words_in(data: bytes) -> Iterator[bytes]:
    """The parts of the names that a file imports."""
    for imported in imported_in(data):
        yield from imported.name.split(b".")


def absolute(imported: Imported, module: str, is_package: bool) -> str:
    """The dotted name of what a module imports."""
    name = imported.name.decode("utf-8", "replace")
    if not imported.level:
        return name
    above = module.split(".")
    above = above[: len(above) - imported.level + is_package]
    return ".".join([*above, name])
