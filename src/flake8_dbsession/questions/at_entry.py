"""Waits of views and endpoints while a session has a connection since what runs before them has used it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from ..names import bare
from ..project.runs.injection import dependencies, held_at_entry, providers
from ..project.runs.library_users import used_by_libraries
from ..session.body import Body
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.summary import Own, Wait
from ..session.values import FUNCTION, OPENED, PARAMETER, Resource, Value
from ..view import View, asked_once
from .held import Held, of_registry
from .loaded_users import held_since_login
from .writing_hooks import held_while_writing


class WaitAtEntry(NamedTuple):
    """A wait of an endpoint, as an event that belongs to no session of its own, and what is held meanwhile."""

    event: Event
    held: Held


@asked_once
def waits_at_entry(view: View, flow: Flow) -> list[WaitAtEntry]:
    """The waits that a view, an endpoint, or a dependency comes to before anything in it has given back, or may have,
    what is held already. What may wait or not does not count."""
    return list(_waits_at_entry(view, flow))


def _waits_at_entry(view: View, flow: Flow) -> Iterator[WaitAtEntry]:
    sessions = held_at_entry_of(view, flow.body)
    followed = flow if not flow.is_quiet or not sessions else view.project.flow(view.module, flow.body, {}, {})
    told = {event.node for event in followed.events(Happening.WAITED)}
    for (wait, released, _), node in followed.scope.waits.items() if sessions else ():
        for held in sessions:
            if node not in told and not wait.is_guessed and not is_given_back(followed, held, released, node):
                told.add(node)
                yield WaitAtEntry(_event(node, wait), held)


def seconds_at_entry(view: View, flow: Flow) -> Iterator[tuple[Own, Held]]:
    """Where an endpoint takes a connection for a session of its own while another one is held already."""
    own = [each for each in flow.scope.own if each.resource.origin == OPENED] if not flow.is_quiet else []
    for held in held_at_entry_of(view, flow.body) if own else ():
        for each in own:
            if not is_given_back(flow, held, each.free, each.node):
                yield each, held


@asked_once
def held_at_entry_of(view: View, body: Body) -> list[Held]:
    """The sessions that hold a connection as a view, an endpoint or a dependency starts; none in test code."""
    if view.is_test:
        return []
    is_view = any(entry.kind == "request" for entry in view.units.entries(body))
    sessions = list(held_while_writing(view, body))
    sessions += list(_held_by_dependencies(view, body)) if is_view or view.mentions(b"Depends") else []
    if is_view:
        sessions += held_since_login(view, body)
        sessions += _held_by_decorators(view, body)
    return sessions


def _held_by_decorators(view: View, body: Body) -> Iterator[Held]:
    """The registries that the view's own decorators have used: ``row = Row.query.get(key)``, ``return view(row)``."""
    for decorator in body.decorators:
        name = view.names.resolve(bare(decorator)) or ""
        for registry in sorted(view.project.wrapping.holds(name)):
            yield of_registry(registry, name.rpartition(".")[2])


def _held_by_dependencies(view: View, body: Body) -> Iterator[Held]:
    """The sessions that the endpoint's dependencies have left with a connection: only FastAPI fills such parameters."""
    filled = list(providers(view.project, view.module, body))
    loaded = used_by_libraries(view.project, view.module, body)
    held = {**dict(loaded), **held_at_entry(view.project, view.module, body)}
    for provider, dependency in held.items():
        own = [name for name, function in filled if function.name == provider]
        target = view.project.target(dependency)
        its = providers(view.project, target.module, target.body) if target is not None else ()
        names = (*own, *(name for name, function in its if function.name == provider), "db")
        others = (name for name, function in filled if name not in own and _works_with(view, function, provider))
        called = dependency.name.rpartition(".")[2]
        remedy = f"let {called}() end the transaction, or read in a session of its own"
        yield Held(names[0], called, frozenset(own), frozenset(others), remedy, _given_by(view, provider))


def provided(view: View, body: Body, session: Resource) -> Resource:
    """The session of a parameter as the dependency that fills it makes it, which tells its engine."""
    if session.origin != PARAMETER or session.pool or not view.mentions(b"Depends"):
        return session
    provider = dict(providers(view.project, view.module, body)).get(session.key)
    return (_given_by(view, provider.name) if provider is not None else None) or session


def _given_by(view: View, provider: str) -> Resource | None:
    """The session that a provider yields or returns."""
    summary = view.project.summary(Value(FUNCTION, provider, extra=(None, None)), ())
    return (summary.yields.resource or summary.returns.resource) if summary is not None else None


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
