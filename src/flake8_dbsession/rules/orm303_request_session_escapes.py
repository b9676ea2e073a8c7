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

import ast
from collections.abc import Iterator

from ..mending.common import statement_of
from ..model import Diagnostic, Rule
from ..questions.asking import first_of_each_node
from ..session.events import Event, Handover, Happening
from ..session.flow import Flow
from ..session.values import AMBIENT, OPENED, PARAMETER
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    if view.is_test:
        return
    for flow in view.flows:
        handed = [e for e in flow.events(Happening.HANDED_OVER) if not belongs_to_object(view, flow, e)]
        events = [e for e in handed if escapes(e) or outlives_caller(flow, e) or outlives_request(view, flow, e)]
        for event in first_of_each_node(sorted(events, key=lambda e: e.detail.through == "row")):
            detail: Handover = event.detail
            what = (
                f"row {detail.name!r} of the request's session"
                if detail.through == "row"
                else f"session {detail.name!r}"
            )
            message = f"{what} is given to {detail.to!r}, which runs after the request"
            refusal = "pass the id, and open a session in the task"
            yield view.diagnostic(RULE, event.node, message, (), None, refusal, flow.body)


def belongs_to_object(view: View, flow: Flow, event: Event) -> bool:
    """Whether a method hands on a method of its object with the session that the object has opened for itself."""
    detail: Handover = event.detail
    of_class = (other for other in view.flows if other.body.owner == flow.body.owner)
    return detail.through == "self" and any(
        detail.name == f"self.{attribute}" for other in of_class for attribute in other.scope.kept.values()
    )


def escapes(event: Event) -> bool:
    """Whether a session of the caller, or a row of it, goes to what runs when the caller has returned."""
    detail: Handover = event.detail
    if detail.concurrency != "later" or event.resource is None:
        return False
    return event.resource.origin not in (OPENED,) and not (detail.through == "row" and event.resource.origin == AMBIENT)


def outlives_caller(flow: Flow, event: Event) -> bool:
    """Whether a function gives a plain session of its caller's to a task, or to a job of the loop's scheduler, and
    returns without waiting for it; of what is awaited, several tasks at once are another rule's."""
    detail: Handover = event.detail
    is_lent = event.resource is not None and event.resource.origin == PARAMETER and not event.resource.is_async
    return is_lent and detail.concurrency == "task" and detail.through != "row" and nobody_waits(flow, event.node)


def outlives_request(view: View, flow: Flow, event: Event) -> bool:
    """Whether a request handler gives its session to a thread or task and returns without waiting for it."""
    detail: Handover = event.detail
    if event.resource is None or event.resource.origin == OPENED or detail.through == "row":
        return False
    beside = detail.concurrency in ("thread", "greenlet") and not waits_for_threads(flow)
    apart = detail.concurrency == "task" and nobody_waits(flow, event.node)
    return (beside or apart) and any(entry.kind == "request" for entry in view.units.entries(flow.body))


def waits_for_threads(flow: Flow) -> bool:
    """Whether the function joins a thread or asks a future for its result."""
    return any(isinstance(n, ast.Attribute) and n.attr in ("join", "result") for n in flow.body.own_nodes)


def nobody_waits(flow: Flow, node: ast.AST) -> bool:
    """``asyncio.create_task(…)`` as a statement of its own: the task is kept by nobody."""
    statement = statement_of(flow, node)
    return isinstance(statement, ast.Expr) and statement.value is node


RULE = Rule("ORM303", "request-session-escapes", "request's session given to what outlives the request", check)
