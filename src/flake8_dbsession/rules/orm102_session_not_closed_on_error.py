"""Give a session back on the way of an exception too

What it does
    Reports a session or connection that is closed (or needs no close) on some ways out of a function and still holds
    its connection on others: an exception between opening and closing, an early return, an ``except`` too narrow.
    So is a worker (see ORM103) that removes its scoped session on some ways only.

Why it matters
    A statement, flush or commit that raises keeps the connection checked out (measured 1 → 1), and a ``close()`` after
    it is not reached. Each failing call then takes one connection out of the pool until the garbage collector runs.

Stays silent when
    The close stands in a ``finally``, a ``with`` block, an exit stack or a helper that every way passes; when whoever
    gets the session closes it; in tests and in commands that end their process.

Fix safety
    Safe: the rest of the block moves into ``with … as session:`` and the close by hand goes. Unsafe when the function
    returns rows, which cannot load anything once their session is closed.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..mending import wrap_in_with
from ..model import Diagnostic, Note, Rule
from ..reports import ignorable, is_closed_somewhere, owned_leaks
from ..session.events import Happening
from ..session.flow import Flow, Leak
from ..story import name_of, taken, what
from ..view import View
from .orm101_session_never_closed import is_never_closed
from .orm103_missing_remove import Left, first_use, is_removed_sometimes, left_held, repair


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        for leak, name in owned_leaks(view, flow):
            if flow.body.node is not None and is_missed_sometimes(flow, leak) and not ignorable(view, flow, leak):
                yield report(view, flow, leak, name)
    yield from (report_worker(view, left) for left in left_held(view) if is_removed_sometimes(left))


def is_missed_sometimes(flow: Flow, leak: Leak) -> bool:
    reused = any(e.resource == leak.resource for e in flow.events(Happening.USED_CLOSED))
    return not reused and not is_never_closed(flow, leak)


def report(view: View, flow: Flow, leak: Leak, name: str) -> Diagnostic:
    kind = what(leak.resource)
    subject = f"{kind} {name!r}" if name else f"the {kind} of {view.text(leak.opened)!r}"
    way = "when an exception leaves the function" if leak.on_error else "on some way out of the function"
    plan, refusal = wrap_in_with(view, flow, leak.resource, leak.opened)
    return view.diagnostic(
        RULE, leak.opened, f"{subject} is not closed {way}", story(view, flow, leak), plan, refusal, flow.body
    )


def story(view: View, flow: Flow, leak: Leak) -> Iterator[Note]:
    yield from taken(view, leak.taken)
    if is_closed_somewhere(flow, leak.resource):
        closes = [e for e in flow.events(Happening.CLOSED) if e.resource == leak.resource]
        yield view.note("this close is not reached on every way", closes[0].node)


def report_worker(view: View, left: Left) -> Diagnostic:
    """A worker removes the scoped session at its end, and not on every way there."""
    flow, resource = left.flow, left.resource
    returned = any(resource in state.lives and state.lives[resource].may_hold for state in flow.returned)
    way = "on some way out of the function" if returned else "when an exception leaves the function"
    plan, refusal = repair(view, flow, resource, None)
    closes = [event.node for event in flow.events(Happening.CLOSED) if event.resource == resource]
    notes = [view.note("this is not reached on every way", closes[0])]
    message = f"{name_of(flow, resource)!r} is not removed {way}"
    return view.diagnostic(RULE, first_use(flow, resource, None).node, message, notes, plan, refusal, flow.body)


RULE = Rule("ORM102", "session-not-closed-on-error", "session not closed on some way out", check)
