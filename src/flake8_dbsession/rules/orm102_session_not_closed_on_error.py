"""Give a session back on the way of an exception too

What it does
    Reports a session or connection that is closed (or needs no close) on some ways out of a function and still holds
    its connection on others: an exception between opening and closing, an early return, an ``except`` too narrow.
    So are a worker (see ORM103) that removes its scoped session on some ways only, a method that works with the session
    of its object and closes it on some ways only, where nobody else does, an object whose ``__exit__`` closes what it
    has opened for its block on some ways only, and a context manager that hands out a scoped session nobody removes and
    rolls back some failures only, or removes it behind its ``yield``, which is passed by when the block raises. So does
    a dependency of FastAPI, or any other generator that hands out one session: what the request raises goes into it.

Why it matters
    A statement, flush or commit that raises keeps the connection checked out (measured 1 → 1), and a ``close()`` after
    it is not reached. Each failing call then takes one connection out of the pool until the garbage collector runs.

Stays silent when
    The close stands in a ``finally``, a ``with`` block, an exit stack or a helper that every way passes; when whoever
    gets the session closes it; in tests and in commands and tasks that end their process, which an exception in a hook
    of the start does, too.

Fix safety
    Safe: the rest of the block moves into ``with … as session:`` and the close by hand goes; where a method closes the
    session of its object, the close moves into a ``finally``. Unsafe when the function returns rows, which cannot load
    anything once their session is closed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..mending.closing import close_in_finally
from ..mending.opening import open_in_with
from ..model import Diagnostic, Note, Rule
from ..project.runs.teardown import is_removed
from ..questions.asking import ignorable, is_closed_somewhere, is_out_of_scope, owned_leaks, within
from ..questions.ends_of_blocks import closed_at_some_ends
from ..questions.passed_by import is_manager, passed_by
from ..questions.stored import closed_at_the_end
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.leaks import Leak
from ..session.values import AMBIENT, OBJECT, PARAMETER, REGISTRY, Resource, Value
from ..story import name_of, taken, what
from ..view import View
from .orm101_session_never_closed import is_never_closed
from .orm103_missing_remove import Left, first_use, is_left_held, is_removed_sometimes, left_held, repair

_MANAGERS = frozenset({"contextlib.contextmanager"})


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        for leak, name in owned_leaks(view, flow):
            is_told = flow.body.node is not None and is_missed_sometimes(flow, leak)
            if is_told and not ignorable(view, flow, leak) and not ends_the_start(view, flow, leak):
                yield report(view, flow, leak, name)
        yield from (report_closing(view, flow, *found) for found in closing(view, flow))
        yield from (report_manager(view, flow, *asked) for asked in lent(view, flow))
        yield from (report_passed_by(view, flow, release) for release in passed_by(view, flow))
    yield from (report_worker(view, left) for left in left_held(view) if is_removed_sometimes(left))


def ends_the_start(view: View, flow: Flow, leak: Leak) -> bool:
    """Whether an exception passes the close by where the application starts, which then does not come up."""
    return leak.on_error and any(entry.kind == "startup" for entry in view.units.entries(flow.body))


def is_missed_sometimes(flow: Flow, leak: Leak) -> bool:
    reused = any(e.resource == leak.resource for e in flow.events(Happening.USED_CLOSED))
    return not reused and not is_never_closed(flow, leak)


def report(view: View, flow: Flow, leak: Leak, name: str) -> Diagnostic:
    kind = what(leak.resource)
    subject = f"{kind} {name!r}" if name else f"the {kind} of {view.text(leak.opened)!r}"
    way = "when an exception leaves the function" if leak.on_error else "on some way out of the function"
    plan, refusal = open_in_with(view, flow, leak.resource, leak.opened)
    return view.diagnostic(
        RULE, leak.opened, f"{subject} is not closed {way}", story(view, flow, leak), plan, refusal, flow.body
    )


def story(view: View, flow: Flow, leak: Leak) -> Iterator[Note]:
    yield from taken(view, leak.taken)
    if is_closed_somewhere(flow, leak.resource):
        closes = [e for e in flow.events(Happening.CLOSED) if e.resource == leak.resource]
        yield view.note("this close is not reached on every way", closes[0].node)


def closing(view: View, flow: Flow) -> Iterator[tuple[str, ast.AST, bool]]:
    """The closes of sessions that an object opened when it was made, or for a block."""
    found = {close: (name, close, on_error) for name, close, on_error in closed_at_the_end(view, flow)}
    found |= {each[1]: each for each in closed_at_some_ends(view, flow) if each[1] not in found}
    yield from found.values() if found and not is_out_of_scope(view, flow) else ()


def report_closing(view: View, flow: Flow, attribute: str, close: ast.AST, on_error: bool) -> Diagnostic:
    """A method works with the session of its object and closes it at the end."""
    way = "when an exception leaves the function" if on_error else "on some way out of the function"
    message = f"session 'self.{attribute}' is not closed {way}: this close is not reached on every way"
    me = Value(OBJECT, f"{view.module.name}.{flow.body.owner}")
    plan, refusal = close_in_finally(view, flow, view.project.attribute(me, attribute).resource, close)
    return view.diagnostic(RULE, close, message, (), plan, refusal, flow.body)


def lent(view: View, flow: Flow) -> Iterator[tuple[Resource, ast.Call]]:
    """The registry's session that a context manager asks for and hands out, where it may come back held."""
    if view.is_test or not view.project.decorators(view.module, flow.body) & _MANAGERS:
        return
    for value, _ in flow.scope.yields:
        resource = value.resource
        if resource is None or resource.flavour != "scoped" or not is_left_held(flow, resource):
            continue
        asked = asking(flow, value, resource)
        if asked is not None and (resource.origin == PARAMETER or not is_removed(view.project, resource)):
            yield resource, asked


def asking(flow: Flow, session: Value, resource: Resource) -> ast.Call | None:
    """``session = Session()`` or ``session = given or Session()``: the call that asks the registry for its session."""
    given = {name for start in flow.starts for name, value in start.items() if value == (REGISTRY, name, resource, ())}
    names = {name for state in flow.returned for name, value in state.names.items() if value == session}
    for target, value in flow.body.assigned():
        if isinstance(target, ast.Name) and target.id in names:
            for call in calls_in(value):
                of_a_parameter = isinstance(call.func, ast.Name) and call.func.id in given
                if resource.origin == AMBIENT or of_a_parameter:
                    return call
    return None


def calls_in(value: ast.expr) -> list[ast.Call]:
    """The calls that may give a value: ``make()``, ``given or make()``."""
    choices = value.values if isinstance(value, ast.BoolOp) else [value]
    return [choice for choice in choices if isinstance(choice, ast.Call)]


def report_manager(view: View, flow: Flow, resource: Resource, asked: ast.Call) -> Diagnostic:
    """A context manager rolls back or commits its scoped session, and not on every way out."""
    message = f"session {asked_name(flow, asked)!r} is not closed {way_out(flow, resource)}"
    return view.diagnostic(RULE, asked, message, (), None, "a finally has to close or remove it", flow.body)


def asked_name(flow: Flow, asked: ast.Call) -> str:
    return next(ast.unparse(target) for target, value in flow.body.assigned() if within(value, asked))


def way_out(flow: Flow, resource: Resource) -> str:
    returned = any(resource in state.lives and state.lives[resource].may_hold for state in flow.returned)
    return "on some way out of the function" if returned else "when an exception leaves the function"


def report_passed_by(view: View, flow: Flow, release: Event) -> Diagnostic:
    """The scoped session is removed behind a ``yield``, which a failing block or request does not reach."""
    function = release.node.func if isinstance(release.node, ast.Call) else release.node
    name = ast.unparse(function.value) if isinstance(function, ast.Attribute) else "the registry"
    user = "the block" if is_manager(view, flow.body) else "whoever is given it"
    message = f"{name!r} is not removed when {user} raises, which passes this by"
    plan, refusal = close_in_finally(view, flow, release.resource, release.node)
    return view.diagnostic(RULE, release.node, message, (), plan, refusal, flow.body)


def report_worker(view: View, left: Left) -> Diagnostic:
    """A worker removes the scoped session at its end, and not on every way there."""
    flow, resource = left.flow, left.resource
    plan, refusal = repair(view, flow, resource, None)
    closes = [event.node for event in flow.events(Happening.CLOSED) if event.resource == resource]
    notes = [view.note("this is not reached on every way", close) for close in closes[:1]]
    message = f"{name_of(flow, resource)!r} is not removed {way_out(flow, resource)}"
    return view.diagnostic(RULE, first_use(flow, resource, None).node, message, notes, plan, refusal, flow.body)


RULE = Rule("ORM102", "session-not-closed-on-error", "session not closed on some way out", check)
