"""Hand ids to threads, not rows

What it does
    Reports ORM rows that are given to a thread, process or executor.

Why it matters
    Reading an expired attribute or a relationship of the row uses the session it came from, in the wrong thread, while its
    owner uses it too.

Stays silent when
    Ids or plain data are handed over.

Fix safety
    No fix is offered: pass the id and load the row in the thread's own session.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..reports import first_of_each_node
from ..session.events import Event, Handover, Happening
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    if view.is_test:
        return
    for flow in view.flows:
        for event in first_of_each_node([e for e in flow.events(Happening.HANDED_OVER) if is_row(e)]):
            detail: Handover = event.detail
            message = f"row {detail.name!r} is given to a {detail.concurrency} and loads through the session of this one"
            yield view.diagnostic(RULE, event.node, message, (), None, "pass the id and load the row there", flow.body)


def is_row(event: Event) -> bool:
    detail: Handover = event.detail
    return detail.through == "row" and detail.concurrency in ("thread", "process", "greenlet")


RULE = Rule("ORM308", "rows-shared-across-threads", "ORM rows given to a thread or process", check)
