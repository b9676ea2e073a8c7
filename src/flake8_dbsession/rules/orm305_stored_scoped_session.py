"""Keep the scoped registry, not the session it hands out

What it does
    Reports ``self.session = Session()`` (or a class attribute, or a global) where ``Session`` is a scoped_session: the
    session of one thread is kept for all.

Why it matters
    Calling the registry gives the session of the current thread. Stored, it is used by every thread that comes later,
    concurrently, and ``remove()`` never reaches it.

Stays silent when
    The registry itself is stored, or the object belongs to one unit of work.

Fix safety
    Unsafe: the registry is stored instead, so each thread gets its own session.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..fix.plans import ReplaceExpression
from ..model import Diagnostic, Plan, Rule, Safety
from ..session.flow import Flow
from ..session.values import AMBIENT, SESSION
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    if view.is_test:
        return
    for flow in view.flows:
        for target, call in stored_calls(flow):
            plan = Plan("keep the registry", Safety.UNSAFE, (ReplaceExpression(view.span(call), ast.unparse(call.func)),), "each thread gets a session of its own")
            message = f"{view.text(target)!r} keeps the session of one thread; keep the registry {ast.unparse(call.func)!r} instead"
            yield view.diagnostic(RULE, call, message, (), plan, "", flow.body)


def stored_calls(flow: Flow) -> Iterator[tuple[ast.expr, ast.Call]]:
    """``anything.attribute = Registry()``."""
    for statement in flow.body.own_nodes:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call) or statement.value.args:
            continue
        target = statement.targets[0]
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and kept_registry(flow, target):
            yield target, statement.value


def kept_registry(flow: Flow, target: ast.Attribute) -> bool:
    text = ast.unparse(target)
    return any(
        state.names[text].kind == SESSION and state.names[text].resource.origin == AMBIENT and not (text.startswith("self.") and ":" in state.names[text].resource.key)  # type: ignore[union-attr]
        for state in (*flow.returned, *flow.raised)
        if text in state.names and state.names[text].resource is not None
    )


RULE = Rule("ORM305", "stored-scoped-session", "session of a scoped registry kept for all threads", check)
