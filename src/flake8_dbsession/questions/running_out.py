"""Whether a loop that looks endless is over when a query finds no more: then it waits for nothing new."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import Resource


def runs_out(flow: Flow, loop: ast.While, resource: Resource) -> bool:
    """Whether the loop is left, or told to stop, by what it has asked the session for: ``if not rows: break``."""
    lines = {e.node.lineno for e in flow.events(Happening.TAKEN, Happening.QUERIED) if e.resource == resource}  # type: ignore[attr-defined]
    read = (part for part in ast.walk(loop) if isinstance(part, ast.Assign) and lines & lines_of(part))
    rows = {name for statement in read for name in bound(statement)}
    choices = (part for part in ast.walk(loop) if isinstance(part, ast.If) and rows & spoken_of(part.test))
    return any(stops(statement, loop) for choice in choices for statement in (*choice.body, *choice.orelse))


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
