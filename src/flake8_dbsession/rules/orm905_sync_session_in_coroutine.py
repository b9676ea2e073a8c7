"""Use an async session in a coroutine, or a thread for a session that is not

What it does
    Reports a coroutine in which a session that is not async takes a connection, and an async generator that opens one
    for others.

Why it matters
    Nothing else runs on the event loop while a statement waits for its answer. Where the pool is empty it gets worse:
    the coroutine that waits for a connection stops those that could give one back, until ``pool_timeout`` has passed
    and ``TimeoutError`` is raised (three at once on a pool of two, measured).

Stays silent when
    The function that uses the session is handed to a thread (``asyncio.to_thread``, ``run_in_threadpool``); in tests
    and commands.

Fix safety
    No fix is offered: an ``AsyncSession`` needs ``await`` at each use; a function without ``async`` may run in a
    thread.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..questions.asking import is_out_of_scope
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.values import Resource
from ..story import holder
from ..view import View

_FIX = "use an async session, or leave the work to a thread"


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if not flow.body.is_async or is_out_of_scope(view, flow):
            continue
        for resource, event in first_uses(flow).items():
            who = holder(flow, resource)
            message = f"{who} stops the event loop while it works: it is not async, and this is a coroutine"
            yield view.diagnostic(RULE, event.node, message, (), None, _FIX, flow.body)


def first_uses(flow: Flow) -> dict[Resource, Event]:
    """Where each session that is not async is taken, or takes its connection first, on the loop itself."""
    in_threads = set(flow.scope.inlined.values())
    lent_out = {value.resource for value, _ in flow.scope.yields}
    uses: dict[Resource, Event] = {}
    for event in flow.events(Happening.TAKEN, Happening.OPENED):
        resource = event.resource
        if resource is None or resource.is_async or event.node in in_threads:
            continue
        if event.happening is Happening.TAKEN or resource.is_connection or resource in lent_out:
            uses.setdefault(resource, event)
    return uses


RULE = Rule("ORM905", "sync-session-in-coroutine", "session that stops the event loop", check, on_by_default=False)
