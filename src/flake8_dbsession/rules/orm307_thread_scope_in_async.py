"""Do not use a thread's registry in coroutines

What it does
    Reports a thread-local scoped_session that an ``async def`` function uses.

Why it matters
    All coroutines of an event loop run in one thread and so share one session: ten concurrent requests had one session
    between them (measured), and the ``remove()`` of one ends the transaction of the others.

Stays silent when
    The registry has a scope function of its own; when the work runs in a thread.

Fix safety
    No fix is offered: open a session in the coroutine, or give the registry a scope function.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..reports import is_out_of_scope
from ..session.events import Happening
from ..session.values import AMBIENT
from ..story import name_of
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if not flow.body.is_async or is_out_of_scope(view, flow):
            continue
        for event in flow.events(Happening.TAKEN):
            resource = event.resource
            if resource is not None and resource.origin == AMBIENT and resource.flavour == "scoped" and not resource.is_async:
                message = f"{name_of(flow, resource)!r} is one session for all coroutines of the thread"
                refusal = "open a session in the coroutine, or give the registry a scope function"
                yield view.diagnostic(RULE, event.node, message, (), None, refusal, flow.body)
                break


RULE = Rule("ORM307", "thread-scope-in-async", "thread-local registry used in a coroutine", check)
