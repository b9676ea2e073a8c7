"""Which calls wait: ``data/calls.toml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .words import Argument, CallFact

KINDS = ("sleep", "network", "wait", "hash")
Table = Mapping[str, Any]


class Calls:
    """The receivers (modules and types that have a table) and what their members do.

    A receiver's table lists members by kind; a member may be a path (``"chat.completions.create"``). ``"*"`` stands for
    every public method, in a ``deep`` table also through attributes; ``quiet`` members are excepted.
    """

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables
        self._also = {other: name for name, table in tables.items() for other in table.get("also", ())}
        self._found: dict[str, CallFact | None] = {}

    def receiver(self, qualified: str) -> str | None:
        """The name under which a module or type is known, or None."""
        return qualified if qualified in self._tables else self._also.get(qualified)

    def lineage(self, receiver: str) -> Iterator[str]:
        """The receiver and what it extends, nearest first."""
        while receiver:
            yield receiver
            receiver = self._tables[receiver].get("extends", "")

    def spellings(self, qualified: str) -> Iterator[str]:
        """The name itself, then its known name and the same member of everything that its receiver extends."""
        yield qualified
        own = self.receiver(qualified)
        if own is not None:
            yield from self.lineage(own)
        head, _, member = qualified.rpartition(".")
        receiver = self.receiver(head)
        if receiver is not None:
            yield from (f"{owner}.{member}" for owner in self.lineage(receiver))

    def call(self, qualified: str) -> CallFact | None:
        if qualified not in self._found:
            self._found[qualified] = self._find(qualified)
        return self._found[qualified]

    def _find(self, qualified: str) -> CallFact | None:
        own = self.receiver(qualified)
        if own is not None:
            return CallFact(own, makes=own)
        for head, path in _splits(qualified):
            receiver = self.receiver(head)
            if receiver is not None:
                return self._member(receiver, path)
        return None

    def _member(self, receiver: str, path: str) -> CallFact | None:
        name = f"{receiver}.{path}"
        for owner in self.lineage(receiver):
            table = self._tables[owner]
            kind = _kind(table, path)
            makes = table.get("makes", {}).get(path, "")
            if kind is not None or makes:
                return _fact(name, table, path, kind or "", makes)
        if path in ("__enter__", "__aenter__"):
            return CallFact(name, makes=receiver)
        return None


def _splits(qualified: str) -> Iterator[tuple[str, str]]:
    """Every head and tail of a dotted name, the longest head first."""
    end = qualified.rfind(".")
    while end > 0:
        yield qualified[:end], qualified[end + 1 :]
        end = qualified.rfind(".", 0, end)


def _kind(table: Table, path: str) -> str | None:
    """The kind of a member; "" where it is known to be quiet, None where the table says nothing."""
    name = path.rpartition(".")[2]
    deep = table.get("deep", False)
    quiet = table.get("quiet", ())
    if path in quiet or (deep and name in quiet):
        return ""
    for kind in KINDS:
        listed = table.get(kind, ())
        if path in listed or (deep and name in listed):
            return kind
        if "*" in listed and name[0] != "_" and (deep or name == path):
            return kind
    return None


def _fact(name: str, table: Table, path: str, kind: str, makes: str) -> CallFact:
    awaited = table.get("awaited", False)
    return CallFact(
        name,
        kind,
        table.get("what", "") if kind not in ("", "sleep") else "",
        seconds=_argument(table, "seconds", path),
        timeout=_argument(table, "timeout", path) if kind else None,
        unless=_argument(table, "unless", path),
        when=_argument(table, "when", path),
        awaited=bool(kind) and (path in awaited if isinstance(awaited, list) else awaited),
        makes=makes,
    )


def _argument(table: Table, key: str, path: str) -> Argument | None:
    """What stands under ``key`` for a member: one argument for all, or a table by member."""
    value = table.get(key)
    return Argument.read(value.get(path) if isinstance(value, dict) else value)
