"""Waits of FastAPI's endpoints while the request's session has a connection since their dependencies have used it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from ..project.injection import dependencies, held_at_entry, providers
from ..session.body import Body
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.summary import Wait
from ..session.values import Resource, Value
from ..view import View


class Held(NamedTuple):
    """A session that holds a connection when the endpoint starts.

    ``name`` is the parameter for it, of the endpoint or of the ``dependency`` that has used it; ``own`` are the names
    that it has in the endpoint, and ``others`` the parameters that may be objects which work with it.
    """

    name: str
    dependency: str
    own: frozenset[str]
    others: frozenset[str]


class WaitAtEntry(NamedTuple):
    """A wait of an endpoint, as an event that belongs to no session of its own, and what is held meanwhile."""

    event: Event
    held: Held


def waits_at_entry(view: View, flow: Flow) -> Iterator[WaitAtEntry]:
    """The waits that an endpoint, or a dependency, comes to before anything in it has given back, or may have, what is
    held already: only FastAPI fills such parameters. What may wait or not does not count."""
    is_filled = view.mentions(b"Depends") or any(entry.kind == "request" for entry in view.units.entries(flow.body))
    sessions = list(_held(view, flow.body)) if is_filled else []
    followed = flow if not flow.is_quiet or not sessions else view.project.flow(view.module, flow.body, {}, {})
    told = {event.node for event in followed.events(Happening.WAITED)}
    for (wait, released, _), node in followed.scope.waits.items() if sessions else ():
        for held in sessions:
            if node not in told and not wait.is_guessed and not is_given_back(followed, held, released, node):
                told.add(node)
                yield WaitAtEntry(_event(node, wait), held)


def _held(view: View, body: Body) -> Iterator[Held]:
    """The sessions that the endpoint's dependencies have left with a connection."""
    filled = list(providers(view.project, view.module, body))
    for provider, dependency in held_at_entry(view.project, view.module, body).items():
        own = [name for name, function in filled if function.name == provider]
        target = view.project.target(dependency)
        its = providers(view.project, target.module, target.body) if target is not None else ()
        names = (*own, *(name for name, function in its if function.name == provider), "db")
        others = (name for name, function in filled if name not in own and _works_with(view, function, provider))
        yield Held(names[0], dependency.name.rpartition(".")[2], frozenset(own), frozenset(others))


def _works_with(view: View, function: Value, provider: str) -> bool:
    """Whether what fills a parameter is made with the session, directly or not."""
    target = view.project.target(function)
    return target is not None and provider in dependencies(view.project, target.module, target.body)


def is_given_back(flow: Flow, held: Held, released: tuple[Resource, ...], wait: ast.AST) -> bool:
    """Whether the session has no connection at a wait, as it may be where an object that works with it was asked."""
    ends = any(resource.key in held.own or resource.is_of_an_object for resource in released)
    line: int = wait.lineno  # type: ignore[attr-defined]
    asked = (call.func for call in flow.body.own(ast.Call) if call.lineno <= line)
    return ends or any(owner(function) in held.others for function in asked)


def owner(called: ast.expr) -> str:
    """``service`` of ``service.orders.place``, whose method is called; "" for what is no method."""
    inner = called
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    return inner.id if isinstance(inner, ast.Name) and inner is not called else ""


def _event(node: ast.AST, wait: Wait) -> Event:
    return Event(Happening.WAITED, node, None, wait)
