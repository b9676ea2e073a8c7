"""Tables of the user's own, in the shape of ours: who runs a function (``[[entry]]``, ``[[convention]]`` as in
``data/entries.toml``) and which calls wait (``[calls."acme.Client"]`` as in ``data/calls``).

Everything that is wrong in them is said with the file, the key, and the nearest valid one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

from ..nearest import nearest
from . import Known
from .words import Argument, EntryKind, Runs

Check = Callable[[Any], None]
"""Raises ``ValueError`` with the key and what was expected where a value is wrong."""


class Wrong(Exception):
    """Tables that cannot be used; the message is one line that names the file and the key."""


def read(paths: Sequence[str]) -> dict[str, Any]:
    """The tables of some files in one; a later file has the last word. Raises :class:`Wrong`."""
    tables: dict[str, Any] = {"entry": [], "convention": [], "calls": {}}
    for path in paths:
        found = _content(path)
        try:
            check(found)
            _check_extended({**tables["calls"], **found.get("calls", {})}, tables)
        except ValueError as error:
            raise Wrong(f"{path}: {error}") from None
        tables["entry"] += found.get("entry", [])
        tables["convention"] = found.get("convention", []) + tables["convention"]
        tables["calls"].update(found.get("calls", {}))
    return tables


def check(table: Mapping[str, Any]) -> None:
    """See to it that the content of a file has the shape of ours; raises ``ValueError``."""
    _keys(_FILE)(table)


def _content(path: str) -> dict[str, Any]:
    import tomli

    try:
        with open(path, "rb") as file:
            return tomli.load(file)
    except OSError as error:
        raise Wrong(f"{path}: cannot be read: {error.strerror}") from None
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Wrong(f"{path}: is not TOML: {error}") from None


def _check_extended(calls: Mapping[str, Any], tables: Mapping[str, Any]) -> None:
    """What a receiver extends has to be known, and must not lead back to it."""
    known = Known(own={**tables, "calls": calls})
    for name, table in calls.items():
        above, seen = table.get("extends", ""), [name]
        while above:
            if above in seen:
                raise ValueError(f"calls: {name}: extends: {above} extends this one in turn")
            if known.receiver(above) is None:
                raise ValueError(f"calls: {name}: extends: nothing is known of {above!r}")
            seen.append(above)
            above = calls.get(above, {}).get("extends", "")


# -- shapes


def _text(value: Any) -> None:
    if not isinstance(value, str):
        hint = " (dotted names as keys stand in quotes)" if isinstance(value, Mapping) else ""
        raise ValueError(f"expected a string, not {value!r}{hint}")


def _flag(value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, not {value!r}")


def _argument(value: Any) -> None:
    """``"1:timeout"``, ``"0"`` or ``"timeout"``."""
    _text(value)
    argument = Argument.read(value)
    if argument is None or not (argument.position >= 0 or argument.keyword.isidentifier()):
        raise ValueError(f"expected an argument such as '1:timeout', '0' or 'timeout', not {value!r}")


def _one_of(kind: Any) -> Check:
    choices = get_args(kind)

    def checked(value: Any) -> None:
        if value not in choices:
            raise ValueError(f"expected {' or '.join(repr(choice) for choice in choices if choice)}, not {value!r}")

    return checked


def _keys(shapes: Mapping[str, Check], needed: Sequence[str] = ()) -> Check:
    """A table with these keys."""

    def checked(value: Any) -> None:
        for key, inner in _pairs(value):
            if key not in shapes:
                raise ValueError(f"unknown key {key!r}{nearest(key, shapes)}")
            _within(key, shapes[key], inner)
        missing = [key for key in needed if key not in value]
        if missing:
            raise ValueError(f"{missing[0]!r} is missing")

    return checked


def _by_name(shape: Check) -> Check:
    """A table with any names."""

    def checked(value: Any) -> None:
        for name, inner in _pairs(value):
            _within(name, shape, inner)

    return checked


def _by_member(shape: Check) -> Check:
    """One value for all members, or a table by member."""
    return lambda value: _by_name(shape)(value) if isinstance(value, Mapping) else shape(value)


def _each(shape: Check) -> Check:
    """A list of such values."""

    def checked(value: Any) -> None:
        if not isinstance(value, list):
            raise ValueError("expected a list of tables: two brackets around the name")
        for number, inner in enumerate(value, 1):
            _within(f"number {number}", shape, inner)

    return checked


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        raise ValueError(f"expected a table, not {value!r}")
    yield from value.items()


def _within(key: str, shape: Check, value: Any) -> None:
    try:
        shape(value)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


_HANDOVER = {
    **dict.fromkeys(("callable", "args", "kwargs", "each"), _argument),
    **dict.fromkeys(("rest", "every", "coroutine", "inline"), _flag),
}
_RUNNER = {"framework": _text, "kind": _one_of(EntryKind), "runs": _one_of(Runs), "cleans": _text, "after": _text}
_ENTRY = {
    **_RUNNER,
    "decorators": _by_name(_text),
    "methods": _by_name(_text),
    "sets": _by_name(_text),
    "functions": _by_name(_text),
    "calls": _by_name(_keys(_HANDOVER)),
}
_CONVENTION = {**_RUNNER, "receivers": _text, "attributes": _text}
_RECEIVER = {
    **dict.fromkeys(
        ("sleep", "network", "wait", "hash", "quiet", "also", "extends", "awaited", "endless", "lazily"), _text
    ),
    **dict.fromkeys(
        ("seconds", "timeout", "milliseconds", "unless", "when", "address", "rounds"), _by_member(_argument)
    ),
    "what": _by_member(_text),
    "makes": _by_name(_text),
    "deep": _flag,
    "plain": _flag,
}
_FILE = {
    "entry": _each(_keys(_ENTRY, needed=("framework", "kind"))),
    "convention": _each(_keys(_CONVENTION, needed=("framework", "kind", "receivers", "attributes"))),
    "calls": _by_name(_keys(_RECEIVER)),
}
