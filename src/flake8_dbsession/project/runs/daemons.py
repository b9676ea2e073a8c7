"""What a daemon calls again and again, wherever its file stands: ``bin/`` holds programs that never end, too."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from ...session.body import Body
from ..modules.module import is_for_good
from .entries import Units, calls, names_called

_LOOPS = (ast.While, ast.For, ast.AsyncFor)


def called_for_good(units: Units) -> frozenset[Body]:
    """The functions of a file that an endless loop calls, directly or through others."""
    bodies = list(units.module.bodies.values())
    endless = [(body, loop) for body in bodies for loop in endless_loops(body)]
    waiting = [each for body, loop in endless for each in callees(bodies, body, ast.walk(loop))]
    found = dict.fromkeys(waiting)
    for body in waiting:
        new = [each for each in callees(bodies, body, body.own(ast.Call)) if each not in found]
        found.update(dict.fromkeys(new))
        waiting.extend(new)
    return frozenset(found)


def endless_loops(body: Body) -> Iterator[ast.While]:
    """``while True:`` that nothing leaves but an exception or an order to stop, and ``while not stop.is_set():``."""
    for loop in body.own(ast.While):
        if (is_for_good(loop) or asks_to_stop(loop.test)) and not any(map(leaves, loop.body)):
            yield loop


def asks_to_stop(test: ast.expr) -> bool:
    """``stop.is_set()``, or ``not`` that."""
    asked = test.operand if isinstance(test, ast.UnaryOp) else test
    return isinstance(asked, ast.Call) and isinstance(asked.func, ast.Attribute) and asked.func.attr == "is_set"


def leaves(statement: ast.AST, inner: bool = False) -> bool:
    """Whether a statement of a loop may end it: ``return``, or a ``break`` that is of no loop inside (``inner``)."""
    if isinstance(statement, ast.Return) or (isinstance(statement, ast.Break) and not inner):
        return True
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
        return False
    if isinstance(statement, ast.If) and asks_to_stop(statement.test):
        return any(leaves(part, inner) for part in statement.orelse)
    inside = inner or isinstance(statement, _LOOPS)
    return any(leaves(part, inside) for part in ast.iter_child_nodes(statement))


def callees(bodies: list[Body], caller: Body, nodes: Iterable[ast.AST]) -> list[Body]:
    """The functions of the file that calls among the nodes mean, by a plain name or as a method of the same object."""
    named = set(names_called(node for node in nodes if isinstance(node, ast.Call)))
    return [
        body
        for body in bodies
        for name, on_itself in named
        if body.name.rpartition(".")[2] == name and calls(caller, on_itself, body)
    ]
