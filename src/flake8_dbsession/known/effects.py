"""What SQLAlchemy's methods do to pooled connections: ``data/sqlalchemy.toml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .words import Effect

WORDS = ("checkout", "release", "dispose", "creates", "neutral")
FLAGS = (
    "awaitable",
    "conditional",
    "transient",
    "lazy",
    "begins",
    "ends",
    "raises_if_begun",
    "consumes",
    "expires",
    "detaches",
)
Table = Mapping[str, Any]


class Effects:
    """The types of SQLAlchemy, SQLModel and Flask-SQLAlchemy by their short names."""

    def __init__(self, tables: Table) -> None:
        self._tables: Mapping[str, Table] = tables["effects"]
        self._types = {name: short for short, names in tables["names"].items() for name in names}
        self._found: dict[tuple[str, str], Effect | None] = {}

    def type_of(self, qualified: str) -> str | None:
        return self._types.get(qualified)

    def effect(self, type_name: str, method: str) -> Effect | None:
        key = (type_name, method)
        if key not in self._found:
            self._found[key] = self._find(type_name, method)
        return self._found[key]

    def methods(self, type_name: str) -> frozenset[str]:
        """Every method with an effect, those of the type that it extends included."""
        return frozenset(name for table in self._lineage(type_name) for word in WORDS for name in table.get(word, ()))

    def _find(self, type_name: str, method: str) -> Effect | None:
        for table in self._lineage(type_name):
            word = next((word for word in WORDS if method in table.get(word, ())), "")
            if word:
                flags = {flag: True for flag in FLAGS if method in table.get(flag, ())}
                return Effect(type_name, method, word, returns=self._returned(type_name, method), **flags)
        return None

    def _returned(self, type_name: str, method: str) -> str:
        """What the nearest table says that the method returns."""
        for table in self._lineage(type_name):
            for returned, methods in table.get("returns", {}).items():
                if method in methods:
                    return str(returned)
        return ""

    def _lineage(self, type_name: str) -> Iterator[Table]:
        """The table of the type and those of what it extends, nearest first."""
        while type_name in self._tables:
            table = self._tables[type_name]
            yield table
            type_name = table.get("extends", "")
