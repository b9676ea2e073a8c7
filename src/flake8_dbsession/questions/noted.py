"""What a function does only once, since it notes outside of itself that it is done."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..session.body import Body

_NOTES = frozenset({"add", "append", "update", "setdefault"})


def is_done_once(body: Body, made: ast.AST) -> bool:
    """Whether a condition before something, or around it, asks for what the function notes: ``if shop in ready:
    return`` and ``ready.add(shop)``, or ``if _ready: return`` and ``_ready = True`` of a global."""
    notes = set(noted(body)) - body.local_names
    line: int = made.lineno  # type: ignore[attr-defined]
    tests = (check.test for check in body.own(ast.If) if check.lineno < line)
    return any(isinstance(part, ast.Name) and part.id in notes for test in tests for part in ast.walk(test))


def noted(body: Body) -> Iterator[str]:
    """The names that the function sets, and those of the collections that it puts something into."""
    for target, _ in body.assigned():
        yield from names_in(target.value if isinstance(target, ast.Subscript) else target)
    for call in body.own(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in _NOTES:
            yield from names_in(call.func.value)


def names_in(expression: ast.expr) -> Iterator[str]:
    if isinstance(expression, ast.Name):
        yield expression.id
