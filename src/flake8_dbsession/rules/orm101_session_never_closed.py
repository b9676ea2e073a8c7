"""Give back every session and connection that a function opens

What it does
    Reports a session or connection that a function opens and keeps to itself, and that still holds a pooled
    connection on every normal way out. Anonymous ones count: ``Session().query(…)``, ``engine.connect().execute(…)``.
    So does one that a dependency of FastAPI or Litestar returns to an endpoint instead of yielding it, one that Pyramid
    keeps as a property of each request, which no callback, tween or view closes, and one that is laid down for a
    request, in Flask's ``g``, ``request.state`` or the like, and that no function of the project takes up again to
    close it.

Why it matters
    The first SQL takes a connection from the pool, and only commit, rollback or close gives it back. Dropping the last
    reference does not: session and transaction refer to each other, so the connection waits for the cyclic garbage
    collector, and a pool of 5 + 10 runs dry after 33 calls with the collector on (measured on SQLAlchemy 1.4, 2.0 and
    2.1; 15 calls on Python 3.13).

Stays silent when
    The session is returned, yielded, stored or passed to code that cannot be seen; when it is closed on every way out,
    by a helper, a ``with`` block, an exit stack or a finaliser; when nothing is held at the end (no SQL, or commit or
    rollback came last); in tests, in commands and tasks that end their process, and in what makes the tables.

Fix safety
    Safe: the rest of the block moves into ``with … as session:``, whether the session had a name or not. Unsafe when
    the function returns rows, or uses what an unnamed session gave outside of the block: rows cannot load anything once
    their session is closed.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..mending.opening import open_in_with
from ..model import Diagnostic, Rule
from ..questions.asking import ignorable, is_closed_somewhere, owned_leaks
from ..questions.filled import returned_to_endpoints
from ..questions.kept_for_requests import kept_with_contexts
from ..questions.request_properties import kept_with_requests
from ..session.events import Happening
from ..session.flow import Flow
from ..session.leaks import Leak
from ..story import taken, what
from ..view import View

_YIELD = "yield it inside of a ``with`` block"
_TEARDOWN = "close it in a teardown of the application: ``@app.teardown_appcontext``"
_AROUND = "close it in a ``finally`` around the request"
_CALLBACK = "close it in a callback of the request: ``request.add_finished_callback(…)``"


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        for leak, name in owned_leaks(view, flow):
            if flow.body.node is not None and is_never_closed(flow, leak) and not ignorable(view, flow, leak):
                yield report(view, flow, leak, name)
        for opened, endpoint in () if view.is_test else returned_to_endpoints(view, flow):
            message = f"the session is opened here for {endpoint}() and never closed: only what is yielded is ended"
            yield view.diagnostic(RULE, opened, message, (), None, _YIELD, flow.body)
        for opened, name in () if view.is_test else kept_with_requests(view, flow):
            message = f"the session of 'request.{name}' is opened here and never closed"
            yield view.diagnostic(RULE, opened, message, (), None, _CALLBACK, flow.body)
        for opened, place in () if view.is_test else kept_with_contexts(view, flow):
            message = f"the session of {place!r} is opened here and never closed"
            remedy = _TEARDOWN if view.mentions(b"flask") or view.mentions(b"quart") else _AROUND
            yield view.diagnostic(RULE, opened, message, (), None, remedy, flow.body)


def is_never_closed(flow: Flow, leak: Leak) -> bool:
    """Held on every normal way out, or lost to the next turn of a loop, and used again after a close by nobody."""
    reused = any(e.resource == leak.resource for e in flow.events(Happening.USED_CLOSED))
    return not reused and (leak.always or (leak.lost and not is_closed_somewhere(flow, leak.resource)))


def report(view: View, flow: Flow, leak: Leak, name: str) -> Diagnostic:
    kind = what(leak.resource)
    subject = f"{kind} {name!r}" if name else f"the {kind} of {view.text(leak.opened)!r}"
    plan, refusal = open_in_with(view, flow, leak.resource, leak.opened)
    lost = ": the next turn of the loop opens another" if leak.lost and not leak.always else ""
    message = f"{subject} is opened here and never closed{lost}"
    return view.diagnostic(RULE, leak.opened, message, taken(view, leak.taken), plan, refusal, flow.body)


RULE = Rule("ORM101", "session-never-closed", "session opened here and never closed", check)
