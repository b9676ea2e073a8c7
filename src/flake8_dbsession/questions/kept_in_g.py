"""Sessions that a function opens and lays into Flask's ``g``, where each request has its own, and nobody closes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..project.modules.module import Module
from ..session.body import Body
from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import OPENED, SESSION
from ..view import View
from .left_by_callers import is_left_by_callers

_CONTEXT = "flask.g"
_ENDS = frozenset({"close", "invalidate", "remove", "rollback"})
_MOST_FILES = 400
"""A project in which more files speak of what a session is called is not looked through."""


def kept_with_contexts(view: View, flow: Flow) -> Iterator[tuple[ast.AST, str]]:
    """The call that opens a session for ``g.db``, and that name, where others use it and nobody gives it back."""
    laid = [(target, value) for target, value in flow.scope.stored if isinstance(target, ast.Attribute)]
    if not laid or flow.body.node is None:
        return
    opened = {event.resource: event.node for event in flow.events(Happening.OPENED)}
    closed = {event.resource for event in flow.events(Happening.CLOSED)}
    for target, value in laid:
        resource = value.resource if value.kind == SESSION else None
        if resource is None or resource.origin != OPENED or resource in closed or resource not in opened:
            continue
        if is_of_context(view.module, target) and is_used_and_left(view, flow.body, target.attr):
            yield opened[resource], target.attr


def is_used_and_left(view: View, opener: Body, name: str) -> bool:
    """Whether a function of the project asks ``g.<name>`` and leaves it there, and none may take it out.

    Whoever does nothing but commit it may do so behind all the others.
    """
    speaking = [m for m in view.project.app.modules_with(name.encode()) if not view.config.is_test(m.path)]
    is_handed_out = is_only_returned(view.module, opener, name)
    if len(speaking) > _MOST_FILES or (is_handed_on(view.module, opener, name) and not is_handed_out):
        return False
    others = [(m, body) for m in speaking for body in (m.top, *m.bodies.values()) if body.node is not opener.node]
    if any(may_be_found(m, body, name) or is_handed_on(m, body, name) for m, body in others):
        return False
    if is_handed_out:
        return is_left_by_callers(view, opener)
    asked = [{each.attr for each in asked_in(m, body, name)} for m, body in others]
    return {"commit"} not in asked and any(words and "commit" not in words for words in asked)


def may_be_found(module: Module, body: Body, name: str) -> bool:
    """Whether a function takes the session out by its name: ``g.pop("db", None)``, ``getattr(g, "db")``."""
    by_name = any(constant.value == name for constant in body.own(ast.Constant))
    return by_name and any(is_context(module, each) for each in body.own(ast.Name, ast.Attribute))


def is_handed_on(module: Module, body: Body, name: str) -> bool:
    """Whether a function does more with ``g.<name>`` than to ask it: it ends it, returns it or gives it to another."""
    asked = asked_in(module, body, name)
    if any(each.attr in _ENDS for each in asked):
        return True
    known = {each.value for each in asked}
    loads = (a for a in body.own(ast.Attribute) if isinstance(a.ctx, ast.Load) and a.attr == name)
    return any(each not in known and is_of_context(module, each) for each in loads)


def is_only_returned(module: Module, opener: Body, name: str) -> bool:
    """Whether the function hands ``g.<name>`` out to its callers, and does nothing else with it than to ask it."""
    returned = {each.value for each in opener.own(ast.Return)}
    asked = asked_in(module, opener, name)
    known = {each.value for each in asked} | returned
    loads = [a for a in opener.own(ast.Attribute) if isinstance(a.ctx, ast.Load) and a.attr == name]
    ours = [each for each in loads if is_of_context(module, each)]
    is_ended = any(each.attr in _ENDS for each in asked)
    return not is_ended and any(each in returned for each in ours) and all(each in known for each in ours)


def asked_in(module: Module, body: Body, name: str) -> list[ast.Attribute]:
    """``g.<name>.query`` and its like."""
    attributes = body.own(ast.Attribute)
    owners = ((each, each.value) for each in attributes if isinstance(each.value, ast.Attribute))
    return [each for each, owner in owners if owner.attr == name and is_of_context(module, owner)]


def is_of_context(module: Module, place: ast.Attribute) -> bool:
    return is_context(module, place.value)


def is_context(module: Module, expression: ast.expr) -> bool:
    return module.names.resolve(expression) == _CONTEXT
