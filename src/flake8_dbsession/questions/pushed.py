"""Streams that a websocket passes on: ``async for line in lines: await websocket.send_text(line)``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..flow.graph import Kind
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.values import OBJECT
from ..view import View

_WEBSOCKET = "starlette.websockets.WebSocket"
_SENDS = frozenset({"send", "send_bytes", "send_json", "send_text"})


def passed_on(view: View, flow: Flow) -> Iterator[Event]:
    """What is held where a websocket sends what comes of a stream, which lasts as long as that one does."""
    sockets = sockets_of(flow) if any(entry.kind == "socket" for entry in view.units.entries(flow.body)) else set()
    for node in flow.nodes(Kind.ITERATE) if sockets else ():
        loop = node.syntax
        if not isinstance(loop, ast.AsyncFor) or names_in(loop.iter) & sockets:
            continue
        parts = (part for statement in loop.body for part in ast.walk(statement))
        sends = [part for part in parts if is_send(part, sockets)]
        held = {r: state for state in flow.at(node) for r, life in state.lives.items() if life.surely_holds}
        for resource in sorted(held) if sends else ():
            yield Event(Happening.STREAMED, sends[0], resource, taken=held[resource].steps.get(resource))


def sockets_of(flow: Flow) -> set[str]:
    """The parameters that are websockets."""
    given = (pair for start in flow.starts for pair in start.items())
    return {name for name, value in given if value.kind == OBJECT and value.name == _WEBSOCKET}


def is_send(node: ast.AST, sockets: set[str]) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=called)):
            return name in sockets and called in _SENDS
    return False


def names_in(expression: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(expression) if isinstance(part, ast.Name)}
