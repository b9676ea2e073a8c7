"""Roll back after a failed flush or commit before the session goes on

What it does
    Reports an ``except`` that catches a failed flush or commit and lets the session go on without ``rollback()``: in
    the next turn of a loop, after the ``try``, or in a session that others go on with (an attribute, a global).

Why it matters
    A flush or commit that raises keeps the connection checked out and leaves the session unusable: every later
    statement raises ``PendingRollbackError`` until ``rollback()`` or ``close()`` (measured on 1.4, 2.0 and 2.1).

Stays silent when
    The handler rolls back, closes, removes or raises; when only lookups or foreign exceptions can arrive; when a
    request ends there and the framework discards the session.

Fix safety
    Safe: ``rollback()`` becomes the first statement of the handler; the transaction is lost already. Unsafe where the
    handler may catch something else as well, while changes wait for their commit, and where there is a savepoint.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..fix.plans import InsertFirst
from ..flow.graph import Kind
from ..mending import Answer
from ..model import Diagnostic, Plan, Rule, Safety
from ..reports import is_out_of_scope
from ..session.events import Happening
from ..session.exceptions import accepts, is_for_database
from ..session.flow import Flow
from ..session.state import CHANGED, FAILED, SWALLOWED, WRITTEN
from ..session.values import AMBIENT, ATTRIBUTE, OPENED, TRANSACTION, Resource
from ..spelling import spelled
from ..story import name_of
from ..view import View

_OTHERS = "where something else has failed, changes that wait for a commit are lost"
_SAVEPOINT = "it ends the whole transaction, where the rollback of the savepoint may do"


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if is_out_of_scope(view, flow):
            continue
        found = failures(view, flow)
        for handler, (resource, use) in found.items():
            yield report(view, flow, handler, resource, use)
        for commit, resource in dict(raised_failed(flow)).items() if not found else ():
            message = f"session {name_of(flow, resource)!r}, which others go on with, is left failed when this raises"
            yield view.diagnostic(RULE, commit, message, (), None, "the commit is not inside a try", flow.body)


def failures(view: View, flow: Flow) -> dict[ast.AST, tuple[Resource, ast.AST | None]]:
    """Each handler (or ``suppress(…)``) that swallows a failure, with the session and what uses it next, if any."""
    found: dict[ast.AST, tuple[Resource, ast.AST | None]] = {}
    for event in flow.events(Happening.FAILED_USED):
        if isinstance(event.detail, ast.AST) and event.resource is not None:
            found.setdefault(event.detail, (event.resource, event.node))
    for handler, resource in left_failed(flow):
        if goes_on(view, flow, resource):
            found.setdefault(handler, (resource, None))
    return found


def raised_failed(flow: Flow) -> Iterator[tuple[ast.AST, Resource]]:
    """The flush or commit that leaves a session of the whole process failed when its exception goes on."""
    for state in flow.raised:
        for resource, life in state.lives.items():
            is_global = resource.origin == ATTRIBUTE and not resource.key.startswith("self.")
            commits = [e.node for e in flow.events(Happening.COMMITTED) if e.resource == resource]
            if is_global and life.phases == FAILED and state.raising == "db" and commits:
                yield commits[-1], resource


def left_failed(flow: Flow) -> Iterator[tuple[ast.AST, Resource]]:
    for state in flow.returned:
        for resource, life in state.lives.items():
            handler = state.steps.get(("caught", resource))
            if life.phases & FAILED and life.marks & SWALLOWED and isinstance(handler, ast.AST):
                yield handler, resource


def goes_on(view: View, flow: Flow, resource: Resource) -> bool:
    """Whether somebody else uses the session after the function: an attribute or a global."""
    kept = resource.origin == ATTRIBUTE or (resource.origin == AMBIENT and ":" in resource.key)
    return kept and not flow.body.name.endswith("__exit__") and not flow.body.name.endswith("__init__")


def report(view: View, flow: Flow, handler: ast.AST, resource: Resource, use: ast.AST | None) -> Diagnostic:
    name = name_of(flow, resource)
    subject = f"session {name!r}" if name else "the session"
    after = "used again" if use is not None else "left to others"
    notes = [view.note("it is used here, and raises PendingRollbackError", use)] if use is not None else []
    plan, refusal = repair(view, flow, handler, resource)
    message = f"{subject} is {after} after a failed flush or commit without rollback()"
    return view.diagnostic(RULE, handler, message, notes, plan, refusal, flow.body)


def repair(view: View, flow: Flow, handler: ast.AST, resource: Resource) -> Answer:
    if not isinstance(handler, ast.ExceptHandler):
        return None, "suppress() has no place for a rollback"
    written = spelled(view, flow, resource)
    if written is None:
        return None, "the session has no name here"
    call = f"{'await ' if resource.is_async else ''}{written.text}.rollback()"
    reason = _OTHERS if may_lose_changes(flow, handler, resource) else ""
    reason = _SAVEPOINT if has_savepoint(flow, handler, resource) else reason
    safety = Safety.UNSAFE if reason else Safety.SAFE
    return Plan("roll back first", safety, (InsertFirst(view.span(handler), call), *written.steps), reason), ""


def has_savepoint(flow: Flow, handler: ast.ExceptHandler, resource: Resource) -> bool:
    """Whether a nested transaction of the session has a name in the function."""
    states = (s for node in flow.nodes(Kind.CATCH) if node.syntax is handler for s in flow.at(node))
    values = (value for state in states for value in state.names.values())
    return any(v.kind == TRANSACTION and v.name == "nested" and v.resource == resource for v in values)


def may_lose_changes(flow: Flow, handler: ast.ExceptHandler, resource: Resource) -> bool:
    """Whether the handler may catch something else than a failure of the session, while changes wait for a commit."""
    if is_for_database(handler):
        return False
    arriving = (s for node in flow.nodes(Kind.CATCH) if node.syntax is handler for s in flow.at(node))
    others = [s for s in arriving if s.raising != "db" and accepts(handler, s.raising, flow.transfer.evaluation(s))[0]]
    waiting = any(s.lives[resource].marks & (WRITTEN | CHANGED) for s in others if resource in s.lives)
    return waiting or (bool(others) and resource.origin != OPENED)


RULE = Rule("ORM104", "missing-rollback", "failed session goes on without rollback", check)
