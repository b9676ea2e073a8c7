"""Functions that the standard library calls for each item: ``map(work, rows)``, ``sorted(rows, key=work)``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..functions.coroutines import coroutines_in
from ..values import FUNCTION, METHOD, PARTIAL, TUPLE, UNKNOWN, Value
from .call import Call

if TYPE_CHECKING:
    from .evaluate import Evaluation

APPLIED = "applied"
"""The kind of ``map(work, rows)``, which calls nothing before it is gone through; ``extra`` holds the expression
that is called, its value, and what is gone through."""
_CALLED = frozenset({FUNCTION, METHOD, PARTIAL})


def laid_by(call: Call) -> Value:
    """``map(work, rows)``: work to be done for whoever goes through it."""
    return Value(APPLIED, extra=(call.node.args[0], *call.positional))


def next_applied(ev: Evaluation, applied: Value, node: ast.expr) -> Value:
    """One item of ``map(work, rows)``: what the function makes of one row."""
    written, function, *iterated = applied.extra
    items = tuple(ev.item_of(each, node) for each in iterated)
    return apply(ev, function, written, items, node)


def made_by(item: Value) -> Value:
    """What is left of ``map(lambda row: work(session, row), rows)`` at its end: coroutines that nobody has awaited."""
    return Value(TUPLE, extra=(item,)) if any(True for _ in coroutines_in((item,))) else UNKNOWN


def sort_by_key(ev: Evaluation, call: Call, item: Value) -> None:
    """``sorted(rows, key=work)``."""
    key = call.keywords.get("key", UNKNOWN)
    written = next((word.value for word in call.node.keywords if word.arg == "key"), None)
    if key.kind in _CALLED and written is not None:
        apply(ev, key, written, (item,), call.node)


def apply(ev: Evaluation, function: Value, written: ast.expr, items: tuple[Value, ...], node: ast.expr) -> Value:
    """The function is called with one item of each."""
    from .calls import perform

    inner = ev.scope.inlined.setdefault(written, ast.copy_location(ast.Call(written, [], []), node))
    return perform(ev, function, Call(inner, items, {}), False)
