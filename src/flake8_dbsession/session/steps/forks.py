"""A simple statement, followed apart for each of its outcomes where it has two."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...flow.graph import Node, Via
from ..expressions.refine import FALSE_NODE, TRUE_NODE, assume, is_flag_of_missing, take_as_missing
from ..state import State
from ..values import truth
from .common import Out
from .simple import carry_out

if TYPE_CHECKING:
    from ..transfer import Transfer


def statement(transfer: Transfer, node: Node, state: State) -> Out:
    """``x = …``, ``return …``, ``def …``: all that holds no other statements."""
    syntax = node.syntax
    both = fork(transfer, syntax, state)
    if both is not None:
        return both
    ev = transfer.evaluation(state)
    carry_out(ev, syntax)
    return transfer.outcome(ev, Via.NEXT)


def fork(transfer: Transfer, statement: ast.AST | None, state: State) -> Out | None:
    """``x = a if t else b`` and ``x = a or b``: both outcomes are followed apart."""
    value = statement.value if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Return)) else None
    if isinstance(value, ast.IfExp):
        return forked(transfer, statement, state, value.test, value.body, value.orelse)
    if isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or) and len(value.values) == 2:
        left, right = value.values
        if isinstance(left, (ast.Name, ast.Attribute)):
            return forked(transfer, statement, state, left, left, right)
    if isinstance(statement, ast.Assign) and is_flag_of_missing(transfer.body, state, statement):
        return flagged(transfer, statement, state)
    return None


def flagged(transfer: Transfer, statement: ast.Assign, state: State) -> Out:
    """``own = session is None``: from here on the flag and the parameter agree, whatever tests them."""
    for wanted in (True, False):
        ev = transfer.evaluation(state)
        if take_as_missing(ev, statement.value, wanted):
            carry_out(ev, statement, TRUE_NODE if wanted else FALSE_NODE)
            yield from transfer.outcome(ev, Via.NEXT)


def forked(
    transfer: Transfer, statement: ast.AST | None, state: State, test: ast.expr, yes: ast.expr, no: ast.expr
) -> Out:
    """One state for each outcome of a test that may come about, with what is chosen then."""
    for chosen, wanted in ((yes, True), (no, False)):
        ev = transfer.evaluation(state)
        known = truth(ev.value(test))
        if known is (not wanted) or not assume(ev, test, wanted):
            continue
        carry_out(ev, statement, chosen)
        yield from transfer.outcome(ev, Via.NEXT)
