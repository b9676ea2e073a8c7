"""Whether a function does anything about what another one answers, which may tell of a failure."""

from __future__ import annotations

import ast

from ..body import Body


def goes_on_anyway(body: Body, call: ast.AST) -> bool:
    """Whether the function goes the same way whatever the call answers.

    ``save(session, name)`` as a statement of its own, ``saved += save(session, name)``, and ``if save(session, name):``
    around nothing that does more than to count or to write down.
    """
    statements = body.own(ast.Expr, ast.AugAssign)
    if any(asked(statement.value) is call for statement in statements):
        return True
    return any(only_counts(each) for each in body.own(ast.If) if asked(each.test) is call)


def asked(value: ast.expr) -> ast.expr:
    """``save()`` in ``await save()`` and ``not save()``."""
    while isinstance(value, ast.Await) or (isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)):
        value = value.value if isinstance(value, ast.Await) else value.operand
    return value


def only_counts(choice: ast.If) -> bool:
    """Whether both branches do no more than ``saved += 1`` or ``failed.append(name)``."""
    return all(is_counting(statement) for statement in (*choice.body, *choice.orelse))


def is_counting(statement: ast.stmt) -> bool:
    match statement:
        case ast.AugAssign(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="append"), args=[given])):
            return not any(isinstance(part, (ast.Await, ast.Call)) for part in ast.walk(given))
    return False
