"""The sessions that a solved function opens and leaves held on some way out."""

from __future__ import annotations

import ast
from typing import NamedTuple

from .events import Happening
from .expressions.call import place
from .flow import Flow
from .state import CLOSED, GIVEN, USED, State
from .values import AMBIENT, Resource


class Leak(NamedTuple):
    """A session opened and kept here that still holds its connection on some way out.

    ``opened`` is the call that opened it, ``taken`` what took the connection. ``always``: on every way out.
    ``on_error``: only where an exception leaves the function. ``lost``: its name was bound to another session
    while it was held (a loop that never closes).
    """

    resource: Resource
    opened: ast.AST
    taken: ast.AST | None
    always: bool
    on_error: bool
    lost: bool = False


def leaks(flow: Flow, with_kept: bool = False) -> list[Leak]:
    """Every session opened here that is held on some way out and that nobody else was given.

    ``with_kept`` asks for those too that are stored on the object (``self.session = make()``).
    """
    opened = {e.resource: e.node for e in flow.events(Happening.OPENED) if e.resource is not None}
    found = (leak_of(flow, r, node) for r, node in opened.items() if with_kept or r not in flow.scope.kept)
    return [leak for leak in found if leak is not None]


def leak_of(flow: Flow, resource: Resource, opened: ast.AST) -> Leak | None:
    """How a session that is ``opened`` here is left held, on which ways out; None where it is not."""
    lost = next((e for e in reversed(flow.events(Happening.LOST)) if e.resource == resource), None)
    ends = ends_of(flow, resource)
    held = [(state, error) for state, error in ends if state.lives[resource].may_leak]
    if not held and lost is None:
        return None
    if resource.is_connection and not any(state.lives[resource].marks & USED for state, _ in held):
        return None
    given = any(s.lives[resource].marks & GIVEN for s in flow.returned if resource in s.lives)
    if given:
        held = [(state, error) for state, error in held if state.lives[resource].may_hold]
        if not held:
            return None
    taken = next((s.steps[resource] for s, _ in held if resource in s.steps), lost.taken if lost is not None else None)
    normal = [state.lives[resource] for state, error in ends if not error]
    shut = any(e.resource == resource for e in flow.events(Happening.CLOSED))
    closed = any(life.phases & CLOSED for life in normal) or (not normal and shut)
    always = bool(held) and not given and not closed and all(life.may_leak for life in normal)
    on_error = bool(held) and all(error for _, error in held)
    return Leak(resource, opened, taken, always, on_error, lost is not None)


def ends_of(flow: Flow, resource: Resource) -> list[tuple[State, bool]]:
    """The states on the ways out in which the session is ours, each with whether an exception leaves there."""
    ends = [(state, True) for state in flow.raised] + [(state, False) for state in flow.returned]
    return [(state, error) for state, error in ends if is_ours(state, resource)]


def registry_leaks(flow: Flow) -> list[Leak]:
    """Registries built for one object or call (``scoped_session(…)`` inside a function) that are left held."""
    made = {place(e.node): e.node for e in flow.events(Happening.REGISTRY_MADE)}
    taken = {e.resource: e.node for e in reversed(flow.events(Happening.TAKEN)) if e.resource is not None}
    found: list[Leak] = []
    for resource, node in taken.items():
        if resource.origin != AMBIENT or resource.key not in made:
            continue
        ends = [(state.lives[resource], error) for state, error in ends_of(flow, resource)]
        held = [error for life, error in ends if life.may_hold]
        if held:
            always = all(life.may_hold for life, error in ends if not error) and not all(held)
            found.append(Leak(resource, made[resource.key], node, always, all(held)))
    return found


def is_ours(state: State, resource: Resource) -> bool:
    """Whether the session is open in the state and nobody else was given it.

    A raw connection that is dropped comes back by reference counting (measured), so it is never a leak.
    """
    life = state.lives.get(resource)
    return life is not None and not life.marks & GIVEN and resource.type != "PoolProxiedConnection"
