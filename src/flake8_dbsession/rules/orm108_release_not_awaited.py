"""Await what gives an async session's connection back

What it does
    Reports ``close()``, ``commit()``, ``rollback()``, ``remove()`` and other coroutines of an async session or
    connection that are called as a statement without ``await``.

Why it matters
    A coroutine that is not awaited does not run: the connection stays checked out (measured 1 → 1), and all that is
    seen is a ``RuntimeWarning``.

Stays silent when
    The coroutine is awaited, returned, stored or given to ``gather`` or a task.

Fix safety
    Safe inside ``async def``: ``await`` is put in front.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..fix.plans import AwaitExpression
from ..mending.common import Answer
from ..model import Diagnostic, Plan, Rule, Safety
from ..questions.asking import first_of_each_node
from ..session.events import Happening
from ..session.flow import Flow
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        for event in first_of_each_node(flow.events(Happening.UNAWAITED)):
            message = f"{view.text(event.node)!r} is not awaited and has no effect"
            plan, refusal = repair(view, flow, event.node)
            yield view.diagnostic(RULE, event.node, message, (), plan, refusal, flow.body)


def repair(view: View, flow: Flow, node: ast.AST) -> Answer:
    if not flow.body.is_async:
        return None, "await needs an async function around it"
    if isinstance(node, ast.Await):
        return None, "it is awaited, but what it gives is not: it needs parentheses and a second await"
    return Plan("await it", Safety.SAFE, (AwaitExpression(view.span(node)),)), ""


RULE = Rule("ORM108", "release-not-awaited", "coroutine of an async session not awaited", check)
