"""Loops that go on for good and work with a session in each turn: the units of work of a worker."""

from __future__ import annotations

import ast

from ..flow.graph import Kind
from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import Resource
from ..view import View
from .running_out import runs_out
from .touching import touches

Loop = ast.While | ast.For | ast.AsyncFor


def endless_loop_holding(view: View, flow: Flow, resource: Resource) -> Loop | None:
    """An endless loop that works with the session, waits, and begins its next turn with the connection still held."""
    for node in flow.nodes(Kind.TEST, Kind.ITEM):
        loop = node.statement
        if isinstance(loop, ast.While):
            endless = node.syntax is loop.test and is_endless(loop) and not is_asked_anew(loop)
            endless = endless and not runs_out(flow, loop, resource)
        else:
            endless = isinstance(loop, (ast.For, ast.AsyncFor)) and waits_at(flow, loop.iter)
        held = [s for s in flow.at(node) if resource in s.lives and s.lives[resource].may_hold] if endless else []
        if held and isinstance(loop, Loop) and waits_inside(flow, loop) and works_with(view, flow, resource, loop):
            return loop
    return None


def is_wait_in_between(flow: Flow, resource: Resource, loop: Loop) -> bool:
    """Whether the loop only waits for something, in a function that uses the session before and after it."""
    uses = [e.node.lineno for e in flow.events(Happening.TAKEN, Happening.QUERIED) if e.resource == resource]  # type: ignore[attr-defined]
    around = any(line < loop.lineno for line in uses) and any(line > (loop.end_lineno or 0) for line in uses)
    return around and any(isinstance(part, ast.Break) for part in ast.walk(loop))


def waits_at(flow: Flow, iterated: ast.expr) -> bool:
    """``for message in consumer``: the loop itself waits; a generator of the project may end soon, and so does a list
    that is fetched: ``for model in client.list_models()``."""
    waits = (what for (what, *_), node in flow.scope.waits.items() if node is iterated)
    return any(what.kind != "network" and not what.chain for what in waits)


def is_endless(loop: ast.While) -> bool:
    """``while True``, ``while not stop.is_set()``, ``while self.running``."""
    match loop.test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Attribute(attr="is_set" | "wait"))):
            return True
        case ast.UnaryOp(op=ast.Not(), operand=ast.Attribute() | ast.Name()) | ast.Attribute() | ast.Name():
            return True
    return False


def is_asked_anew(loop: ast.While) -> bool:
    """``while rows: … rows = read()``: a loop over what there is, which ends when there is no more."""
    asked = loop.test.id if isinstance(loop.test, ast.Name) else ""
    assigned = (part for part in ast.walk(loop) if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call))
    return any(isinstance(t, ast.Name) and t.id == asked for part in assigned for t in part.targets)


def waits_inside(flow: Flow, loop: Loop) -> bool:
    return any(is_inside(place, loop) for place in flow.scope.waits.values())


def works_with(view: View, flow: Flow, resource: Resource, loop: Loop) -> bool:
    """Whether a turn may use the session: one that leaves it alone belongs to the work of the function around it."""
    return any(is_inside(place, loop) for place in touches(view, flow, resource))


def is_inside(node: ast.AST, loop: Loop) -> bool:
    line: int = node.lineno  # type: ignore[attr-defined]
    return loop.lineno <= line <= (loop.end_lineno or 0)
