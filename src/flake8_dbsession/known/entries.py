"""Who runs a function: ``data/entries.toml``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, TypeVar

from .calls import Calls
from .words import Argument, Entry, Handover

Table = Mapping[str, Any]
Found = TypeVar("Found")


class Entries:
    """Entry points by decorator, by registering call and by overridden method."""

    def __init__(self, tables: Table, calls: Calls) -> None:
        self._tables = tables
        self._calls = calls
        self._handed: dict[str, Handover | None] = {}

    def decorator(self, qualified: str) -> Entry | None:
        return self._first(self._decorators, qualified)

    def method(self, base: str, name: str) -> Entry | None:
        """The entry for the name, for its beginning (``on_*``) or for every public method (``*``)."""
        beginning = f"{name.partition('_')[0]}_*"
        names = (name, beginning, "*") if name[0] != "_" else (name,)
        found = (self._first(self._methods, f"{base}.{each}") for each in names)
        return next((entry for entry in found if entry is not None), None)

    def setting(self, qualified: str) -> Handover | None:
        entry = self._first(self._settings, qualified)
        return Handover(qualified, entry) if entry is not None else None

    def function(self, parameters: Sequence[str], name: str) -> Entry | None:
        """The entry for a function by its name and its first parameters."""
        begun = (guesses for first, guesses in self._functions.items() if tuple(parameters[: len(first)]) == first)
        return next((entry for guesses in begun for pattern, entry in guesses if fnmatchcase(name, pattern)), None)

    def handover(self, qualified: str) -> Handover | None:
        if qualified not in self._handed:
            self._handed[qualified] = self._first(self._handovers, qualified)
        return self._handed[qualified]

    def given(self, qualified: str) -> tuple[str, ...]:
        """The types of what is passed to a function with such a decorator, or to such a method, in order."""
        receiver, _, _ = qualified.rpartition(".")
        table: dict[str, str] = self._tables["gives"]
        names = (*self._calls.spellings(qualified), *self._calls.spellings(receiver)) if receiver else ()
        return next((tuple(table[name].split()) for name in names if name in table), ())

    @cached_property
    def given_to_names(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """For ``"update, context"``: each package that passes something to functions with such parameters, with the
        types of that."""
        found: dict[str, dict[str, tuple[str, ...]]] = {}
        for key, types in self._tables["gives"].items():
            package, bracket, names = key.partition("(")
            if bracket:
                found.setdefault(names.rstrip(")"), {})[package] = tuple(types.split())
        return found

    @cached_property
    def given_by_name(self) -> dict[str, dict[str, str]]:
        """For the name of a parameter: each package that passes something under it, with the type of that."""
        found: dict[str, dict[str, str]] = {}
        for key, type_name in self._tables["gives"].items():
            package, colon, name = key.partition(": ")
            if colon:
                found.setdefault(name, {})[package] = type_name
        return found

    def by_convention(self, receiver: str, attribute: str) -> Entry | None:
        guesses = self._conventions.get(attribute, ())
        return next((entry for pattern, entry in guesses if fnmatchcase(receiver, pattern)), None)

    @property
    def dependency_turns(self) -> tuple[str, ...]:
        return tuple(period["since"] for period in self._tables["dependency_exit"])

    def dependency_exit(self, version: str, scope: str) -> str:
        if scope == "function":
            return "before-response"
        periods: list[dict[str, str]] = self._tables["dependency_exit"]
        begun = [period for period in periods if not version or _numbers(period["since"]) <= _numbers(version)]
        return begun[-1]["exit"]

    def _first(self, table: Mapping[str, Found], qualified: str) -> Found | None:
        return next((table[name] for name in self._calls.spellings(qualified) if name in table), None)

    @cached_property
    def _entries(self) -> list[tuple[Entry, Table]]:
        return [(_entry(table), table) for table in self._tables["entry"]]

    @cached_property
    def _decorators(self) -> dict[str, Entry]:
        return dict(_members(self._entries, "decorators"))

    @cached_property
    def _methods(self) -> dict[str, Entry]:
        return dict(_members(self._entries, "methods"))

    @cached_property
    def _settings(self) -> dict[str, Entry]:
        return dict(_members(self._entries, "sets"))

    @cached_property
    def _functions(self) -> dict[tuple[str, ...], list[tuple[str, Entry]]]:
        """For the first parameters of functions the patterns of their names, with what they mean."""
        guesses: dict[tuple[str, ...], list[tuple[str, Entry]]] = {}
        for entry, table in self._entries:
            for parameters, names in table.get("functions", {}).items():
                first = tuple(parameters.split(", "))
                guesses.setdefault(first, []).extend((pattern, entry) for pattern in names.split())
        return guesses

    @cached_property
    def _handovers(self) -> dict[str, Handover]:
        return {
            name: _handover(name, entry, arguments)
            for entry, table in self._entries
            for name, arguments in table.get("calls", {}).items()
        }

    @cached_property
    def _conventions(self) -> dict[str, list[tuple[str, Entry]]]:
        """For each attribute the patterns of receivers, with what they mean."""
        guesses: dict[str, list[tuple[str, Entry]]] = {}
        for table in self._tables["convention"]:
            entry = _entry(table)
            for attribute in table["attributes"].split():
                guesses.setdefault(attribute, []).extend((pattern, entry) for pattern in table["receivers"].split())
        return guesses


def _entry(table: Table) -> Entry:
    cleans = frozenset(table.get("cleans", "").split())
    return Entry(table["framework"], table["kind"], table.get("runs", ""), cleans, table.get("after", ""))


def _members(entries: Iterable[tuple[Entry, Table]], key: str) -> Iterator[tuple[str, Entry]]:
    for entry, table in entries:
        for receiver, names in table.get(key, {}).items():
            for name in names.split():
                yield f"{receiver}.{name}", entry


def _handover(name: str, entry: Entry, arguments: Table) -> Handover:
    return Handover(
        name,
        entry,
        callable=Argument.read(arguments.get("callable")),
        args=Argument.read(arguments.get("args")),
        kwargs=Argument.read(arguments.get("kwargs")),
        each=Argument.read(arguments.get("each")),
        **{flag: True for flag in ("rest", "every", "coroutine", "inline") if arguments.get(flag)},
    )


def _numbers(version: str) -> tuple[int, ...]:
    """``"0.117.1"`` as numbers, as far as they go; what follows ("rc1") is left out."""
    numbers = []
    for part in version.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
