"""What SQLAlchemy's methods do to pooled connections: ``data/sqlalchemy.toml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .words import Effect

WORDS = ("checkout", "release", "dispose", "creates", "neutral")
FLAGS = tuple(name for name, default in Effect._field_defaults.items() if default is False)


class Type(NamedTuple):
    """The table of one type, read for look-ups: each method with its word, its flags and what it returns."""

    words: Mapping[str, str]
    flags: Mapping[str, frozenset[str]]
    returns: Mapping[str, str]

    @classmethod
    def read(cls, table: Mapping[str, Any]) -> Type:
        words = {method: word for word in WORDS for method in table.get(word, "").split()}
        flags = {flag: frozenset(table[flag].split()) for flag in FLAGS if flag in table}
        returns = {method: name for name, methods in table.get("returns", {}).items() for method in methods.split()}
        return cls(words, flags, returns)


class Effects:
    """The types of SQLAlchemy, SQLModel and Flask-SQLAlchemy by their short names."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self._tables: Mapping[str, Mapping[str, Any]] = tables["effects"]
        self._names = {name: short for short, names in tables["names"].items() for name in names.split()}
        self._types: dict[str, Type] = {}
        self._found: dict[tuple[str, str], Effect | None] = {}

    def type_of(self, qualified: str) -> str | None:
        return self._names.get(qualified)

    def effect(self, type_name: str, method: str) -> Effect | None:
        key = (type_name, method)
        if key not in self._found:
            self._found[key] = self._find(type_name, method)
        return self._found[key]

    def methods(self, type_name: str) -> frozenset[str]:
        return frozenset(method for table in self._lineage(type_name) for method in table.words)

    def _find(self, type_name: str, method: str) -> Effect | None:
        lineage = list(self._lineage(type_name))
        table = next((table for table in lineage if method in table.words), None)
        if table is None:
            return None
        flags = {flag: True for flag, methods in table.flags.items() if method in methods}
        returns = next((table.returns[method] for table in lineage if method in table.returns), "")
        return Effect(type_name, method, table.words[method], returns=returns, **flags)

    def _lineage(self, type_name: str) -> Iterator[Type]:
        """The table of the type and those of what it extends, nearest first."""
        while type_name in self._tables:
            if type_name not in self._types:
                self._types[type_name] = Type.read(self._tables[type_name])
            yield self._types[type_name]
            type_name = self._tables[type_name].get("extends", "")
