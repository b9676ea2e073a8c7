"""Names of sessions on both sides of a call: what the caller has, and what the callee calls it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from ..values import (
    AMBIENT,
    ATTRIBUTE,
    BEGUN,
    COROUTINE,
    FUNCTION,
    METHOD,
    OBJECT,
    OPENED,
    PARAMETER,
    ROW,
    ROWS,
    TUPLE,
    UNKNOWN,
    Resource,
    Value,
    contained,
)

if TYPE_CHECKING:
    from ..expressions.call import Call
    from ..expressions.evaluate import Evaluation

SELF = "self"


class Formals:
    """The way between the caller's sessions and the names they have inside the callee.

    ``receiver`` is the text of the object whose method is called: :data:`SELF` for the caller's own, whose attributes
    have the same names on both sides, and "" where it has none.
    """

    def __init__(self, receiver: str = "") -> None:
        self.actual: dict[Resource, Resource] = {}
        self._formal: dict[Resource, Resource] = {}
        self.receiver = receiver

    def inside(self, value: Value, key: str) -> Value:
        """``value`` as the callee sees it under the name ``key``; registries are the same everywhere."""
        resource = value.resource
        if resource is not None and not self._is_same(resource):
            if resource not in self._formal:
                formal = resource._replace(origin=PARAMETER, key=key)
                self._formal[resource], self.actual[formal] = formal, resource
            value = value._replace(resource=self._formal[resource])
        if value.kind == METHOD:
            return value._replace(extra=(self.inside(value.extra[0], key), *value.extra[1:]))
        if value.kind == OBJECT:
            pairs = tuple((n, self.inside(v, f"{key}.{n}")) for n, v in value.extra if isinstance(v, Value))
            return value._replace(extra=pairs)
        if value.kind == TUPLE:
            return value._replace(extra=tuple(self._element(e, key, i) for i, e in enumerate(value.extra)))
        if value.kind in (FUNCTION, "partial") and resource is None:
            return value if not contained(value) else UNKNOWN
        return value

    def _is_same(self, resource: Resource) -> bool:
        """Whether the callee knows a session of the caller by the same name; not so a registry that was made here."""
        if resource.origin == AMBIENT and ":" in resource.key and not resource.key.startswith("self:"):
            return False
        if resource.origin != ATTRIBUTE or not resource.is_of_an_object:
            return resource.origin in (AMBIENT, ATTRIBUTE)
        return self.receiver == SELF and resource.key.startswith("self.")

    def _element(self, element: Any, key: str, number: int) -> Any:
        """An element of a tuple, or of a dict, which is a pair of a key and a value."""
        if isinstance(element, Value):
            return self.inside(element, f"{key}[{number}]")
        name, value = element
        return name, self.inside(value, f"{key}[{name}]")

    def of_caller(self, resource: Resource) -> Resource | None:
        """A session of the callee as the caller knows it; None for one that the callee has to itself."""
        if resource in self.actual:
            return self.actual[resource]
        if resource.origin == AMBIENT:
            own = ":" in resource.key and not (resource.key.startswith("self:") and self.receiver == SELF)
            return resource if not own else None
        if resource.origin != ATTRIBUTE or not resource.is_of_an_object or self._is_same(resource):
            return resource if resource.origin == ATTRIBUTE else None
        return of(self.receiver, resource) if self.receiver and resource.key.startswith("self.") else None

    def outside(self, value: Value, call: ast.AST, opened: list[Resource]) -> Value:
        """A value of the callee as the caller sees it; what was opened inside is known by the call."""
        resource = value.resource
        if resource is not None:
            known = resource if resource.origin == AMBIENT else self.of_caller(resource)
            if known is not None:
                resource = known
            elif resource.origin == OPENED and value.kind in (ROW, ROWS):
                resource = None  # its session stays inside
            elif resource.origin == OPENED:
                resource = resource._replace(key=f"{call.lineno}:{call.col_offset}")  # type: ignore[attr-defined]
                opened.append(resource)
            else:
                return UNKNOWN
            value = value._replace(resource=resource)
        if value.kind == COROUTINE:
            return value._replace(extra=tuple(self._outside_coroutine(part, call) for part in value.extra))
        if value.kind == METHOD:
            return value._replace(extra=(self.outside(value.extra[0], call, opened), *value.extra[1:]))
        if value.kind in (OBJECT, TUPLE):
            extra: list[object] = []
            for part in value.extra:
                if isinstance(part, Value):
                    extra.append(self.outside(part, call, opened))
                else:
                    extra.append((part[0], self.outside(part[1], call, opened)))
            value = value._replace(extra=tuple(extra))
        return value

    def _outside_coroutine(self, value: Value, call: ast.AST) -> Value:
        """What a coroutine that is handed out works with; a session of the callee's own is closed or nobody's."""
        if value.kind == BEGUN:
            return UNKNOWN  # how it was called is the callee's affair
        own: list[Resource] = []
        part = self.outside(value, call, own)
        return UNKNOWN if own else part


def of(receiver: str, resource: Resource) -> Resource:
    """A session on an object (``self.session`` in its own methods) as others name it: ``store.session``."""
    dot = "" if receiver.startswith("self.") else "."
    return resource._replace(key=f"{dot}{receiver}.{resource.key.removeprefix('self.')}")


def receiver_of(ev: Evaluation, function: Value, call: Call) -> str:
    """The text of the object whose method is called; of a class all methods see the same attributes."""
    owner = function.extra[0] if function.extra else None
    if not isinstance(owner, Value):
        is_local = len(function.extra) > 1 and function.extra[1] is not None
        return SELF if is_local or is_told_itself(ev, call) else ""
    if owner.kind != OBJECT:
        return SELF
    called = call.node.func
    if not isinstance(called, ast.Attribute) or called.attr != function.name.rpartition(".")[2]:
        return SELF if owner == ev.me() else ""
    return SELF if ev.is_own(called.value) else ast.unparse(called.value)


def is_told_itself(ev: Evaluation, call: Call) -> bool:
    """``Base.__init__(self, session)``: a method of a class by its name, for the object whose method this is."""
    return isinstance(call.node.func, ast.Attribute) and bool(call.node.args) and ev.is_self(call.node.args[0])
