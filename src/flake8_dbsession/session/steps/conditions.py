"""Conditions, and the cases of ``match``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...flow.graph import Node, Via
from ..expressions.only_in_tests import made_for_tests
from ..expressions.refine import assume, is_left_to_others
from ..state import State
from ..values import UNKNOWN, truth
from .common import Out
from .reentering import is_for_inner_blocks

if TYPE_CHECKING:
    from ..transfer import Transfer


def decide(transfer: Transfer, node: Node, state: State) -> Out:
    """The condition of ``if``, ``while`` and ``assert``: each way on which it may go, with what that says of names."""
    condition = node.syntax
    assert isinstance(condition, ast.expr)
    ev = transfer.evaluation(state)
    if is_left_to_others(ev, condition) or is_for_inner_blocks(transfer.body, node.statement):
        yield Via.FALSE, state
        return
    transfer.scope.stand_in(made_for_tests(transfer.world.known.conventions, node.statement, condition))
    known = truth(ev.value(condition))
    if known is not False:
        taken = ev.fork()
        transfer.moments.append(taken.now)
        if assume(taken, condition, True):
            yield Via.TRUE, taken.now.state()
    if known is not True and assume(ev, condition, False):
        yield Via.FALSE, ev.now.state()
    for failed in ev.now.failed_states():
        yield Via.RAISE, failed


def subject(transfer: Transfer, node: Node, state: State) -> Out:
    """What ``match`` looks at."""
    ev = transfer.evaluation(state)
    ev.value(node.syntax.subject)  # type: ignore[union-attr]
    return transfer.outcome(ev, Via.NEXT)


def compare(transfer: Transfer, node: Node, state: State) -> Out:
    """One ``case``: its names are bound to nothing known where it fits."""
    case = node.syntax
    assert isinstance(case, ast.match_case)
    ev = transfer.evaluation(state)
    for part in ast.walk(case.pattern):
        name = getattr(part, "name", None) if isinstance(part, (ast.MatchAs, ast.MatchStar)) else None
        if name:
            ev.now.bind(name, UNKNOWN, constants=frozenset())
    yield Via.TRUE, ev.now.state()
    if not (isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None):
        yield Via.FALSE, state
