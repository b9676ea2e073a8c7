"""The fix of a session that has failed: it is rolled back where the failure is caught, or before it goes on."""

from __future__ import annotations

import ast

from ..fix.plans import InsertFirst, Step, WrapInExcept
from ..flow.graph import Kind
from ..model import Plan, Safety
from ..questions.asking import within
from ..session.events import Happening
from ..session.flow import Flow
from ..session.state import CHANGED, FAILED, TOUCHED, WRITTEN, State
from ..session.steps.exceptions import accepts, is_for_database
from ..session.values import OPENED, TRANSACTION, Resource
from ..view import View
from .common import Answer, statement_of
from .spelling import Spelled, spelled

_EARLIER = "what was changed before is lost with the failure, and the rest would be saved without it"
_SAVEPOINT = "it ends the whole transaction, where the rollback of the savepoint may do"
_FIRST = (Kind.STATEMENT, Kind.TEST, Kind.ITERATE, Kind.ENTER, Kind.SUBJECT)


def roll_back_in(
    view: View, flow: Flow, handler: ast.AST, resources: tuple[Resource, ...], raised: tuple[Resource, ...] = ()
) -> Answer:
    """``rollback()`` of each of the sessions first in the handler.

    The sessions of ``raised`` are left failed as well where an exception passes the handler by: they are rolled back
    there too, so that the function is mended as a whole.
    """
    if not isinstance(handler, ast.ExceptHandler):
        return None, "there is no except to roll back in"
    steps: list[Step] = []
    for resource in resources:
        written = spelled(view, flow, resource)
        if written is None:
            return None, "the session has no name here"
        only_if = inactive(written) if may_lose_changes(flow, handler, resource) else ""
        steps += [InsertFirst(view.span(handler), rollback(written, resource), only_if), *written.steps]
    title = "roll back first where the session has failed" if only_if else "roll back first"
    for resource in raised:
        plan, _ = roll_back_where_raised(view, flow, resource)
        steps += plan.steps if plan is not None else ()
    reason = next((why for each in resources if (why := loss(flow, handler, each))), "")
    safety = Safety.UNSAFE if reason else Safety.SAFE
    return Plan(title, safety, tuple(dict.fromkeys(steps)), reason), ""


def loss(flow: Flow, handler: ast.ExceptHandler, resource: Resource) -> str:
    """What the rollback may lose; "" for nothing that is not lost already."""
    if has_savepoint(flow, handler, resource):
        return _SAVEPOINT
    return _EARLIER if is_changed_before(flow, handler, resource) else ""


def roll_back_where_raised(view: View, flow: Flow, resource: Resource) -> Answer:
    """Where a commit fails, the session is rolled back, and the exception goes on as before."""
    written = spelled(view, flow, resource)
    if written is None:
        return None, "the session has no name here"
    commits = [event.node for event in flow.events(Happening.COMMITTED) if event.resource == resource]
    places = dict.fromkeys(place_of(flow, commit) for commit in commits)
    if any(place is None for place in places):
        return None, "nothing can be caught there, or something is caught already and raised again"
    call = rollback(written, resource)
    steps = [
        WrapInExcept(view.span(place), view.span(place), call, inactive(written) if isinstance(place, ast.Try) else "")
        for place in places
        if place is not None
    ]
    return Plan("roll back where the commit fails", Safety.SAFE, (*steps, *written.steps)), ""


def rollback(written: Spelled, resource: Resource) -> str:
    return f"{'await ' if resource.is_async else ''}{written.text}.rollback()"


def inactive(written: Spelled) -> str:
    return f"not {written.text}.is_active"


def place_of(flow: Flow, commit: ast.AST) -> ast.stmt | None:
    """The innermost ``try`` that catches for a commit, or its statement; None where nothing can be caught there."""
    statement = statement_of(flow, commit)
    catching = [each for each in flow.body.own(ast.Try) if each.handlers]
    around = [each for each in catching if any(within(part, commit) for part in each.body)]
    if not around:
        return statement if isinstance(statement, (ast.Expr, ast.Return, ast.Assign)) else None
    return None if any(accepts_all(handler) for handler in around[-1].handlers) else around[-1]


def accepts_all(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or ast.unparse(handler.type) in ("Exception", "BaseException")


def has_savepoint(flow: Flow, handler: ast.ExceptHandler, resource: Resource) -> bool:
    """Whether a nested transaction of the session has a name in the function."""
    states = (s for node in flow.nodes(Kind.CATCH) if node.syntax is handler for s in flow.at(node))
    values = (value for state in states for value in state.names.values())
    return any(v.kind == TRANSACTION and v.name == "nested" and v.resource == resource for v in values)


def is_changed_before(flow: Flow, handler: ast.ExceptHandler, resource: Resource) -> bool:
    """Whether the transaction may have changes already when control comes to the ``try``, if it has not failed."""
    first = next(attempt.body[0] for attempt in flow.body.own(ast.Try) if handler in attempt.handlers)
    while isinstance(first, ast.Try):
        first = first.body[0]
    entering = (state for node in flow.nodes(*_FIRST) if node.line == first.lineno for state in flow.at(node))
    lives = (state.lives[resource] for state in entering if resource in state.lives)
    return any(life.marks & (WRITTEN | CHANGED | TOUCHED) and life.phases & ~FAILED for life in lives)


def may_lose_changes(flow: Flow, handler: ast.ExceptHandler, resource: Resource) -> bool:
    """Whether the handler may catch something else than a failure of the session, while changes wait for a commit."""
    arriving = [s for node in flow.nodes(Kind.CATCH) if node.syntax is handler for s in flow.at(node)]
    if any(is_of_another(s, resource) for s in arriving):
        return True
    if is_for_database(handler):
        return False
    others = [s for s in arriving if s.raising != "db" and accepts(handler, s.raising, flow.transfer.evaluation(s))[0]]
    waiting = any(s.lives[resource].marks & (WRITTEN | CHANGED) for s in others if resource in s.lives)
    return waiting or (bool(others) and resource.origin != OPENED)


def is_of_another(state: State, resource: Resource) -> bool:
    """Whether it is another session that has failed, while changes of this one wait for a commit."""
    life = state.lives.get(resource)
    waits = life is not None and not life.phases & FAILED and bool(life.marks & (WRITTEN | CHANGED))
    return waits and any(other.phases & FAILED for other in state.lives.values())
