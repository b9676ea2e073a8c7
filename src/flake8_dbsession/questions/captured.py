"""Sessions that a function opens once, and that handlers which stand in it work with whenever they are called."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..known import Entry
from ..names import all_given
from ..project.functions.targets import Target
from ..project.modules.module import Module
from ..project.runs.entries import Units
from ..session.body import Body
from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import CAPTURED, FUNCTION, Resource
from ..story import name_of
from ..view import View

Captured = tuple[ast.AST, str, str]
"""The call that opens a session, the name it has, and a handler that works with it."""


def captured_by_handlers(view: View, flow: Flow) -> Iterator[Captured]:
    """Each session that a function opens and handlers use, which stand in it or in a function that gets the session.

    Where something served calls the function, it opens another for each of them.
    """
    opened = {event.resource: event.node for event in flow.events(Happening.OPENED) if event.resource is not None}
    if not opened or flow.body.node is None or view.units.entries(flow.body):
        return
    found = [*used_inside(view, flow), *used_where_given(view, flow)]
    for resource, node in opened.items() if found else ():
        name = name_of(flow, resource)
        handler = next((handler for given, handler in found if given == name), "")
        if handler and not view.is_served(flow.body, is_served):
            yield node, name, handler


def is_kept_for_handlers(view: View, flow: Flow, resource: Resource) -> bool:
    """Whether a handler works with a session of the function around it, with which the next call goes on."""
    is_of_others = resource.origin == CAPTURED and resource.key not in flow.body.local_names
    return is_of_others and any(map(is_served, view.units.entries(flow.body)))


def is_served(entry: Entry) -> bool:
    return entry.is_served


def used_inside(view: View, flow: Flow) -> Iterator[tuple[str, str]]:
    """The names of the function by which its own handlers know sessions that they take connections with."""
    for other in view.flows:
        if is_handler(view, flow.body, other.body):
            taken = (event.resource for event in other.events(Happening.TAKEN) if event.resource is not None)
            names = dict.fromkeys(resource.key for resource in taken if resource.origin == CAPTURED)
            yield from ((name, other.body.name.rpartition(".")[2]) for name in names)


def is_handler(view: View, outer: Body, inner: Body) -> bool:
    """Whether a function stands in the other one and is run by something that serves."""
    return inner.name.rpartition(".<locals>.")[0] == outer.name and any(map(is_served, view.units.entries(inner)))


def used_where_given(view: View, flow: Flow) -> Iterator[tuple[str, str]]:
    """The names of the function that it gives to another one, and a handler in that which uses them."""
    for call in flow.body.own(ast.Call):
        names = [argument.id for argument in all_given(call) if isinstance(argument, ast.Name)]
        value = view.project.evaluate(view.module, call.func) if names else None
        target = view.project.target(value) if value is not None and value.kind == FUNCTION else None
        if target is None:
            continue
        for parameter, argument in bound(target, call):
            handler = handler_that_uses(view, target.module, target.body, parameter)
            if handler:
                yield argument, handler


def bound(target: Target, call: ast.Call) -> Iterator[tuple[str, str]]:
    """The parameters that a call fills with names, each with the name."""
    parameters = [parameter.arg for parameter in target.body.parameters]
    words = [(word.arg, word.value) for word in call.keywords if word.arg is not None]
    for parameter, argument in (*zip(parameters, call.args, strict=False), *words):
        if isinstance(argument, ast.Name):
            yield parameter, argument.id


def handler_that_uses(view: View, module: Module, outer: Body, parameter: str) -> str:
    """A handler in a function that uses one of its parameters; "" where none does."""
    units = view.units if module is view.module else Units(module, view.project, ())
    for inner in module.bodies.values():
        if inner.name.rpartition(".<locals>.")[0] != outer.name or parameter in inner.local_names:
            continue
        uses = any(node.id == parameter for node in inner.own(ast.Name))
        if uses and any(map(is_served, units.entries(inner))):
            return inner.name.rpartition(".")[2]
    return ""
