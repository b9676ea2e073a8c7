"""Whether a loop that looks endless is over when it finds no more: then it waits for nothing new."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import Resource


def runs_out(flow: Flow, loop: ast.While, resource: Resource) -> bool:
    """Whether the loop is left, or told to stop, by what it has asked the session for (``if not rows: break``), or goes
    on only as long as a list of the function has anything in it."""
    if isinstance(loop.test, ast.Name) and loop.test.id in flow.body.local_names and takes_from(loop, loop.test.id):
        return True
    lines = {e.node.lineno for e in flow.events(Happening.TAKEN, Happening.QUERIED) if e.resource == resource}  # type: ignore[attr-defined]
    read = (part for part in ast.walk(loop) if isinstance(part, ast.Assign) and lines & lines_of(part))
    rows = {name for statement in read for name in bound(statement)}
    asking = [part for part in ast.walk(loop) if isinstance(part, ast.If)]
    choices = (part for part in asking if rows & spoken_of(part.test) or part.test.lineno in lines)
    return any(stops(statement, loop) for choice in choices for statement in (*choice.body, *choice.orelse))


def takes_from(loop: ast.While, name: str) -> bool:
    """``folders.pop()``, ``heappop(services)``: the loop takes out of what it looks at."""
    calls = [part for part in ast.walk(loop) if isinstance(part, ast.Call)]
    owners = (call.func.value for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in _TAKING)
    given = (call.args[0] for call in calls if call.args and spoken_of(call.func) & _TAKING)
    return any(isinstance(each, ast.Name) and each.id == name for each in (*owners, *given))


_TAKING = frozenset({"heappop", "pop", "popitem", "popleft"})


def lines_of(statement: ast.stmt) -> set[int]:
    return set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))


def bound(statement: ast.Assign) -> Iterator[str]:
    return (part.id for target in statement.targets for part in ast.walk(target) if isinstance(part, ast.Name))


def spoken_of(test: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(test) if isinstance(part, ast.Name)}


def stops(statement: ast.stmt, loop: ast.While) -> bool:
    """``break``, ``return``, or the loop's own flag set to what ends it."""
    if isinstance(statement, (ast.Break, ast.Return)):
        return True
    flag = loop.test.operand if isinstance(loop.test, ast.UnaryOp) else loop.test
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant()):
            return isinstance(flag, ast.Name) and flag.id == name
    return False
