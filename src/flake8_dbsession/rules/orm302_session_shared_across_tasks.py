"""Give each task a session of its own

What it does
    Reports one session or connection in several coroutines that run at once: ``gather``, ``TaskGroup``,
    ``create_task``. They may get it as an argument, through a closure, or from an object that they ask.

Why it matters
    A session works on one statement at a time. Concurrent flushes and commits failed in every run; concurrent reads
    fail as soon as a connection has to be made or pinged, so a test that passes proves nothing (measured on asyncpg,
    aiomysql and aiosqlite).

Stays silent when
    Each coroutine opens its own session; when a task is awaited before the session is used again; when a lock lets
    them in one by one; for a plain ``Session``, whose statements let no other task run before they are done.

Fix safety
    No fix is offered: await the statements one after the other, or open a session in each coroutine.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..questions.asking import first_of_each_node, in_loop
from ..session.events import Event, Handover, Happening
from ..session.expressions.rows import LOADER
from ..session.flow import Flow
from ..session.values import OPENED
from ..view import View
from .orm301_session_shared_across_threads import closed_beside, is_of_the_turn, used_beside
from .orm303_request_session_escapes import nobody_waits, outlives_request


def check(view: View) -> Iterator[Diagnostic]:
    if view.is_test:
        return
    for flow in view.flows:
        for event in first_of_each_node([e for e in flow.events(Happening.HANDED_OVER) if is_shared(view, flow, e)]):
            detail: Handover = event.detail
            who = "the session of a row" if detail.name == LOADER else f"session {detail.name!r}"
            message = f"{who} is used by several tasks at once"
            refusal = "await one after the other, or open a session in each"
            yield view.diagnostic(RULE, event.node, message, (), None, refusal, flow.body)


def is_shared(view: View, flow: Flow, event: Event) -> bool:
    """Whether another task, or this one, can use the session at the same time."""
    detail: Handover = event.detail
    if detail.concurrency != "task" or detail.through == "row" or outlives_request(view, flow, event):
        return False
    if event.resource is not None and not event.resource.is_async:
        return False
    if detail.many or used_beside(flow, detail.name, event):
        return True
    if in_loop(flow, event.node) and not is_of_the_turn(flow, event) and not is_awaited_at_once(flow, event.node):
        return True
    is_own = event.resource is not None and event.resource.origin == OPENED
    return nobody_waits(flow, event.node) and (not is_own or closed_beside(flow, event))


def is_awaited_at_once(flow: Flow, handed: ast.AST) -> bool:
    """``await create_task(work(session))``."""
    return any(node.value is handed for node in flow.body.own(ast.Await))


RULE = Rule("ORM302", "session-shared-across-tasks", "one session used by several tasks", check)
