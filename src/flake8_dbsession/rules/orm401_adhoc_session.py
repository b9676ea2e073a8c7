"""Use the session that the framework looks after

What it does
    Reports ``Session(bind=db.engine)`` (or ``sessionmaker(bind=db.engine)()``) beside Flask-SQLAlchemy's
    ``db.session``.

Why it matters
    The second session takes a second connection in the same request, sees none of the first one's uncommitted changes,
    and nobody removes it when the request ends.

Stays silent when
    The application does not use Flask-SQLAlchemy, or the session is opened for a thread or process of its own; a
    ``with`` block closes it in a function that works with ``db.session`` as well, and so wants two transactions.

Fix safety
    Unsafe: the work becomes part of the request's transaction, and a commit commits all of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..fix.plans import DeleteStatement, ReplaceExpression
from ..mending.common import Answer, is_close, statement_of
from ..model import Diagnostic, Plan, Rule, Safety
from ..names import dotted
from ..questions.asking import is_out_of_scope
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..story import name_of
from ..view import View

_WORKERS = frozenset({"thread", "process", "timer", "consumer", "scheduler", "task"})


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if is_out_of_scope(view, flow) or any(e.kind in _WORKERS for e in view.units.entries(flow.body)):
            continue
        for event in flow.events(Happening.OPENED):
            if event.detail is None or event.resource is None or event.resource.is_connection:
                continue
            if not is_second_transaction(flow, event):
                yield report(view, flow, event)


def is_second_transaction(flow: Flow, event: Event) -> bool:
    """Whether a ``with`` block closes the session, in a function that works with the framework's as well."""
    items = (item.context_expr for block in flow.body.own(ast.With) for item in block.items)
    is_closed = any(item is event.node for item in items)
    return is_closed and any(dotted(part) == event.detail for part in flow.body.own(ast.Attribute))


def report(view: View, flow: Flow, event: Event) -> Diagnostic:
    plan, refusal = repair(view, flow, event)
    message = f"{view.text(event.node)!r} opens a session beside {event.detail!r}, which the framework removes"
    return view.diagnostic(RULE, event.node, message, (), plan, refusal, flow.body)


def repair(view: View, flow: Flow, event: Event) -> Answer:
    """``session = db.session`` and no close by hand."""
    assert event.resource is not None
    statement = statement_of(flow, event.node)
    name = name_of(flow, event.resource)
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is not event.node or not name:
        return None, "the session is not assigned to a plain name"
    closes = [n for n in flow.body.own_nodes if isinstance(n, ast.stmt) and is_close(n, name)]
    steps = [ReplaceExpression(view.span(event.node), event.detail), *(DeleteStatement(view.span(c)) for c in closes)]
    reason = "the work becomes part of the request's transaction"
    return Plan(f"use {event.detail!r} instead of a session of its own", Safety.UNSAFE, tuple(steps), reason), ""


RULE = Rule("ORM401", "adhoc-session", "session of its own beside the framework's", check)
