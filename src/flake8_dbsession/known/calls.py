"""Which calls wait: ``data/calls``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from .words import Argument, CallFact

KINDS = ("sleep", "network", "wait", "hash")
_NEXT = ("__next__", "__iter__", "__anext__", "__aiter__")


def is_meant(qualified: str, pattern: str) -> bool:
    """Whether a name is of a pattern: a ``*`` at its end stands for one name, any other for as many as there are."""
    return fnmatchcase(qualified, pattern) and (pattern[-1] != "*" or "." not in qualified[len(pattern) - 1 :])


class Receiver(NamedTuple):
    """The table of a module or type, read for look-ups.

    ``kinds`` gives each member its kind ("": does not wait); "*" stands for every public member. A ``deep`` table holds
    for members behind any attributes, too. ``awaited``: "*" for all; those of a ``plain`` one wait without that in
    functions that are no coroutines.
    """

    kinds: Mapping[str, str]
    makes: Mapping[str, str]
    awaited: frozenset[str]
    endless: frozenset[str]
    lazily: frozenset[str]
    plain: bool
    deep: bool
    extends: str
    table: Mapping[str, Any]

    @classmethod
    def read(cls, table: Mapping[str, Any]) -> Receiver:
        kinds = dict.fromkeys(table.get("quiet", "").split(), "")
        for kind in KINDS:
            kinds.update(dict.fromkeys(table.get(kind, "").split(), kind))
        awaited, endless, lazily = (frozenset(table.get(key, "").split()) for key in ("awaited", "endless", "lazily"))
        makes = {member: made for made, members in table.get("makes", {}).items() for member in members.split()}
        flags = "plain" in table, "deep" in table
        return cls(kinds, makes, awaited, endless, lazily, *flags, table.get("extends", ""), table)

    def fact(self, receiver: str, path: str) -> CallFact | None:
        """What the member at ``path`` does; None where the table says nothing. A call of a lazy one only gives what
        waits when it is gone through: ``for message in channel.consume(…)``."""
        if path.rpartition(".")[2] in self.lazily:
            return CallFact(f"{receiver}.{path}", makes=f"{receiver}.{path}")
        member, _, end = path.rpartition(".")
        is_gone_through = end in _NEXT and member.rpartition(".")[2] in self.lazily
        return self._fact(receiver, member if is_gone_through else path)

    def _fact(self, receiver: str, path: str) -> CallFact | None:
        kind = self._kind(path)
        makes = self._nearest(self.makes, path) or ("" if kind is not None else self.makes.get("*", ""))
        if kind is None and (not makes or (path[0] == "_" and path not in self.makes)):
            return None
        waits = kind not in (None, "", "sleep")
        return CallFact(
            f"{receiver}.{path}",
            kind or "",
            str(self._by_member("what", path)) if waits else "",
            seconds=self._argument("seconds", path) if kind == "sleep" else None,
            timeout=self._argument("timeout", path) if waits else None,
            milliseconds=self._argument("milliseconds", path) if waits else None,
            endless=path in self.endless,
            unless=self._argument("unless", path),
            when=self._argument("when", path),
            address=self._argument("address", path),
            rounds=self._argument("rounds", path) if kind == "hash" else None,
            awaited=bool(kind) and not self.awaited.isdisjoint((path, "*")),
            plain=self.plain,
            makes=makes,
        )

    def _kind(self, path: str) -> str | None:
        kind = self._nearest(self.kinds, path)
        if kind is None and path[0] != "_" and (self.deep or "." not in path):
            return self.kinds.get("*")
        return kind

    def _nearest(self, members: Mapping[str, str], path: str) -> str | None:
        """What is said about the path, or (deep) about its last name."""
        found = members.get(path)
        return members.get(path.rpartition(".")[2]) if found is None and self.deep else found

    def _by_member(self, key: str, path: str) -> Any:
        """What stands under ``key``: one value for all members, or a table by member ("*": the others)."""
        value = self.table.get(key, "")
        return value.get(path, value.get("*", "")) if isinstance(value, dict) else value

    def _argument(self, key: str, path: str) -> Argument | None:
        return Argument.read(self._by_member(key, path))


class Calls:
    """The receivers (modules and types that have a table) and what their members do.

    The tables stand in themes. A theme is given by ``read`` when a name of one of its ``packages`` is first asked: a
    package is the first part of a dotted name, or with a ``*`` any part.
    """

    def __init__(self, packages: Mapping[str, str], read: Callable[[str], Mapping[str, Any]]) -> None:
        self._read = read
        self._themes: dict[str, list[str]] = {}
        for theme, names in packages.items():
            for name in names.split():
                self._themes.setdefault(name, []).append(theme)
        self._globs = [name for name in self._themes if "*" in name]
        self._added: set[str] = set()
        self._tables: dict[str, Mapping[str, Any]] = {}
        self._known: dict[str, str | None] = {}
        self._names: dict[str, str | None] = {}
        self._patterns: list[str] = []
        self._receivers: dict[str, Receiver] = {}
        self._found: dict[str, CallFact | None] = {}

    def receiver(self, qualified: str) -> str | None:
        """The name under which a module or type is known, or None."""
        if qualified not in self._known:
            self._known[qualified] = self._receiver(qualified)
        return self._known[qualified]

    def _receiver(self, qualified: str) -> str | None:
        package = self._package(qualified)
        if package is None:
            return None
        for theme in self._themes[package]:
            self._add(theme)
        if qualified not in self._names:
            self._names[qualified] = self._match(qualified)
        return self._names[qualified]

    def _package(self, qualified: str) -> str | None:
        first = qualified.partition(".")[0]
        if first in self._themes:
            return first
        near = (glob for glob in self._globs if glob.strip("*") in qualified)
        return next((glob for glob in near if any(fnmatchcase(part, glob) for part in qualified.split("."))), None)

    def _add(self, theme: str) -> None:
        if theme in self._added:
            return
        self._added.add(theme)
        tables = self._read(theme)
        self._tables.update(tables)
        self._patterns += [name for name in tables if "*" in name]
        for name, table in tables.items():
            self._names.update(dict.fromkeys((name, *table.get("also", "").split()), name))

    def _match(self, qualified: str) -> str | None:
        """The name itself where a table with a ``*`` in its name holds for it."""
        pattern = next((pattern for pattern in self._patterns if is_meant(qualified, pattern)), None)
        if pattern is None:
            return None
        self._tables[qualified] = {"extends": pattern}
        return qualified

    def spellings(self, qualified: str) -> Iterator[str]:
        """The name itself, then its known name and the same member of everything that its receiver extends."""
        yield qualified
        own = self.receiver(qualified)
        if own is not None:
            yield from (name for name, _ in self._lineage(own))
        receiver, path = self._split(qualified)
        for name, table in self._lineage(receiver):
            yield f"{name}.{path}"
            if table.deep:
                yield f"{name}.{path.rpartition('.')[2]}"

    def call(self, qualified: str) -> CallFact | None:
        """What calling the function, class or method does."""
        if qualified not in self._found:
            self._found[qualified] = self._find(qualified)
        return self._found[qualified]

    def _find(self, qualified: str) -> CallFact | None:
        own = self.receiver(qualified)
        if own is not None:
            start = self._member(own, "__init__")
            return start._replace(name=own, makes=own) if start else CallFact(own, makes=own)
        receiver, path = self._split(qualified)
        return self._member(receiver, path) if receiver else None

    def _split(self, qualified: str) -> tuple[str, str]:
        """The longest known receiver to the left of a dot, and the path from there; two empty strings if none."""
        end = qualified.rfind(".")
        while end > 0:
            receiver = self.receiver(qualified[:end])
            if receiver is not None:
                return receiver, qualified[end + 1 :]
            end = qualified.rfind(".", 0, end)
        return "", ""

    def _member(self, receiver: str, path: str) -> CallFact | None:
        for _, table in self._lineage(receiver):
            fact = table.fact(receiver, path)
            if fact is not None:
                return fact
        if path in ("__enter__", "__aenter__"):
            return CallFact(f"{receiver}.{path}", makes=receiver)
        return None

    def _lineage(self, name: str) -> Iterator[tuple[str, Receiver]]:
        """The receiver and what it extends, nearest first, each with its name."""
        while name:
            self.receiver(name)
            if name not in self._receivers:
                self._receivers[name] = Receiver.read(self._tables[name])
            yield name, self._receivers[name]
            name = self._receivers[name].extends
