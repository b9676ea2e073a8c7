"""Leave the closing of the framework's session to the framework

What it does
    Reports ``db.session.close()`` as the last thing a request handler or a helper of one does with Flask-SQLAlchemy's
    session, before it returns one answer or another.

Why it matters
    Leaving the request (or app context) calls ``db.session.remove()`` anyway (measured: Flask-SQLAlchemy 2.5, 3.1).
    The close by hand detaches every loaded row, so code that runs later in the same request fails with
    ``DetachedInstanceError`` or silently takes a connection again.

Stays silent when
    Something slow follows (a network call, a sleep, a streaming response), in loops, in workers, threads and commands,
    and in helpers that one of those runs too, or that do nothing but close: there a ``close()`` is right.

Fix safety
    Safe: the statement goes; the framework closes the session a moment later.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..fix.plans import DeleteStatement
from ..known import Entry
from ..mending.common import block_of, statement_of
from ..model import Diagnostic, Plan, Rule, Safety
from ..questions.asking import in_loop, is_out_of_scope
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.values import AMBIENT, UNKNOWN, Resource
from ..story import name_of
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        events = [event for event in flow.events(Happening.CLOSED) if is_redundant(view, flow, event)]
        if not view.units.entries(flow.body):
            events = [event for event in events if works_with(flow, event.resource)]
        if events and not is_out_of_scope(view, flow) and belongs_to_request(view, flow):
            yield from (report(view, flow, event) for event in events)


def works_with(flow: Flow, closed: Resource | None) -> bool:
    """Whether the function does anything else with the session; what only closes it is called where that is wanted."""
    used = flow.events(Happening.TAKEN, Happening.QUERIED, Happening.COMMITTED)
    return any(event.resource == closed for event in used)


def belongs_to_request(view: View, flow: Flow) -> bool:
    """A handler, or a plain function that no worker, thread or command is seen to run; not a teardown or generator."""
    if flow.body.is_generator or not all(map(is_handler, view.units.entries(flow.body))):
        return False
    return not view.is_served(flow.body, is_nobodys_request)


def is_handler(entry: Entry) -> bool:
    """Whether Flask-SQLAlchemy removes the session after what is run."""
    return entry.kind == "request" and entry.cleans_flask_sqlalchemy


def is_nobodys_request(entry: Entry) -> bool:
    """Whether a worker, a thread or a command is run."""
    return not is_handler(entry)


def is_redundant(view: View, flow: Flow, event: Event) -> bool:
    """``db.session.close()`` followed by nothing but the return, or the choice between several."""
    resource = event.resource
    if (
        resource is None
        or resource.origin != AMBIENT
        or resource.flavour != "flask"
        or event.detail not in ("close", "remove")
    ):
        return False
    statement = statement_of(flow, event.node)
    if not isinstance(statement, ast.Expr) or in_loop(flow, statement):
        return False
    block = block_of(flow, statement)
    rest = block[block.index(statement) + 1 :]
    until = rest[-1].end_lineno if rest and isinstance(rest[-1], ast.Return) else None
    later = range(statement.lineno + 1, (until or 10**9) + 1)
    if not all(only_returns(view, each) for each in rest) or waits_in(flow, later):
        return False
    return len(rest) < 2 or not asks_in(flow, later, resource)


def only_returns(view: View, statement: ast.stmt) -> bool:
    """A return, or conditions of which everything is known and that end in returns."""
    if isinstance(statement, ast.Return):
        return not streams(statement)
    if not isinstance(statement, ast.If):
        return False
    calls = (part for part in ast.walk(statement.test) if isinstance(part, ast.Call))
    known = all(view.project.evaluate(view.module, call.func) != UNKNOWN for call in calls)
    return known and all(only_returns(view, each) for each in (*statement.body, *statement.orelse))


def asks_in(flow: Flow, lines: range, resource: Resource) -> bool:
    """Whether the session is used again, and so was closed for a purpose."""
    asked = (e.node for e in flow.events(Happening.QUERIED, Happening.TAKEN) if e.resource == resource)
    return any(node.lineno in lines for node in asked)  # type: ignore[attr-defined]


def waits_in(flow: Flow, lines: range) -> bool:
    return any(node.lineno in lines for node in flow.scope.waits.values())  # type: ignore[attr-defined]


def streams(statement: ast.Return) -> bool:
    """A response that is built from a generator goes on after the return."""
    call = statement.value
    if not isinstance(call, ast.Call):
        return False
    text = ast.unparse(call.func)
    return "stream" in text.lower() or (
        text.endswith("Response") and bool(call.args) and isinstance(call.args[0], ast.Call)
    )


def report(view: View, flow: Flow, event: Event) -> Diagnostic:
    assert event.resource is not None
    statement = statement_of(flow, event.node)
    assert statement is not None
    plan = Plan("delete the close", Safety.SAFE, (DeleteStatement(view.span(statement)),))
    message = (
        f"{name_of(flow, event.resource)}.{event.detail}() is not needed: the framework removes the session right after"
    )
    return view.diagnostic(RULE, event.node, message, (), plan, "", flow.body)


RULE = Rule("ORM402", "redundant-close", "close of the framework's session by hand", check)
