"""Questions that several rules ask before they report."""

from __future__ import annotations

import ast

from .session.body import Body
from .session.events import Event, Happening
from .session.flow import Flow, Leak
from .session.values import Resource
from .view import View


def is_out_of_scope(view: View, body: Body) -> bool:
    """Test code and commands: what they hold ends with their process."""
    return view.is_test or view.is_script or view.units.is_short_lived(body)


def ignorable(view: View, flow: Flow, leak: Leak) -> bool:
    """A command may leave a session to the end of its process, but not one in each turn of a loop."""
    if view.is_test:
        return True
    return is_out_of_scope(view, flow.body) and not leak.lost


def is_closed_somewhere(flow: Flow, resource: Resource) -> bool:
    """Whether any path closes the session."""
    return any(e.resource == resource for e in flow.events(Happening.CLOSED))


def in_loop(flow: Flow, node: ast.AST) -> bool:
    """Whether the node stands in a loop or comprehension of the function."""
    line = node.lineno  # type: ignore[attr-defined]
    loops = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
    for loop in flow.body.own_nodes:
        if isinstance(loop, loops) and loop is not node and loop.lineno <= line <= (loop.end_lineno or 0):
            if not (loop.lineno == line and isinstance(loop, (ast.For, ast.AsyncFor)) and within(loop.iter, node)):
                return True
    return False


def within(outer: ast.AST, node: ast.AST) -> bool:
    return any(part is node for part in ast.walk(outer))


def first_of_each_node(events: list[Event]) -> list[Event]:
    """One event for each place."""
    seen: dict[ast.AST, Event] = {}
    for event in events:
        seen.setdefault(event.node, event)
    return list(seen.values())
