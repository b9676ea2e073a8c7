"""Hand ids to threads, not rows

What it does
    Reports ORM rows that are given to a thread, process or executor.

Why it matters
    Reading an expired attribute or a relationship of the row uses the session it came from, in the wrong thread,
    while its owner uses it too.

Stays silent when
    Ids or plain data are handed over; to a task whose class in the project says itself what is sent, by an
    ``apply_async()`` of its own.

Fix safety
    No fix is offered: pass the id and load the row in the thread's own session.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..project.project import Project
from ..questions.asking import first_of_each_node
from ..session.events import Event, Handover, Happening
from ..session.flow import Flow
from ..story import name_of
from ..view import View
from .orm301_session_shared_across_threads import used_beside


def check(view: View) -> Iterator[Diagnostic]:
    if view.is_test:
        return
    for flow in view.flows:
        for event in first_of_each_node([e for e in flow.events(Happening.HANDED_OVER) if is_row(flow, e)]):
            detail: Handover = event.detail
            if detail.concurrency == "process" and view.project.once(sends_by_itself):
                continue
            message = (
                f"row {detail.name!r} is given to a {detail.concurrency} and loads through the session of this one"
            )
            yield view.diagnostic(RULE, event.node, message, (), None, "pass the id and load the row there", flow.body)


def sends_by_itself(project: Project) -> bool:
    """Whether the project's own class of tasks says what is sent to them: ``def apply_async(self, args, kwargs)``."""
    return any(map(project.app.is_part, project.app.files_with(b"def apply_async(")))


def is_row(flow: Flow, event: Event) -> bool:
    """Whether a row is handed over to something that its owner does not wait for before going on."""
    detail: Handover = event.detail
    if detail.through != "row" or detail.concurrency not in ("thread", "process", "greenlet"):
        return False
    names = [detail.name, name_of(flow, event.resource) if event.resource is not None else ""]
    return not joined_after(flow, event.node) or any(used_beside(flow, name, event) for name in names)


def joined_after(flow: Flow, handed: ast.AST) -> bool:
    """Whether a ``join()`` follows."""
    line = handed.lineno  # type: ignore[attr-defined]
    return any(isinstance(n, ast.Attribute) and n.attr == "join" and n.lineno > line for n in flow.body.own_nodes)


RULE = Rule("ORM308", "rows-shared-across-threads", "ORM rows given to a thread or process", check)
