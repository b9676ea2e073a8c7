"""``with`` blocks: what ``as`` binds, and what the end of the block gives back."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..body import Body
from ..events import Event
from ..expressions.call import place
from ..moment import Moment
from ..state import HELD, IDLE, UNSURE
from ..values import (
    ATTRIBUTE,
    CAPTURED,
    CLOSING,
    COMMITS,
    CONTEXT,
    GENERATOR,
    MANAGER,
    METHOD,
    OBJECT,
    OPENED,
    REGISTRY,
    SESSION,
    TRANSACTION,
    UNKNOWN,
    Resource,
    Value,
    contained,
)

if TYPE_CHECKING:
    from ..expressions.evaluate import Evaluation

_CONTEXT = Value(OBJECT, "flask.app_context")
_CONTEXT_NAMES = frozenset({"app_context", "request_context"})


def manager_of(value: Value, node: ast.expr) -> Value:
    """What a block is over: ``with app_context:`` is over what its name says where nothing else tells."""
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return _CONTEXT if value.kind in ("unknown", METHOD) and name in _CONTEXT_NAMES else value


def entered(ev: Evaluation, value: Value, node: ast.expr) -> Value:
    """What ``as`` binds where ``value``, of the expression ``node``, is entered."""
    resource = value.resource
    match value.kind:
        case "manager" | "generator" if resource is not None:
            if "borrowed" not in value.extra:
                ev.now.open(resource, node, HELD if resource.is_connection else IDLE)
            return Value(SESSION, resource=resource)
        case "closing":
            inner: Value = value.extra[0]
            return inner
        case "generated":
            made: Value = value.extra[0]
            for inside in contained(made):
                if inside.origin == OPENED and inside.key == place(node):
                    ev.now.open(inside, node, HELD if inside.is_connection else IDLE)
            return made
        case "registry":
            return Value(SESSION, resource=resource)
        case "session" | "object":
            return value
    return UNKNOWN


def savepoints(names: dict[str, Value]) -> Iterator[Resource]:
    """The sessions that have a savepoint now; ``names`` hold what each block is over as well."""
    nested = (value for value in names.values() if value.kind == TRANSACTION and value.name == "nested")
    return (value.resource for value in nested if value.resource is not None)


def left(now: Moment, value: Value, node: ast.expr, is_raising: bool) -> None:
    """The block over ``value`` ends: what it manages is given back (measured: also when it ends by an exception)."""
    closed: Value = value.extra[0] if value.kind == CLOSING else value
    if value.kind == CLOSING and closed.kind in (REGISTRY, OBJECT):
        for resource in contained(Value(SESSION, resource=closed.resource) if closed.kind == REGISTRY else closed):
            now.finish(resource, node, "with" if closed.kind == REGISTRY else "close")
    elif closed.kind in (SESSION, MANAGER, GENERATOR):
        leave_session(now, closed, node, is_raising)
    elif closed.kind == REGISTRY and closed.resource is not None:  # a real one cannot be entered (measured)
        now.finish(closed.resource, node, "with")
    elif closed.kind == TRANSACTION:
        end_transaction(now, closed, node, is_raising)
    elif closed.kind == "generated":
        leave_object(now, closed, node, place(node))
    elif closed == _CONTEXT:
        now.pop_context()
    elif closed.kind == OBJECT:
        leave_object(now, closed, node)


def leave_session(now: Moment, session: Value, node: ast.expr, is_raising: bool) -> None:
    """A session is closed; one that the manager was lent is given back where the manager does so at such an end."""
    if session.resource is None:
        return
    if COMMITS in session.extra and not is_raising:
        now.write_out(session.resource, node, at_end=True)
    if "borrowed" not in session.extra:
        now.finish(session.resource, node, "with")
    elif session.extra[2 if is_raising else 1]:
        now.release(session.resource)


def end_transaction(now: Moment, transaction: Value, node: ast.expr, is_raising: bool) -> None:
    """``begin()`` gives the connection back; a failed savepoint is rolled back, and the session goes on (measured)."""
    resource = transaction.resource
    if resource is None:
        return
    if transaction.name == "root":
        if not is_raising:
            now.write_out(resource, node, at_end=True)
        now.release(resource)
        now.expire(resource)
    else:
        now.back_to_savepoint(resource)


def release_attributes(now: Moment, name: str) -> None:
    """``with Repository() as <name>``, ``with <name>``: its own ``__exit__`` ends what it has opened on itself,
    ``<name>.session``; an attribute of the function's own object is known by its name, ``self.work``."""
    within = (f".{name}.", f"{name}.") if "." in name else f".{name}."
    for resource in list(now.lives):
        if resource.origin == ATTRIBUTE and resource.key.startswith(within):
            now.release(resource)


def doubt_found(now: Moment, block: ast.AST, is_of_session: bool) -> None:
    """``with lay_down(): session = current()``: what the block finds may be what its manager has laid down for it."""
    first, last = getattr(block, "lineno", 0), getattr(block, "end_lineno", 0)
    for resource, life in list(now.lives.items()):
        taken = getattr(now.steps.get(resource), "lineno", 0)
        is_found = resource.flavour == CONTEXT or (is_of_session and resource.origin == CAPTURED)
        if is_found and life.may_hold and first <= taken <= last:
            now.lives[resource] = life._replace(phases=UNSURE)


def release_given(now: Moment, block: ast.AST, name: str) -> None:
    """``with unseen() as <name>: repository = Repository(<name>)``: what the block gave out is over with the block."""
    for node in ast.walk(block):
        match node:
            case ast.Assign(targets=[ast.Name(id=made)], value=ast.Call(args=[*given], keywords=keywords)):
                names = {each.id for each in (*given, *(k.value for k in keywords)) if isinstance(each, ast.Name)}
                if name in names:
                    release_attributes(now, made)


def leave_object(now: Moment, value: Value, node: ast.expr, opened_at: str = "") -> None:
    """``with Repository() as r``: its own ``__exit__`` closes what it opened, where that is told."""
    for resource in contained(value):
        if not opened_at or resource.key == opened_at:
            now.finish(resource, node, "with")
    for registry in registries_of(value):
        now.release(registry)


def registries_of(owner: Value) -> Iterator[Resource]:
    """The registries that an object has made for itself and keeps."""
    for each in owner.extra:
        kept = each[1] if isinstance(each, tuple) and len(each) == 2 else UNKNOWN
        if isinstance(kept, Value) and kept.kind == REGISTRY and kept.resource is not None and ":" in kept.resource.key:
            yield kept.resource


def commits(generator: Body, yielded: Value, committed: Iterable[Event]) -> bool:
    """Whether a generator commits the session that it has yielded, whatever happens in it but a failure."""
    if not generator.is_generator or yielded.resource is None:
        return False
    at_times = generator.own(ast.If, ast.ExceptHandler)
    sometimes = {id(part) for block in at_times for part in ast.walk(block)}
    return any(event.resource == yielded.resource and id(event.node) not in sometimes for event in committed)
