"""Classes whose constructor is made from their annotations: dataclasses, attrs, pydantic, named tuples."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ...names import bare
from ..modules.module import ClassInfo

_DECORATORS = frozenset(
    {"dataclasses.dataclass", "pydantic.dataclasses.dataclass", "attr.s", "attr.attrs", "attr.dataclass"}
    | {f"{package}.{name}" for package in ("attr", "attrs") for name in ("define", "frozen", "mutable")}
)
_BASES = frozenset({"pydantic.BaseModel", "pydantic.main.BaseModel", "typing.NamedTuple", "msgspec.Struct"})


def fields(lineage: Iterable[ClassInfo | str]) -> tuple[str, ...]:
    """What the constructor of a class takes, in its order; empty for a class whose constructor is written out."""
    classes: list[ClassInfo] = []
    is_made = False
    for each in lineage:
        if isinstance(each, str):
            is_made = is_made or each in _BASES
        else:
            classes.append(each)
            is_made = is_made or is_decorated(each)
    if not is_made:
        return ()
    names = (name for info in reversed(classes) for name, kind in info.annotations.items() if is_field(info, kind))
    return tuple(dict.fromkeys(names))


def is_decorated(info: ClassInfo) -> bool:
    """``@dataclass``, ``@dataclass(frozen=True)`` and their like, or something that nobody tells the name of.

    That has come from an ``import *``, and so does ``dataclass``; a class that has no constructor of its own, and is
    called with what it annotates, has one of that kind.
    """
    names = map(info.module.names.resolve, map(bare, info.node.decorator_list))
    return any(name is None or name in _DECORATORS for name in names)


def is_field(info: ClassInfo, annotation: ast.expr) -> bool:
    """Whether the constructor takes it: not what belongs to the class."""
    outer = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return info.module.names.resolve(outer) != "typing.ClassVar"
