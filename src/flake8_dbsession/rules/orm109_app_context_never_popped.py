"""Leave every app context that is entered

What it does
    Reports ``app.app_context().push()`` in a function that never pops the context.

Why it matters
    Flask-SQLAlchemy removes its session when the app context is left. One that is pushed and never popped keeps its
    connection, also after the thread has ended and after garbage collection (measured 1 → 1).

Stays silent when
    The same function or class pops a context; in tests, commands and at module level, where the context lives as long as
    the process.

Fix safety
    No fix is offered: the extent of the context is the author's decision.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..reports import first_of_each_node, is_out_of_scope
from ..session.events import Happening
from ..session.flow import Flow
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if is_out_of_scope(view, flow) or is_popped(view, flow):
            continue
        for event in first_of_each_node(flow.events(Happening.PUSHED)):
            message = f"{view.text(event.node)!r} enters an app context that is never left, so its session is never removed"
            yield view.diagnostic(RULE, event.node, message, (), None, "the context's extent is not known", flow.body)


def is_popped(view: View, flow: Flow) -> bool:
    """Whether the function, or another method of its class, pops a context."""
    bodies = [flow.body]
    if flow.body.owner:
        bodies = [b for b in view.module.bodies.values() if b.owner == flow.body.owner]
    nodes = (node for body in bodies for node in body.own_nodes)
    return any(isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == "pop" and not n.args for n in nodes)


RULE = Rule("ORM109", "app-context-never-popped", "app context pushed and never popped", check)
