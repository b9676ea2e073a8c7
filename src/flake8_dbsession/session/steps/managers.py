"""``with``: entering a context manager, and leaving it with an exception or without."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...flow.graph import Node, Via
from ...names import dotted
from ..functions.generated import begin_block, end_block
from ..functions.groups import of_block, tasks_of, wait_for_all
from ..moment import Moment
from ..state import FAILED, State, doubt_failed
from ..values import GENERATOR, MANAGER, NAMED, OBJECT, SESSION, UNKNOWN, Value
from ..waiting import wait_to_enter, wait_to_leave
from .blocks import doubt_found, entered, left, manager_of, release_attributes, release_given
from .common import Out, slot
from .entering import entered_object, lent_by, rolls_back, wait_at_the_end
from .exceptions import takes
from .handlers import swallowed

if TYPE_CHECKING:
    from ..transfer import Transfer

_SUPPRESS = "contextlib.suppress"


def enter(transfer: Transfer, node: Node, state: State) -> Out:
    """A manager is made and entered; it stands in the slot of the block until that is left."""
    item = node.syntax
    assert isinstance(item, ast.withitem)
    ev = transfer.evaluation(state)
    if isinstance(node.statement, ast.AsyncWith):
        ev.awaited = item.context_expr
    value = manager_of(ev.value(item.context_expr), item.context_expr)
    bound = entered(ev, value, item.context_expr)
    if bound == UNKNOWN and value == UNKNOWN:
        bound = ev.by_its_use(item.optional_vars)
        if bound.kind == SESSION:
            value = Value(MANAGER, resource=bound.resource, extra=("borrowed", True, True))
    if value.kind == OBJECT:
        value, bound = entered_object(ev, value, item.context_expr, isinstance(node.statement, ast.AsyncWith))
    if value.kind == OBJECT:
        bound = lent_by(ev, value, isinstance(node.statement, ast.AsyncWith)) or bound
        bound = wait_to_enter(ev, value, item.context_expr, isinstance(node.statement, ast.AsyncWith)) or bound
        bound = of_block(ev, value, bound, slot(item.context_expr))
    if item.optional_vars is not None:
        ev.bind(item.optional_vars, bound)
    if value.kind == "generated":
        ev.now.names[f"{slot(item.context_expr)} end"] = begin_block(ev, value, item.context_expr)
    ev.now.names[slot(item.context_expr)] = value
    yield from transfer.outcome(ev, Via.NEXT)


def leave(transfer: Transfer, node: Node, state: State) -> Out:
    """The block ends without an exception."""
    yield Via.NEXT, behind(transfer, node, after_its_tasks(transfer, node, state))


def after_its_tasks(transfer: Transfer, node: Node, state: State) -> State:
    """The state in which the tasks of a group have ended, or the threads of a pool."""
    item = node.syntax
    assert isinstance(item, ast.withitem)
    manager = state.names.get(slot(item.context_expr), UNKNOWN)
    is_group = tasks_of(slot(item.context_expr)) in state.names
    if not is_group and manager.kind != OBJECT:
        return state
    ev = transfer.evaluation(state)
    if is_group:
        wait_for_all(ev, slot(item.context_expr), item.context_expr)
    else:
        wait_to_leave(ev, manager, item.context_expr)
        wait_at_the_end(ev, manager, item, isinstance(node.statement, ast.AsyncWith))
    return ev.now.state()


def abort(transfer: Transfer, node: Node, state: State) -> Out:
    """The block ends with an exception, which ``contextlib.suppress`` may keep."""
    item = node.syntax
    assert isinstance(item, ast.withitem)
    value = state.names.get(slot(item.context_expr), UNKNOWN)
    after = behind(transfer, node, where_it_rolls_back(transfer, node, value, state))
    call = item.context_expr
    if value.kind in (OBJECT, NAMED) and value.name == _SUPPRESS and isinstance(call, ast.Call):
        enters, passes = takes(call.args, after.raising)
        if enters:
            yield Via.SWALLOW, swallowed(after, item.context_expr)
        if not passes:
            return
    yield Via.RAISE, after


def where_it_rolls_back(transfer: Transfer, node: Node, manager: Value, state: State) -> State:
    """The state after what an object of the project rolls back as its block fails, whatever that is."""
    if manager.kind != OBJECT or not any(life.phases & FAILED for life in state.lives.values()):
        return state
    ev = transfer.evaluation(state)
    if not rolls_back(ev, manager, isinstance(node.statement, ast.AsyncWith)):
        return state
    doubt_failed(ev.now.lives)
    return ev.now.state()


def names_of(item: ast.withitem) -> Iterator[str]:
    """What an object over which a block stands is called in it: ``with self.work(saves=True) as work:`` is over
    ``work``, and over ``self.work`` where that gives itself."""
    over = item.context_expr
    for each in (item.optional_vars, over.func if isinstance(over, ast.Call) else over):
        name = dotted(each) if each is not None else None
        if name is not None:
            yield name


def behind(transfer: Transfer, node: Node, state: State) -> State:
    """The state in which a block is left."""
    item = node.syntax
    assert isinstance(item, ast.withitem)
    now = Moment(state, transfer.events, transfer.world)
    value = now.names.pop(slot(item.context_expr), UNKNOWN)
    left(now, value, item.context_expr, bool(state.raising))
    if value.kind == OBJECT:
        for name in names_of(item):
            release_attributes(now, name)
    if node.statement is not None:
        doubt_found(now, node.statement, value.kind in (MANAGER, GENERATOR))
    if value == UNKNOWN and isinstance(item.optional_vars, ast.Name) and node.statement is not None:
        release_given(now, node.statement, item.optional_vars.id)
    now.names.pop(tasks_of(slot(item.context_expr)), None)
    end_block(now, now.names.pop(f"{slot(item.context_expr)} end", UNKNOWN))
    transfer.scope.take_own(now.own)
    return now.state()
