"""Whether what an ``except`` guards does nothing that could fail but ask the database."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..names import dotted
from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import Resource

_EXECUTING = frozenset({"execute", "exec", "scalar", "scalars"})
_PLAIN = frozenset({"bool", "dict", "enumerate", "isinstance", "len", "list", "print", "set", "sorted", "str", "tuple"})
_OF_DATA = frozenset(
    {"append", "debug", "extend", "format", "info", "isoformat", "items", "join", "keys", "lower", "setdefault"}
    | {"sort", "split", "strip", "title", "update", "upper", "values", "warning"}
)
"""Methods of the containers, texts and times that rows are put into."""


def only_asks(flow: Flow, handler: ast.ExceptHandler, resource: Resource) -> bool:
    """Whether the handler can hardly catch anything but a statement of the session that failed."""
    parts = guarded_by(flow, handler)
    asked = list(asked_in(flow, parts, resource))
    inside = {part for node in asked for part in ast.walk(node)}
    called = {call.func for call in calls_in(parts)}
    if any(isinstance(part, ast.Attribute) and part.value in asked and part not in called for part in parts):
        return False  # of a row that there may not be
    return bool(asked) and all(call in inside or is_harmless(call) for call in calls_in(parts))


def executes(flow: Flow, handler: ast.ExceptHandler, resource: Resource) -> bool:
    """Whether a statement that may write stands in what the handler guards; added rows wait for a flush or commit."""
    calls = [call for call in asked_in(flow, guarded_by(flow, handler), resource) if not is_select(call)]
    return any(isinstance(call.func, ast.Attribute) and call.func.attr in _EXECUTING for call in calls)


def is_select(call: ast.Call) -> bool:
    """``session.scalar(select(Plant).where(…))``, ``session.execute(sa.select(Plant))``."""
    statement = call.args[0] if call.args else None
    while isinstance(statement, ast.Call):
        statement = statement.func
        if isinstance(statement, ast.Attribute) and isinstance(statement.value, ast.Call):
            statement = statement.value
    return statement is not None and (dotted(statement) or "").rpartition(".")[2] == "select"


def guarded_by(flow: Flow, handler: ast.ExceptHandler) -> list[ast.AST]:
    """All that the handler is there for."""
    tries = (each for each in flow.body.own(ast.Try) if handler in each.handlers)
    return [part for each in tries for statement in each.body for part in ast.walk(statement)]


def asked_in(flow: Flow, parts: list[ast.AST], resource: Resource) -> Iterator[ast.Call]:
    """The calls among ``parts`` in which the session runs SQL."""
    events = (e for e in flow.events(Happening.QUERIED) if e.resource == resource and e.node in parts)
    return (event.node for event in events if isinstance(event.node, ast.Call))


def calls_in(parts: list[ast.AST]) -> Iterator[ast.Call]:
    return (part for part in parts if isinstance(part, ast.Call))


def is_harmless(call: ast.Call) -> bool:
    """``list(…)``, ``found.append(…)``: what rows are put into. A text that is no number is another matter."""
    match call.func:
        case ast.Name(id=name):
            return name in _PLAIN
        case ast.Attribute(attr=name):
            return name in _OF_DATA
    return False
