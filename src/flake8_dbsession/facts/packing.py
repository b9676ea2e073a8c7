"""Facts as JSON, and back: ``unpacked(packed(facts)) == facts`` for what :func:`portable` gives.

A value of a class is an object whose ``is`` names the class and which leaves out fields that are as usual; a life is
told in words. Lists are tuples.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from ..known import Entry
from ..session import state
from ..session.state import Life
from ..session.summary import Own, Summary, Wait
from ..session.values import Resource, Value
from . import ClassFacts, Facts, FunctionFacts, Handed, Kept, Named, Parameter, Release, Step, Teardown

_CLASSES: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        *(ClassFacts, Entry, Facts, FunctionFacts, Handed, Kept, Named, Own, Parameter, Release, Resource),
        *(Step, Summary, Teardown, Value, Wait),
    )
}
_MARKS: dict[int, str] = {
    bit: name.lower()
    for name, bit in vars(state).items()
    if name.isupper() and isinstance(bit, int) and bit.bit_count() == 1 and name.lower() not in state.NAMES.values()
}
"""Every single mark of a life by its name."""


def portable(value: Any) -> Any:
    """The value without syntax: what a local function or lambda stands for cannot leave the process."""
    if isinstance(value, ast.AST):
        return None
    if isinstance(value, tuple):
        parts = map(portable, value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def packed(value: Any) -> Any:
    """A portable value as JSON can hold it."""
    if isinstance(value, Life):
        return {"is": "Life", "phases": _words(value.phases, state.NAMES), "marks": _words(value.marks, _MARKS)}
    if isinstance(value, frozenset):
        return {"is": "set", "of": sorted(value)}
    if not isinstance(value, tuple):
        return value
    names: tuple[str, ...] | None = getattr(value, "_fields", None)
    if names is None:
        return [packed(part) for part in value]
    usual: Mapping[str, Any] = getattr(value, "_field_defaults", {})
    told = {name: packed(part) for name, part in zip(names, value, strict=True) if _differs(part, usual, name)}
    return {"is": type(value).__name__, **told}


def unpacked(value: Any) -> Any:
    """The value that was :func:`packed`; raises ``KeyError`` or ``TypeError`` for anything else."""
    if isinstance(value, list):
        return tuple(map(unpacked, value))
    if not isinstance(value, dict):
        return value
    fields = {name: part for name, part in value.items() if name != "is"}
    if value["is"] == "Life":
        return Life(_bits(fields["phases"], state.NAMES), _bits(fields["marks"], _MARKS))
    if value["is"] == "set":
        return frozenset(fields["of"])
    return _CLASSES[value["is"]](**{name: unpacked(part) for name, part in fields.items()})


def _differs(part: Any, usual: Mapping[str, Any], name: str) -> bool:
    return name not in usual or part != usual[name] or type(part) is not type(usual[name])


def _words(bits: int, names: Mapping[int, str]) -> list[str]:
    return [name for bit, name in names.items() if bits & bit]


def _bits(words: list[str], names: Mapping[int, str]) -> int:
    return sum(bit for bit, name in names.items() if name in words)
