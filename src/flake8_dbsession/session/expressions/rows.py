"""Rows as objects: the methods of their mapped class, and the attributes that load when they are awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..values import ATTRIBUTE, COROUTINE, FUNCTION, OBJECT, SESSION, UNKNOWN, Resource, Value

if TYPE_CHECKING:
    from .evaluate import Evaluation

LOADER = "awaitable_attrs"
"""``await row.awaitable_attrs.tags`` runs SQL on the row's AsyncSession (documentation of AsyncAttrs)."""

_OWN = Resource(ATTRIBUTE, LOADER, "AsyncSession")


def member_of_row(ev: Evaluation, row: Value, name: str) -> Value:
    """A method of the row's class, an object that a property of it makes for it, or what loads its attributes; UNKNOWN
    for plain data."""
    if row.resource is not None and row.resource.is_async and name == LOADER:
        return loading(row.resource)
    method = ev.world.attribute(Value(OBJECT, row.name), name) if row.name else UNKNOWN
    if method.kind == OBJECT:
        given = tuple(as_given(pair, row) for pair in method.extra)
        return method._replace(extra=given) if given != method.extra else UNKNOWN
    if method.kind != FUNCTION:
        return UNKNOWN
    if row.resource is None or not row.resource.is_async:
        return method
    loads = any(attribute == LOADER for attribute, _ in ev.world.attributes_used(method))
    session = ((LOADER, Value(SESSION, resource=row.resource)),) if loads else ()
    return method._replace(extra=(Value(OBJECT, row.name, extra=session), *method.extra[1:]))


def as_given(pair: object, row: Value) -> object:
    """An attribute of what a property of the row makes: the row itself, where it has been given that."""
    match pair:
        case (str(name), Value(kind="object", name=of)) if of == row.name:
            return name, row
    return pair


def loads_by_attribute(ev: Evaluation, owner: Value, name: str) -> bool:
    """``self.awaitable_attrs`` of a mapped class, and what it has: coroutines on the one session of the row."""
    if owner.kind != OBJECT:
        return False
    if owner.name == LOADER:
        return True
    return name == LOADER and any(base.endswith(".AsyncAttrs") for base in ev.world.foreign_bases(owner.name))


def loader_of(owner: Value) -> Value:
    """``self.awaitable_attrs``; then, of that, the coroutine that loads one attribute."""
    if owner.name == LOADER:
        return Value(COROUTINE, LOADER, owner.resource)
    given = (pair[1].resource for pair in owner.extra if isinstance(pair, tuple) and pair[0] == LOADER)
    return loading(next(given, None) or _OWN)


def loading(resource: Resource) -> Value:
    return Value(OBJECT, LOADER, resource)
