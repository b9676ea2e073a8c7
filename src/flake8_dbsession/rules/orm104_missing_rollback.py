"""Roll back after a failed flush or commit before the session goes on

What it does
    Reports an ``except`` that catches a failed flush or commit and lets the session go on without ``rollback()``: in
    the next turn of a loop, after the ``try``, in the caller that lent it and is told nothing, or in a session that
    others go on with (an attribute, a global).

Why it matters
    A flush or commit that raises keeps the connection checked out and leaves the session unusable: every later
    statement raises ``PendingRollbackError`` until ``rollback()`` or ``close()`` (measured on 1.4, 2.0 and 2.1).

Stays silent when
    The handler rolls back, closes, removes or raises; when only lookups or foreign exceptions can arrive; when a
    request ends there and the framework discards the session.

Fix safety
    Safe: ``rollback()`` becomes the first statement of the handler; the transaction is lost already. Where the handler
    may catch something else as well, while changes wait for their commit, it stands under ``if not
    session.is_active:``, which is true after a failed flush or commit only. A commit that leaves a session of all
    others failed gets an ``except`` that rolls back and raises again. Unsafe where the transaction has changes from
    before the ``try``, without which the rest would be saved, and where there is a savepoint.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..fix.plans import InsertFirst, WrapInExcept
from ..flow.graph import Kind
from ..mending.common import Answer, statement_of
from ..mending.spelling import spelled
from ..model import Diagnostic, Note, Plan, Rule, Safety
from ..questions.asking import is_out_of_scope, within
from ..questions.going_on import goes_on_elsewhere
from ..session.events import Event, Happening, Swallowed
from ..session.exceptions import accepts, is_for_database
from ..session.flow import Flow, is_mute
from ..session.state import CHANGED, FAILED, WRITTEN
from ..session.values import AMBIENT, ATTRIBUTE, OPENED, PARAMETER, TRANSACTION, Resource
from ..story import name_of
from ..view import View

Failure = tuple[Flow, Resource, ast.AST | None]
"""In which function, of which session, and what uses it next, if anything here."""

_EARLIER = "what was changed before is lost with the failure, and the rest would be saved without it"
_SAVEPOINT = "it ends the whole transaction, where the rollback of the savepoint may do"

_FIRST = (Kind.STATEMENT, Kind.TEST, Kind.ITERATE, Kind.ENTER, Kind.SUBJECT)


def check(view: View) -> Iterator[Diagnostic]:
    reported: set[ast.AST] = set()
    for flow in view.flows:
        if is_out_of_scope(view, flow):
            continue
        found = failures(view, flow)
        for handler, (owner, resource, use) in found.items():
            if handler not in reported:
                reported.add(handler)
                yield report(view, owner, handler, resource, use)
        for handler, resource in lent(flow):
            note = goes_on_elsewhere(view, flow, handler) if handler not in reported else None
            if note is not None:
                reported.add(handler)
                yield report(view, flow, handler, resource, None, note)
        for commit, resource in dict(raised_failed(flow)).items() if not found else ():
            message = f"session {name_of(flow, resource)!r}, which others go on with, is left failed when this raises"
            plan, refusal = guard(view, flow, resource)
            yield view.diagnostic(RULE, commit, message, (), plan, refusal, flow.body)


def failures(view: View, flow: Flow) -> dict[ast.AST, Failure]:
    """Each handler (or ``suppress(…)``) that swallows a failure."""
    found: dict[ast.AST, Failure] = {}
    for event in flow.events(Happening.FAILED_USED):
        if isinstance(event.detail, Swallowed):
            handler, failure = inside(view, flow, event)
            found.setdefault(handler, failure)
        elif isinstance(event.detail, ast.AST) and event.resource is not None:
            found.setdefault(event.detail, (flow, event.resource, event.node))
    for resource, handler in flow.left_failed():
        if goes_on(flow, resource):
            found.setdefault(handler, (flow, resource, None))
    return found


def lent(flow: Flow) -> Iterator[tuple[ast.AST, Resource]]:
    """The handlers that leave a session of the caller failed, who is told nothing of it."""
    for resource, handler in flow.left_failed() if is_mute(flow.body) else ():
        if resource.origin == PARAMETER:
            yield handler, resource


def inside(view: View, flow: Flow, event: Event) -> tuple[ast.AST, Failure]:
    """A failure that a called function has swallowed: its handler where that is in this file, else the call."""
    swallowed: Swallowed = event.detail
    for other in view.flows:
        if any(handler is swallowed.handler for handler in other.body.own(ast.ExceptHandler)):
            return swallowed.handler, (other, swallowed.session, event.node)
    return swallowed.call, (flow, event.resource or swallowed.session, event.node)


def raised_failed(flow: Flow) -> Iterator[tuple[ast.AST, Resource]]:
    """The flush or commit that leaves a session of the whole process failed when its exception goes on."""
    for state in flow.raised:
        for resource, life in state.lives.items():
            is_global = resource.origin == ATTRIBUTE and not resource.is_of_an_object
            commits = [e.node for e in flow.events(Happening.COMMITTED) if e.resource == resource]
            if is_global and life.phases == FAILED and state.raising == "db" and commits:
                yield commits[-1], resource


def goes_on(flow: Flow, resource: Resource) -> bool:
    """Whether somebody else uses the session after the function: an attribute or a global."""
    is_ours = resource.origin == ATTRIBUTE and not resource.key.startswith(".")
    kept = is_ours or (resource.origin == AMBIENT and ":" in resource.key)
    return kept and not flow.body.name.endswith("__exit__") and not flow.body.name.endswith("__init__")


def report(
    view: View, flow: Flow, handler: ast.AST, resource: Resource, use: ast.AST | None, elsewhere: Note | None = None
) -> Diagnostic:
    name = name_of(flow, resource)
    subject = f"session {name!r}" if name else "the session"
    after = "used again" if use is not None else "left to others"
    notes = [view.note("it is used here, and raises PendingRollbackError", use)] if use is not None else []
    notes += [elsewhere] if elsewhere is not None else []
    plan, refusal = repair(view, flow, handler, resource)
    message = f"{subject} is {after} after a failed flush or commit without rollback()"
    return view.diagnostic(RULE, handler, message, notes, plan, refusal, flow.body)


def repair(view: View, flow: Flow, handler: ast.AST, resource: Resource) -> Answer:
    if not isinstance(handler, ast.ExceptHandler):
        return None, "there is no except to roll back in"
    written = spelled(view, flow, resource)
    if written is None:
        return None, "the session has no name here"
    call = f"{'await ' if resource.is_async else ''}{written.text}.rollback()"
    only_if = f"not {written.text}.is_active" if may_lose_changes(flow, handler, resource) else ""
    reason = _EARLIER if is_changed_before(flow, handler, resource) else ""
    reason = _SAVEPOINT if has_savepoint(flow, handler, resource) else reason
    safety = Safety.UNSAFE if reason else Safety.SAFE
    title = "roll back first where the session has failed" if only_if else "roll back first"
    return Plan(title, safety, (InsertFirst(view.span(handler), call, only_if), *written.steps), reason), ""


def guard(view: View, flow: Flow, resource: Resource) -> Answer:
    """Where a commit fails, the session is rolled back, and the exception goes on as before."""
    written = spelled(view, flow, resource)
    if written is None:
        return None, "the session has no name here"
    call = f"{'await ' if resource.is_async else ''}{written.text}.rollback()"
    commits = [event.node for event in flow.events(Happening.COMMITTED) if event.resource == resource]
    places = dict.fromkeys(place_of(flow, commit) for commit in commits)
    if any(place is None for place in places):
        return None, "nothing can be caught there, or something is caught already and raised again"
    only_if = f"not {written.text}.is_active"
    steps = [
        WrapInExcept(view.span(place), view.span(place), call, only_if if isinstance(place, ast.Try) else "")
        for place in places
        if place is not None
    ]
    return Plan("roll back where the commit fails", Safety.SAFE, (*steps, *written.steps)), ""


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
    return any(life.marks & (WRITTEN | CHANGED) and life.phases & ~FAILED for life in lives)


def may_lose_changes(flow: Flow, handler: ast.ExceptHandler, resource: Resource) -> bool:
    """Whether the handler may catch something else than a failure of the session, while changes wait for a commit."""
    if is_for_database(handler):
        return False
    arriving = (s for node in flow.nodes(Kind.CATCH) if node.syntax is handler for s in flow.at(node))
    others = [s for s in arriving if s.raising != "db" and accepts(handler, s.raising, flow.transfer.evaluation(s))[0]]
    waiting = any(s.lives[resource].marks & (WRITTEN | CHANGED) for s in others if resource in s.lives)
    return waiting or (bool(others) and resource.origin != OPENED)


RULE = Rule("ORM104", "missing-rollback", "failed session goes on without rollback", check)
