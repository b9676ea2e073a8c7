"""The special methods of the project's objects, which Python calls by itself: ``for page in pages``, ``pages[0]``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..expressions.call import Call
from ..values import FUNCTION, OBJECT, UNKNOWN, Value
from .arguments import told
from .effects import apply
from .formals import Formals, receiver_of
from .generated import generated, returned

if TYPE_CHECKING:
    from ..expressions.evaluate import Evaluation


def iterator_of(ev: Evaluation, value: Value, node: ast.expr, is_async: bool = False) -> Value:
    """What gives the items of something: the generator of an object's ``__iter__``, or that itself."""
    given = ask(ev, value, node, "__aiter__" if is_async else "__iter__")
    return given if given.kind == "generated" else value


def ask(ev: Evaluation, owner: Value, node: ast.expr, *names: str) -> Value:
    """Run the first of these special methods that the object has: the generator that it gives, UNKNOWN for none."""
    methods = (ev.world.attribute(owner, name) for name in names if owner.kind == OBJECT)
    method = next((each for each in methods if each.kind == FUNCTION), UNKNOWN)
    target = ev.world.target(method) if method != UNKNOWN else None
    if target is None or target.is_abstract:
        return UNKNOWN
    call = Call(ev.scope.inlined.setdefault(node, ast.copy_location(ast.Call(node, [], []), node)), (), {})
    if target.is_generator:
        return generated(method, call, ev.world.returned(method))
    formals = Formals(receiver_of(ev, method, call))
    summary = ev.world.summary(method, told(ev, target, method, call, formals))
    if summary is None:
        return UNKNOWN
    apply(ev, summary, formals, node, method, target.path)
    is_generator = summary.returns.kind == "generated" and len(summary.returns.extra) > 1
    return returned(summary.returns, formals, call) if is_generator else UNKNOWN
