"""The sessions of an object that another object keeps, as the methods of that one know them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...names import Function
from ...session.values import ATTRIBUTE, NONE, OBJECT, OPENED, PARAMETER, SESSION, Value
from ..modules.module import ClassInfo

if TYPE_CHECKING:
    from ..project import Project


def as_kept_by(project: Project, info: ClassInfo, kept: Value) -> Value:
    """An object that a class keeps: what it was given is what the class keeps too, what it has opened is its own.

    ``self.session = session``, ``self.orders = Orders(session)``: whoever commits the one commits the other.
    """
    return kept._replace(extra=tuple(seen_from(project, info, kept.extra)))


def seen_from(project: Project, info: ClassInfo, pairs: tuple[Any, ...]) -> Iterator[tuple[str, Value]]:
    for name, value in pairs:
        origin = value.resource.origin if value.kind == SESSION and value.resource is not None else ""
        if value.kind == OBJECT:
            yield name, as_kept_by(project, info, value)
        elif origin == PARAMETER:
            yield name, kept_too(project, info, value)
        elif origin == ATTRIBUTE:
            yield name, as_own(value)
        elif origin != OPENED:  # that one is known by the way to it
            yield name, value


def kept_too(project: Project, info: ClassInfo, given: Value) -> Value:
    """The attribute under which the class keeps a parameter of its constructor, or else the parameter."""
    parameter = given.resource.key if given.resource is not None else ""
    names = (name for name, values in info.attribute_values.items() if any(is_name(e, parameter) for e, _ in values))
    found = (project.attribute(Value(OBJECT, info.qualified), name) for name in names)
    return next((value for value in found if value.kind == SESSION), given)


def as_own(kept: Value) -> Value:
    """``Orders(self.session)``, made in a method, has the session that all methods call ``self.session``."""
    resource = kept.resource
    if resource is None or not resource.key.startswith(".self."):
        return kept
    return kept._replace(resource=resource._replace(key=resource.key.removeprefix(".")))


def is_name(expression: ast.expr, name: str) -> bool:
    return isinstance(expression, ast.Name) and expression.id == name


def left_without(project: Project, made: Value, qualified: str) -> Iterator[tuple[str, Value]]:
    """What an object that a module keeps was made without, and gets from nobody later on.

    ``store = Store()`` with ``def __init__(self, session=None): self._session = session``.
    """
    info = project.class_info(made.name)
    lineage = [each for each in project.lineage(info) if not isinstance(each, str)] if info is not None else []
    for name, value in made.extra:
        if value == NONE and is_given_at_most_once(lineage, name):
            others = project.app.files_with(f"{qualified.rpartition('.')[2]}.{name} =".encode())
            if next(iter(others), None) is None:
                yield name, value


def is_given_at_most_once(lineage: list[ClassInfo], name: str) -> bool:
    """Whether only a constructor sets an attribute, to what it was given."""
    values = [pair for info in lineage for pair in info.attribute_values.get(name, ())]
    return len(values) == 1 and all(is_given(expression, method) for expression, method in values)


def is_given(expression: ast.expr, method: Function) -> bool:
    return method.name == "__init__" and any(is_name(expression, argument.arg) for argument in parameters(method))


def parameters(method: Function) -> list[ast.arg]:
    return [*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs]
