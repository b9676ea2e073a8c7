"""Commit once for the whole of a unit of work

What it does
    Reports ``commit()`` inside a ``for`` loop.

Why it matters
    Each commit waits for the disk of the server, gives the connection back and expires every row that was loaded: the
    next attribute takes a connection and asks again. A failure in the middle leaves half of the work done.

Stays silent when
    The loop is a ``while`` loop, whose turns are units of work; in tests and commands.

Fix safety
    No fix is offered: whether the turns belong together is the author's decision.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..questions.asking import first_of_each_node, is_out_of_scope
from ..session.events import Happening
from ..story import name_of
from ..view import View
from .orm901_query_in_loop import inside_for


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if is_out_of_scope(view, flow):
            continue
        for event in first_of_each_node(flow.events(Happening.COMMITTED)):
            if event.resource is not None and inside_for(flow, event.node):
                message = f"{name_of(flow, event.resource)!r} is committed in each turn of the loop"
                refusal = "whether the turns are one unit of work is not known"
                yield view.diagnostic(RULE, event.node, message, (), None, refusal, flow.body)


RULE = Rule("ORM902", "commit-in-loop", "commit in each turn of a loop", check, on_by_default=False)
