"""Roll back after a failed flush or commit before the session goes on

What it does
    Reports an ``except`` that catches a failed flush or commit and lets the session go on without ``rollback()``:
    in the next turn of a loop, after the ``try``, in the caller that lent it and is told nothing, or drops the answer
    (``save(session, name)``) or counts it (``if save(session, name): saved += 1``), in a session that
    others go on with (an attribute, a global, one that a function has opened for the handlers in it), or that its
    dependency commits after the endpoint. Reading a row
    that was loaded before is going on, even in the message of the ``except`` itself: the failure has expired it.
    Also an ``except`` in an endless loop after which the next turn goes on in the transaction of a failed
    statement, and anywhere where the project's server is PostgreSQL one for errors of the database, or one around
    nothing but statements.

Why it matters
    A flush or commit that raises keeps the connection checked out and leaves the session unusable: every later
    statement raises ``PendingRollbackError`` until ``rollback()`` or ``close()`` (measured on 1.4, 2.0 and 2.1). A
    statement that fails because the server has closed the connection does the same ("Can't reconnect until invalid
    transaction is rolled back"), and on PostgreSQL every failed statement does: "current transaction is aborted"
    (measured on PostgreSQL and MariaDB).

Stays silent when
    The handler rolls back, closes, removes or raises, be it under ``isinstance(error, SQLAlchemyError)``, or a
    decorator or everybody who calls the function does so; when only lookups or foreign exceptions can arrive, such as
    those of a driver, which SQLAlchemy wraps; when nothing but a query can fail, and all sessions of the project are
    made with ``autoflush=False``; when a request ends there and the framework discards the session, or the ``finish()``
    or ``on_finish()`` of its handler closes it; when the project's own session class rolls back in its ``commit()``;
    where a module fails to be imported.

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
from typing import NamedTuple

from ..mending.rolling_back import roll_back_in, roll_back_where_raised
from ..model import Diagnostic, Note, Rule
from ..pool.judge import pool_of
from ..project.modules.module import ClassInfo
from ..project.runs.injection import providers
from ..questions.asking import is_out_of_scope, within
from ..questions.captured import is_kept_for_handlers
from ..questions.going_on import goes_on_elsewhere
from ..questions.lasting import is_one_shot
from ..questions.only_asking import executes, only_asks
from ..questions.rolling_back import is_closed_after_requests, is_rolled_back, is_rolled_back_around
from ..session.events import Event, Happening, Swallowed
from ..session.flow import Flow
from ..session.state import FAILED
from ..session.steps.exceptions import is_for_database, last_names, types_of
from ..session.values import AMBIENT, ATTRIBUTE, CONTEXT, PARAMETER, Resource
from ..story import name_of
from ..view import View

_AT_THE_END = ("finish", "on_finish")
_LOOPS = (ast.While, ast.For, ast.AsyncFor)
_BEFORE = "rollback() would undo what the transaction did before, too: a commit or a savepoint keeps that"
_FLUSHED = "the query flushes what waits to be saved: flush it inside of the try"


class Failure(NamedTuple):
    """In which function, of which sessions, and what uses the first of them next, if anything here."""

    flow: Flow
    resources: tuple[Resource, ...]
    use: ast.AST | None = None


def check(view: View) -> Iterator[Diagnostic]:
    reported: set[ast.AST] = set()
    for flow in view.flows:
        if is_out_of_scope(view, flow):
            continue
        found = failures(view, flow)
        for handler, failure in found.items():
            if handler not in reported:
                reported.add(handler)
                yield report(view, handler, failure)
        for handler, resource in lent(flow):
            note = goes_on_elsewhere(view, flow, handler) if handler not in reported else None
            if note is not None:
                reported.add(handler)
                yield report(view, handler, Failure(flow, (resource,)), note)
        for handler, event in broken(view, flow):
            if handler not in reported:
                reported.add(handler)
                yield report_broken(view, flow, handler, event)
        left = dict(raised_failed(view, flow)) if not found and flow.body.node is not None else {}
        for commit, resource in left.items() if left and not is_one_shot(view) else ():
            if is_rolled_back_around(view, flow.body, resource) or is_closed_after_requests(view, resource):
                continue
            message = f"session {name_of(flow, resource)!r}, which others go on with, is left failed when this raises"
            is_commit = any(event.node is commit for event in flow.events(Happening.COMMITTED))
            plan, refusal = roll_back_where_raised(view, flow, resource) if is_commit else (None, _FLUSHED)
            yield view.diagnostic(RULE, commit, message, (), plan, refusal, flow.body)


def failures(view: View, flow: Flow) -> dict[ast.AST, Failure]:
    """Each handler (or ``suppress(…)``) that swallows a failure."""
    found: dict[ast.AST, Failure] = {}
    for event in flow.events(Happening.FAILED_USED):
        if isinstance(event.detail, Swallowed):
            add(found, *inside(view, flow, event))
        elif isinstance(event.detail, ast.AST) and event.resource is not None:
            add(found, event.detail, Failure(flow, (event.resource,), event.node))
    for resource, handler in flow.left_failed():
        is_left = goes_on(flow, resource) and not ends_with_its_request(view, flow, resource)
        is_left = is_left or is_kept_for_handlers(view, flow, resource)
        if is_left or is_committed_afterwards(view, flow, resource):
            add(found, handler, Failure(flow, (resource,)))
    return found


def add(found: dict[ast.AST, Failure], handler: ast.AST, failure: Failure) -> None:
    """One report for a handler, however many sessions it leaves failed."""
    known = found.get(handler, failure)
    new = tuple(resource for resource in failure.resources if resource not in known.resources)
    found[handler] = known._replace(resources=known.resources + new) if known.flow is failure.flow else known


def lent(flow: Flow) -> Iterator[tuple[ast.AST, Resource]]:
    """The handlers that leave a session of the caller failed, who need not hear of it."""
    for resource, handler in flow.left_failed():
        if resource.origin == PARAMETER:
            yield handler, resource


def inside(view: View, flow: Flow, event: Event) -> tuple[ast.AST, Failure]:
    """A failure that a called function has swallowed: its handler where that is in this file, else the call."""
    swallowed: Swallowed = event.detail
    for other in view.flows:
        if any(handler is swallowed.handler for handler in other.body.own(ast.ExceptHandler)):
            own = [resource for resource, handler in other.left_failed() if handler is swallowed.handler]
            return swallowed.handler, Failure(other, (*own[:1], swallowed.session)[:1], event.node)
    return swallowed.call, Failure(flow, (event.resource or swallowed.session,), event.node)


def raised_failed(view: View, flow: Flow) -> Iterator[tuple[ast.AST, Resource]]:
    """The flush or commit that leaves a session of the whole process failed when its exception goes on; where all of
    them are rolled back, the query before which the session flushes by itself."""
    for state in flow.raised:
        for resource, life in state.lives.items():
            is_global = resource.origin == ATTRIBUTE and resource.flavour != CONTEXT and not resource.is_of_an_object
            if is_global and life.phases == FAILED and state.raising == "db":
                yield from ((node, resource) for node in uncaught(view, flow, resource)[-1:])


def uncaught(view: View, flow: Flow, resource: Resource) -> list[ast.AST]:
    """The commits of a session, or else its queries, whose failure no ``try`` around them rolls back."""
    for kind in (Happening.COMMITTED, Happening.QUERIED):
        nodes = [e.node for e in flow.events(kind) if e.resource == resource]
        left = [node for node in nodes if not is_rolled_back(view, (view.module, flow.body, node), resource)]
        if left or not nodes:
            return left
    return []


def broken(view: View, flow: Flow) -> Iterator[tuple[ast.ExceptHandler, Event]]:
    """Each handler after which the session goes on in the transaction of a failed statement, with what is run next."""
    for event in flow.events(Happening.BROKEN_USED):
        handler, resource = event.detail, event.resource
        if isinstance(handler, ast.ExceptHandler) and resource is not None:
            around = [each for each in flow.body.own(*_LOOPS) if within(each, handler) and within(each, event.node)]
            is_endless = any(isinstance(loop, ast.While) for loop in around)
            is_meant = is_for_statements(flow, handler, resource) or only_asks(flow, handler, resource)
            if is_endless or (is_meant and is_on_postgresql(view)):
                yield handler, event


def is_for_statements(flow: Flow, handler: ast.ExceptHandler, resource: Resource) -> bool:
    """Whether the handler is for errors of the database, and a statement can be their cause.

    What violates a constraint is no query, so by itself it tells of the flush or commit, after which others look.
    """
    is_of_writing = last_names(types_of(handler)) == {"IntegrityError"}
    return is_for_database(handler) and (not is_of_writing or executes(flow, handler, resource))


def is_on_postgresql(view: View) -> bool:
    """Whether all that the project says of its server is that it is PostgreSQL."""
    pool = pool_of(view)
    return pool.survey.server_url(pool.path).dialect == "postgresql"


def report_broken(view: View, flow: Flow, handler: ast.ExceptHandler, event: Event) -> Diagnostic:
    name = name_of(flow, event.resource) if event.resource is not None else ""
    subject = f"session {name!r}" if name else "the session"
    message = f"{subject} goes on in the transaction of a failed statement without rollback()"
    notes = [view.note("it is used here, and raises until somebody rolls back", event.node)]
    return view.diagnostic(RULE, handler, message, notes, None, _BEFORE, flow.body)


def goes_on(flow: Flow, resource: Resource) -> bool:
    """Whether somebody else uses the session after the function: an attribute or a global."""
    is_ours = resource.origin == ATTRIBUTE and resource.flavour != CONTEXT and not resource.key.startswith(".")
    kept = is_ours or (resource.origin == AMBIENT and ":" in resource.key)
    return kept and not flow.body.name.endswith("__exit__") and not flow.body.name.endswith("__init__")


def is_committed_afterwards(view: View, flow: Flow, resource: Resource) -> bool:
    """Whether the dependency that has given an endpoint its session commits it as it comes to its end."""
    if resource.origin != PARAMETER or not view.mentions(b"Depends"):
        return False
    filled = dict(providers(view.project, view.module, flow.body))
    summary = view.project.summary(filled[resource.key], ()) if resource.key in filled else None
    return summary is not None and summary.commits


def ends_with_its_request(view: View, flow: Flow, resource: Resource) -> bool:
    """Whether the object that has the session answers one request, and closes it at its end: ``def finish(self)``."""
    answers = any(entry.kind == "request" for entry in view.units.entries(flow.body))
    info = view.module.classes.get(flow.body.owner) if answers and resource.is_of_an_object else None
    ends = {f"{resource.key}.{end}" for end in ("close", "remove")}
    return info is not None and any(ends & mentioned(method) for method in at_the_end(view, info))


def at_the_end(view: View, info: ClassInfo) -> Iterator[ast.AST]:
    """The methods of a handler that run when its answer has been given."""
    for each in view.project.lineage(info):
        if not isinstance(each, str):
            yield from (each.methods[name] for name in _AT_THE_END if name in each.methods)


def mentioned(method: ast.AST) -> set[str]:
    return {ast.unparse(part) for part in ast.walk(method) if isinstance(part, ast.Attribute)}


def report(view: View, handler: ast.AST, failure: Failure, elsewhere: Note | None = None) -> Diagnostic:
    flow, resources, use = failure
    name = name_of(flow, resources[0])
    subject = f"session {name!r}" if name else "the session"
    after = "used again" if use is not None else "left to others"
    notes = [view.note("it is used here, and raises PendingRollbackError", use)] if use is not None else []
    notes += [elsewhere] if elsewhere is not None else []
    raised = dict.fromkeys(resource for _, resource in raised_failed(view, flow))
    plan, refusal = roll_back_in(view, flow, handler, resources, tuple(raised))
    message = f"{subject} is {after} after a failed flush or commit without rollback()"
    return view.diagnostic(RULE, handler, message, notes, plan, refusal, flow.body)


RULE = Rule("ORM104", "missing-rollback", "failed session goes on without rollback", check)
