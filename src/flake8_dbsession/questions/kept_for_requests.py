"""Sessions that a function opens and lays down for a request, in ``g`` or ``request.state``, and nobody closes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from ..names import OF_REQUESTS
from ..project.modules.module import Module
from ..session.body import Body
from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import OPENED, SESSION, Value
from ..view import View
from .left_by_callers import is_left_by_callers

_OF_FLASK = frozenset({"flask.request", "quart.request"}) | OF_REQUESTS
_REQUESTS = frozenset({"request", "req"})
_NAMESPACES = frozenset({"context", "ctx", "state"})
"""The attributes in which a request of Falcon, Sanic and Starlette keeps what others put there."""
_ENDS = frozenset({"aclose", "close", "invalidate", "remove", "rollback"})
_MOST_FILES = 400
"""A project in which more files speak of what a session is called is not looked through."""


class Place(NamedTuple):
    """Where a request keeps a session: ``g``, ``request.state`` or ``request``, and its name there."""

    context: str
    name: str


class Use(NamedTuple):
    """What a function does with what is kept there: the attributes that it asks, whether it hands it to its caller, and
    whether it does anything else with it, which cannot be followed."""

    asked: frozenset[str]
    hands_out: bool
    is_unclear: bool


def kept_with_contexts(view: View, flow: Flow) -> Iterator[tuple[ast.AST, str]]:
    """The call that opens a session for ``g.db``, and that place, where others use it and nobody gives it back."""
    laid = [(target, value) for target, value in flow.scope.stored if isinstance(target, ast.Attribute)]
    if not laid or flow.body.node is None:
        return
    opened = {event.resource: event.node for event in flow.events(Happening.OPENED)}
    closed = {event.resource for event in flow.events(Happening.CLOSED)}
    for target, value in laid:
        resource = value.resource if value.kind == SESSION else None
        if resource is None or resource.origin != OPENED or resource in closed or resource not in opened:
            continue
        place = place_of(view.module, target)
        if place is not None and is_used_and_left(view, flow.body, place, value):
            yield opened[resource], ast.unparse(target)


def place_of(module: Module, attribute: ast.Attribute) -> Place | None:
    """The place that ``g.db`` or ``request.state.db`` stands for; None for what is no request's."""
    resolved = module.names.resolve(attribute.value) or ""
    if resolved in _OF_FLASK:
        return Place(resolved.rpartition(".")[2], attribute.attr)
    match attribute.value:
        case ast.Attribute(value=ast.Name(id=request), attr=part) if request in _REQUESTS and part in _NAMESPACES:
            return Place(f"request.{part}", attribute.attr)
        case ast.Name(id=request) if request in _REQUESTS:
            return Place("request", attribute.attr)
    return None


def is_used_and_left(view: View, opener: Body, place: Place, session: Value) -> bool:
    """Whether a function of the project asks what is kept in the place and leaves it there, and none may end it.

    Whoever does nothing but commit it may do so behind all the others.
    """
    speaking = [m for m in view.project.app.modules_with(place.name.encode()) if not view.config.is_test(m.path)]
    if len(speaking) > _MOST_FILES:
        return False
    bodies = [(m, body) for m in speaking for body in (m.top, *m.bodies.values())]
    if any(body.node is not opener.node and is_looked_for(m, body, place) for m, body in bodies):
        return False
    found = [(body, use_of(m, body, place)) for m, body in bodies]
    if any(use.is_unclear or use.asked & _ENDS for _, use in found):
        return False
    handing = [body for body, use in found if use.hands_out]
    if handing:
        return all(is_left_by_callers(view, body, session) for body in handing)
    asked = [use.asked for body, use in found if body.node is not opener.node]
    return {"commit"} not in asked and any(words and "commit" not in words for words in asked)


def use_of(module: Module, body: Body, place: Place) -> Use:
    """What a function does with what is kept in a place, under a local name of it as well."""
    loads: list[ast.expr] = [
        each for each in body.own(ast.Attribute) if is_load(each) and place_of(module, each) == place
    ]
    bound = {t.id: value for t, value in body.assigned() if value in loads and isinstance(t, ast.Name)}
    loads += [each for each in body.own(ast.Name) if each.id in bound and is_load(each)]
    asked = {each.value: each.attr for each in body.own(ast.Attribute) if each.value in loads}
    returned = {each.value for each in body.own(ast.Return, ast.Yield)}
    known = asked.keys() | returned | set(bound.values())
    is_unclear = any(each not in known for each in loads)
    return Use(frozenset(asked.values()), any(each in returned for each in loads), is_unclear)


def is_load(node: ast.Attribute | ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def is_looked_for(module: Module, body: Body, place: Place) -> bool:
    """Whether a function may take the session by its name: ``g.pop("db", None)``, ``getattr(request.state, "db")``."""
    if all(constant.value != place.name for constant in body.own(ast.Constant)):
        return False
    return any(place_of(module, ast.Attribute(each, place.name)) == place for each in body.own(ast.Name, ast.Attribute))
