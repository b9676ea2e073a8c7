"""Do not hand the request's session to what outlives the request

What it does
    Reports the session of a request (a dependency, a parameter, the framework's own), or rows of it, given to a
    background task, job, thread or task that runs after or beside the request.

Why it matters
    Depending on the version of FastAPI the session is closed before the background task runs, so the task silently
    opens it again and nobody closes it (0.106 to 0.117), or the request's connection is kept until the task has ended
    (before and after; measured). Rows load through the same session.

Stays silent when
    Ids and plain data are handed over, and the task opens its own session.

Fix safety
    No fix is offered: pass the id and open a session in the task.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..reports import first_of_each_node
from ..session.events import Event, Handover, Happening
from ..session.values import AMBIENT, OPENED
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    if view.is_test:
        return
    for flow in view.flows:
        events = [e for e in flow.events(Happening.HANDED_OVER) if escapes(e)]
        for event in first_of_each_node(sorted(events, key=lambda e: e.detail.through == "row")):
            detail: Handover = event.detail
            what = f"row {detail.name!r} of the request's session" if detail.through == "row" else f"session {detail.name!r}"
            message = f"{what} is given to {detail.to!r}, which runs after the request"
            refusal = "pass the id, and open a session in the task"
            yield view.diagnostic(RULE, event.node, message, (), None, refusal, flow.body)


def escapes(event: Event) -> bool:
    detail: Handover = event.detail
    if detail.concurrency != "later" or event.resource is None:
        return False
    return event.resource.origin not in (OPENED,) and not (detail.through == "row" and event.resource.origin == AMBIENT)


RULE = Rule("ORM303", "request-session-escapes", "request's session given to what outlives the request", check)
