"""``except``: which exceptions a handler catches, and what that leaves of a session which failed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...flow.graph import Node, Via
from ..liveness import CAUGHT
from ..state import BROKEN, COMMITTED, FAILED, IDLE, SWALLOWED, TOLD, Life, State
from ..values import Value
from .common import Out
from .exceptions import accepts, expects

if TYPE_CHECKING:
    from ..transfer import Transfer


def catch(transfer: Transfer, node: Node, state: State) -> Out:
    """Into the body of an ``except``, and on to the next one, as far as the exception may go either way."""
    handler = node.syntax
    assert isinstance(handler, ast.ExceptHandler)
    enters, passes = accepts(handler, state.raising, transfer.evaluation(state))
    if enters:
        left = rolled_back(transfer, state)
        inside = swallowed(left, handler) if expects(handler, state.raising) else left
        names = {**inside.names, CAUGHT: Value("caught", state.raising, extra=(handler.name,))}
        yield Via.TRUE, State(names, inside.lives, "", inside.result, inside.steps)
    if passes:
        yield Via.FALSE, state


def rolled_back(transfer: Transfer, state: State) -> State:
    """The same where the project's own sessions roll back by themselves as a commit of theirs fails."""
    failed = {r: life for r, life in state.lives.items() if life.phases & FAILED and life.marks & COMMITTED}
    if not failed or not transfer.world.rolls_back(transfer.body.module):
        return state
    lives = {r: Life(life.phases & ~FAILED | IDLE, life.marks & ~COMMITTED) for r, life in failed.items()}
    return State(state.names, {**state.lives, **lives}, state.raising, state.result, state.steps)


def swallowed(state: State, handler: ast.AST | None = None) -> State:
    """The exception is caught: a session that failed is marked as failed and carried on; so is a broken transaction."""
    new = {r for r, life in state.lives.items() if life.phases & FAILED and not life.marks & (SWALLOWED | TOLD)}
    lives = {r: Life(life.phases, life.marks | SWALLOWED) if r in new else life for r, life in state.lives.items()}
    broken = {r for r, life in lives.items() if life.marks & BROKEN and ("caught", r) not in state.steps}
    failed = {("caught", r): handler for r in new | broken}
    return State(state.names, lives, "", state.result, {**state.steps, **failed})
