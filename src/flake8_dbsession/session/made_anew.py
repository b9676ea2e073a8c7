"""Whether each call of a function makes an engine, or an object with one of its own, and whose pool that is."""

from __future__ import annotations

import ast

from .flow import Flow
from .values import (
    CONSTANT,
    ENGINE,
    FACTORY,
    NEW,
    OBJECT,
    OPENED,
    REGISTRY,
    SESSION,
    UNKNOWN,
    Resource,
    Value,
    contained,
    pool_of,
)

_HANDLES = frozenset({ENGINE, FACTORY, REGISTRY})
_PLAIN = frozenset({"bool", "float", "int", "len", "str"})
"""Builtins that make a number or a text of whatever they are given."""


def makes_engine(flow: Flow, returned: Value) -> bool:
    """Whether each call makes an engine and hands it (or what is bound to it) out, cached nowhere."""
    return returned.kind in _HANDLES and bool(flow.scope.engines) and not caches(flow, flow.scope.engines)


def makes_owner(flow: Flow, returned: Value) -> bool:
    """Whether each call makes an object with an engine of its own and hands it out; a constructor makes one."""
    if flow.body.name.endswith(".__init__"):
        kept = flow.scope.attributes.values()
        keeps_engine = any(value.kind in _HANDLES or is_of_own_engine(value) for value in kept)
        return (bool(flow.scope.engines) and keeps_engine) or keeps_owner(flow)
    return returned.kind == OBJECT and bool(flow.scope.owners) and not caches(flow, flow.scope.owners)


def keeps_owner(flow: Flow) -> bool:
    """Whether a constructor makes an object with an engine of its own for its object, or is made of one that does.

    ``self.store = Store()``, ``super().__init__()``.
    """
    kept = {id(v) for target, v in flow.body.assigned() if isinstance(target, ast.Attribute)}
    return any(id(node) in kept or is_inherited_constructor(node) for node in flow.scope.owners)


def is_of_own_engine(value: Value) -> bool:
    """Whether a value is a session of an engine that the function has made: who keeps it keeps the engine."""
    return value.kind == SESSION and value.resource is not None and ":" in value.resource.pool


def is_inherited_constructor(node: ast.AST) -> bool:
    """``super().__init__(…)``, ``Base.__init__(self, …)``."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "__init__"


def of_new_engine(flow: Flow, handed_out: Value) -> Value:
    """A session, or what is asked of one, as callers know it: see :func:`pool_outside`."""
    resource = handed_out.resource
    return handed_out if resource is None else handed_out._replace(resource=pool_outside(flow, resource))


def of_either_pool(given: Value, values: list[Value]) -> Value:
    """A value whose session is of another pool on another way, ``factory = Writer if writes else Reader``: of none that
    is known."""
    inside = contained(given)
    alike = [others for v in values if v.kind == given.kind and len(others := contained(v)) == len(inside)]
    opened = (each for each in enumerate(inside) if each[1].origin == OPENED)
    several = {own.key for place, own in opened if any(others[place].pool != own.pool for others in alike)}
    return without_pools(given, several) if several else given


def without_pools(value: Value, keys: set[str]) -> Value:
    """The value with no pool known of the sessions that are opened at certain places."""
    resource = value.resource
    if resource is not None and resource.key in keys:
        value = value._replace(resource=resource._replace(pool=""))
    if value.kind != OBJECT or not contained(value):
        return value
    return value._replace(extra=tuple(_without_pools(part, keys) for part in value.extra))


def _without_pools(part: object, keys: set[str]) -> object:
    """An attribute of an object, with its name; what is no such pair as it is."""
    match part:
        case (str(name), Value() as value):
            return name, without_pools(value, keys)
    return part


def pool_outside(flow: Flow, session: Resource) -> Resource:
    """The session of an engine that each call makes has a pool that nobody else has."""
    is_own = session.origin == OPENED and session.pool.startswith(f"{flow.body.qualified}.") and ":" in session.pool
    return session._replace(pool=NEW) if is_own and not caches(flow, flow.scope.engines) else session


def caches(flow: Flow, made: list[ast.AST]) -> bool:
    """Whether what is made here is kept for later calls: behind a check, in a global, attribute or container."""
    declared = {name for node in flow.body.own(ast.Global, ast.Nonlocal) for name in node.names}
    kept = any(not is_given(value) for value in flow.scope.attributes.values()) or any(
        node.id in declared and isinstance(node.ctx, ast.Store) for node in flow.body.own(ast.Name)
    )
    stores = [n.value for n in flow.body.own(ast.Assign) if isinstance(n.targets[0], ast.Subscript)]
    return kept or flow.are_behind_check(made) or any(has_engine(flow, value) for value in stores)


def is_given(value: Value) -> bool:
    """Whether a value that a function sets on its object is a constant, or an engine that others have made."""
    pool = pool_of(value) if value.kind in _HANDLES else ""
    return value.kind == CONSTANT or (bool(pool) and ":" not in pool)


def has_engine(flow: Flow, value: ast.expr) -> bool:
    """Whether an expression may be an engine or have one: a call, or a name of such a thing. ``int("5")`` has none."""
    states = (state for states in flow.solution.before for state in states)
    known = {state.names.get(ast.unparse(value), UNKNOWN).kind for state in states}
    is_plain = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _PLAIN
    return (isinstance(value, ast.Call) and not is_plain) or any(kind in (*_HANDLES, OBJECT) for kind in known)
