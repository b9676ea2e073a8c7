"""The fix of a close that some ways out pass by: it moves into a ``finally`` around what the method does before it."""

from __future__ import annotations

import ast

from ..questions.stored import asks_for
from ..session.flow import Flow
from ..session.values import Resource
from ..view import View
from .common import Answer, finally_around, how_safe, statement_of


def close_in_finally(view: View, flow: Flow, resource: Resource | None, close: ast.AST) -> Answer:
    """``self.session.close()`` at the end of a method, for every way out of it."""
    statement = statement_of(flow, close)
    block = flow.body.statements
    if statement is None or statement not in block or not isinstance(statement, ast.Expr):
        return None, "the close stands in a block of its own, so what it should end is not sure"
    if resource is None or asks_for(flow, resource.key.rpartition(".")[2]):
        return None, "the session may be missing where the close is passed by"
    work = block[: block.index(statement) + 1]
    cleanup = view.source.segment(view.span(statement.value))
    title = f"close {cleanup.rpartition('.')[0]!r} in a finally"
    plan, refusal = finally_around(view, work, cleanup, title, (view.span(statement),))
    safety, reason = how_safe(flow, resource)
    return (plan._replace(safety=safety, reason=reason) if plan is not None else None), refusal
