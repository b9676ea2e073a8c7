"""Remove the session of a worker where it is used, not by leaving the app context

What it does
    Reports a worker, or a loop, that enters an app context for each message and leaves it with the session of
    Flask-SQLAlchemy still holding its connection.

Why it matters
    It works: the context that is left removes the session (measured). It stops working as soon as somebody enters the
    context once around the loop, or pushes it, or calls the function from a request, whose context is still there.

Why there is no proof
    The example gives its connection back, as every other proof measures it: there is no defect to be seen until
    somebody changes the code around it.

Stays silent when
    The session is removed, closed, committed or rolled back before the context ends; in views; in tests and commands.

Fix safety
    No fix is offered: ``db.session.remove()`` goes into a ``finally`` inside of the context.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..flow.graph import Kind
from ..model import Diagnostic, Rule
from ..questions.asking import in_loop, is_out_of_scope
from ..session.flow import Flow
from ..session.values import AMBIENT, Resource
from ..story import name_of
from ..view import View
from .orm103_missing_remove import WORKERS


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if is_out_of_scope(view, flow):
            continue
        is_worker = any(entry.kind in WORKERS for entry in view.units.entries(flow.body))
        for item, resource in contexts_left_holding(flow).items():
            if is_worker or in_loop(flow, item):
                message = f"only the end of the app context gives back the connection of {name_of(flow, resource)!r}"
                refusal = "remove() belongs into a finally inside of the context"
                yield view.diagnostic(RULE, item, message, (), None, refusal, flow.body)


def contexts_left_holding(flow: Flow) -> dict[ast.expr, Resource]:
    """Each ``with app.app_context():`` that ends normally while a session of Flask-SQLAlchemy is held."""
    found: dict[ast.expr, Resource] = {}
    for node in flow.nodes(Kind.LEAVE):
        context = node.syntax.context_expr if isinstance(node.syntax, ast.withitem) else None
        if not (isinstance(context, ast.Call) and isinstance(context.func, ast.Attribute)):
            continue
        if context.func.attr == "app_context":
            for state in flow.at(node):
                for resource, life in state.lives.items():
                    if resource.origin == AMBIENT and resource.flavour == "flask" and life.may_hold:
                        found.setdefault(context, resource)
    return found


RULE = Rule(
    "ORM903",
    "relies-on-context-teardown",
    "worker whose session only the end of the app context removes",
    check,
    on_by_default=False,
)
