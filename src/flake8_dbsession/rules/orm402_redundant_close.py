"""Leave the closing of the framework's session to the framework

What it does
    Reports ``db.session.close()`` as the last thing a request handler or a helper of one does with Flask-SQLAlchemy's
    session.

Why it matters
    Leaving the request (or app context) calls ``db.session.remove()`` anyway (measured: Flask-SQLAlchemy 2.5, 3.1).
    The close by hand detaches every loaded row, so code that runs later in the same request fails with
    ``DetachedInstanceError`` or silently takes a connection again.

Stays silent when
    Something slow follows (a network call, a sleep, a streaming response), in loops, in workers, threads and commands:
    there a ``close()`` is right.

Fix safety
    Safe: the statement goes; the framework closes the session a moment later.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..fix.plans import DeleteStatement
from ..mending import block_of, statement_of
from ..model import Diagnostic, Plan, Rule, Safety
from ..reports import in_loop, is_out_of_scope
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.values import AMBIENT
from ..story import name_of
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if is_out_of_scope(view, flow) or not belongs_to_request(view, flow):
            continue
        for event in flow.events(Happening.CLOSED):
            if is_redundant(flow, event):
                yield report(view, flow, event)


def belongs_to_request(view: View, flow: Flow) -> bool:
    """A handler, or a plain function that nothing but project code runs; not a teardown, worker or generator."""
    entries = view.units.entries(flow.body)
    return all(e.kind == "request" and e.cleans_flask_sqlalchemy for e in entries) and not flow.body.is_generator


def is_redundant(flow: Flow, event: Event) -> bool:
    """``db.session.close()`` followed by nothing but the return."""
    resource = event.resource
    if (
        resource is None
        or resource.origin != AMBIENT
        or resource.flavour != "flask"
        or event.detail not in ("close", "remove")
    ):
        return False
    statement = statement_of(flow, event.node)
    if not isinstance(statement, ast.Expr) or in_loop(flow, statement) or waits_after(flow, statement):
        return False
    block = block_of(flow, statement)
    rest = block[block.index(statement) + 1 :]
    return all(isinstance(s, ast.Return) and not streams(s) for s in rest)


def waits_after(flow: Flow, statement: ast.stmt) -> bool:
    return any(n.lineno > statement.lineno for n in flow.scope.waits.values())  # type: ignore[attr-defined]


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
