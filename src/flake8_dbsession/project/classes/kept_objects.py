"""The sessions of an object that another object keeps, as the methods of that one know them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...names import Function, all_given
from ...session.values import ATTRIBUTE, FUNCTION, NONE, OBJECT, OPENED, PARAMETER, SESSION, Value
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
    """The attribute under which the class keeps a parameter of its constructor, or else the way to it through the first
    object that is given it, ``self.orders.session``, by which all methods and their callers know it."""
    parameter = given.resource.key if given.resource is not None else ""
    names = (name for name, values in info.attribute_values.items() if any(is_name(e, parameter) for e, _ in values))
    found = (project.attribute(Value(OBJECT, info.qualified), name) for name in names)
    own = next((value for value in found if value.kind == SESSION), None)
    return own or next(through_the_first(project, info, given, parameter), given)


def through_the_first(project: Project, info: ClassInfo, given: Value, parameter: str) -> Iterator[Value]:
    """The session by each attribute that the constructor sets to an object which keeps its parameter."""
    for name, values in info.attribute_values.items():
        for made, method in values:
            if method.name == "__init__" and is_made_of(made, parameter):
                value = project.classes.in_method(info, made, method)
                pairs = ((each, kept.resource) for each, kept in pairs_of(value).items() if kept.kind == SESSION)
                for each, resource in pairs:
                    if given.resource is not None and resource is not None and resource.key == parameter:
                        yield given._replace(
                            resource=given.resource._replace(origin=ATTRIBUTE, key=f"self.{name}.{each}")
                        )


def is_made_of(made: ast.expr, parameter: str) -> bool:
    """``Orders(session)``."""
    return isinstance(made, ast.Call) and any(is_name(each, parameter) for each in all_given(made))


def as_own(kept: Value) -> Value:
    """``Orders(self.session)``, made in a method, has the session that all methods call ``self.session``."""
    resource = kept.resource
    if resource is None or not resource.key.startswith(".self."):
        return kept
    return kept._replace(resource=resource._replace(key=resource.key.removeprefix(".")))


def sessions_asked(project: Project, owner: Value, kept: str, asked: str) -> Iterator[tuple[str, Value]]:
    """The sessions that an object works with where another one that keeps it asks it: ``self.orders.find(number)``.

    Each by the way to it, ``orders.session``, as whoever keeps the object knows it; none that a lock keeps others from.
    """
    made = pairs_of(owner).get(kept)
    value = made if made is not None and made.kind == OBJECT else project.attribute(owner, kept)
    found = project.attribute(value, asked) if value.kind == OBJECT else NONE
    used = [(asked, found)] if found.kind == SESSION else []
    if found.kind == FUNCTION and found.extra[:1] == (value,):
        used = [(n, v) for n, v in project.attributes_used(found, at_once=True) if v.kind == SESSION and "." not in n]
    for name, session in used:
        given = pairs_of(value).get(name, session)
        if given.resource is not None:
            yield f"{kept}.{name}", given if given != session else under(f"self.{kept}", session)


def pairs_of(value: Value) -> dict[str, Value]:
    """What an object was made with."""
    return dict(pair for pair in value.extra if isinstance(pair, tuple)) if value.kind == OBJECT else {}


def under(way: str, session: Value) -> Value:
    """``self.session`` of an object's own methods as another one knows it that keeps the object."""
    resource = session.resource
    if resource is None or not resource.key.startswith("self."):
        return session
    return session._replace(resource=resource._replace(key=f"{way}.{resource.key.removeprefix('self.')}"))


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
