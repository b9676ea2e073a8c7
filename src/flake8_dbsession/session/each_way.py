"""Whether a function makes something whichever way it goes, or only where a condition says so."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

_TRY = (ast.Try,) if not hasattr(ast, "TryStar") else (ast.Try, ast.TryStar)


class Ways(NamedTuple):
    """What becomes of the ways that have not made it."""

    go_on: bool
    leave: bool
    """Some of them return without it."""


def is_made_on_each_way(statements: Sequence[ast.stmt], made: Sequence[ast.AST]) -> bool:
    """Whether nobody gets to the end, or to a ``return``, without passing one of the places that make it."""
    return not any(without(statements, made))


def is_behind_check(statements: Sequence[ast.stmt], made: Sequence[ast.AST], beside: Sequence[ast.AST] = ()) -> bool:
    """Whether something is made only where a condition says so, or where the function has not returned early.

    ``beside`` are the places of what stands in for it.
    """
    checks = [statement for statement in statements if isinstance(statement, ast.If)]
    inside = [part for check in checks for part in ast.walk(check)]
    depends = any(isinstance(part, ast.Return) or part in made for part in inside)
    return depends and not is_made_on_each_way(statements, [*made, *beside])


def without(statements: Sequence[ast.stmt], made: Sequence[ast.AST]) -> Ways:
    """How the ways through some statements end that make nothing."""
    leave = False
    for statement in statements:
        ways = one(statement, made)
        leave = leave or ways.leave
        if not ways.go_on:
            return Ways(False, leave)
    return Ways(True, leave)


def one(statement: ast.stmt, made: Sequence[ast.AST]) -> Ways:
    match statement:
        case ast.If(test=test, body=body, orelse=orelse) if not has(test, made):
            first, second = without(body, made), without(orelse, made)
            return Ways(first.go_on or second.go_on, first.leave or second.leave)
        case ast.With(body=body) | ast.AsyncWith(body=body) if not any(has(each, made) for each in statement.items):
            return without(body, made)
        case ast.For(body=body) | ast.AsyncFor(body=body) | ast.While(body=body):
            return Ways(True, without(body, made).leave)
        case ast.Raise():
            return Ways(False, False)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return Ways(True, False)
    if isinstance(statement, _TRY):
        inside = without([*statement.body, *statement.orelse], made)
        others = [without(handler.body, made) for handler in statement.handlers]
        last = without(statement.finalbody, made)
        goes_on = inside.go_on or any(each.go_on for each in others)
        return Ways(goes_on and last.go_on, any(each.leave for each in (inside, *others, last)))
    if has(statement, made):
        return Ways(False, False)
    return Ways(False, True) if isinstance(statement, ast.Return) else Ways(True, False)


def has(node: ast.AST, made: Sequence[ast.AST]) -> bool:
    return any(part is each for part in ast.walk(node) for each in made)
