"""Blocks that a lock keeps others out of, by what the lock is called."""

from __future__ import annotations

import ast

from .body import Body

_WORDS = ("lock", "mutex")


def is_called_like_a_lock(expression: ast.expr) -> bool:
    """``self.db_lock``, ``MUTEX``."""
    name = expression.attr if isinstance(expression, ast.Attribute) else ""
    name = expression.id if isinstance(expression, ast.Name) else name
    return any(word in name.lower() for word in _WORDS)


def alone_with(body: Body) -> frozenset[ast.AST]:
    """What of a method nobody else does at the same time with the same object: what stands in a block over a lock of
    the object's, and what is only asked to be there, ``if not self.session: return``."""
    blocks = [block for block in body.own(ast.With, ast.AsyncWith) if any(is_own_lock(body, i) for i in block.items)]
    inside = [part for block in blocks for statement in block.body for part in ast.walk(statement)]
    tests = [each.test for each in body.own(ast.If, ast.IfExp)]
    return frozenset((*inside, *filter(None, map(only_asked, tests))))


def is_own_lock(body: Body, item: ast.withitem) -> bool:
    """``with self.lock:``."""
    lock = item.context_expr
    is_own = isinstance(lock, ast.Attribute) and isinstance(lock.value, ast.Name) and lock.value.id == body.me
    return is_own and is_called_like_a_lock(lock)


def only_asked(test: ast.expr) -> ast.expr | None:
    """What a condition asks to be there, and nothing else of: ``not self.session``, ``self.session is None``."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=asked):
            return asked
        case ast.Compare(left=asked, ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return asked
    return test if isinstance(test, (ast.Attribute, ast.Name)) else None
