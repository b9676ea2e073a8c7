"""Remove the scoped session at the end of each unit of work

What it does
    Reports a worker (a thread's target, an executor's job, a consumer's callback, a task, a scheduler's job, an endless
    loop) that uses a scoped session and can end a unit of work with the connection still checked out.

Why it matters
    A scoped session lives as long as its thread or context. A thread that ends does not give its connection back
    (40 threads in a row without ``remove()`` on a pool of 5: 25 time-outs with the garbage collector on, measured), and
    an executor's thread keeps it, in the state the last job left it in, for the next job.

Stays silent when
    Every way out passes ``remove()``, ``close()``, ``commit()`` or ``rollback()``; when the framework removes the
    session (a request or app context of Flask-SQLAlchemy that is left, also one that feeds a bot with what it brings, a
    decorator, a teardown, a signal); when a loop
    ends as soon as a query of it finds no more, tries something until it works, turns the pages of an answer, or leaves
    the session alone; when the function is only called inside such a unit; when all sessions of the registry work on
    one connection. A context that a Celery worker pushes as it starts is not left between tasks. Leaving an app context
    does not remove a plain scoped session. Workers that share a decorator of their file are reported once, there. A
    worker that removes the session on one way and not on another is told by ORM102.

Fix safety
    Safe: ``remove()`` goes into a ``finally`` around the unit of work, inside the app context where there is one,
    because Flask-SQLAlchemy 3 raises ``RuntimeError`` outside of it. Unsafe where the work ends with changes that a
    caller may commit; refused where a turn of the loop begins with changes of the one before.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from ..flow.graph import Kind
from ..known import Entry
from ..mending.common import Answer, finally_around
from ..mending.spelling import spelled_registry
from ..model import Diagnostic, Note, Rule, Safety
from ..project.app import feeds_its_bots, stays_in_context
from ..project.runs.after_runs import is_removed_after
from ..project.runs.cleaning import is_cleaned_around, wrapping_call
from ..project.runs.handing import entries_by_handing
from ..questions.asking import ends_a_process, ends_with_commands
from ..questions.working_loops import Loop, endless_loop_holding, is_wait_in_between
from ..session.body import Body
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.state import CHANGED, WRITTEN, State
from ..session.values import AMBIENT, FUNCTION, JOINED, Resource
from ..story import name_of
from ..view import View

_IN_THE_DECORATOR = "a finally in the decorator has to remove it"
WORKERS = frozenset({"thread", "process", "timer", "consumer", "scheduler", "task", "socket", "bot"})
_UNITS = {"bot": "update", "consumer": "message", "scheduler": "job", "socket": "event", "timer": "run"}
"""What those do one after the other that are not called like it themselves."""


class Left(NamedTuple):
    """A registry that a unit of work may leave with a connection: a turn of ``loop``, or a run by ``worker``."""

    flow: Flow
    resource: Resource
    loop: Loop | None
    worker: Entry | None


def check(view: View) -> Iterator[Diagnostic]:
    alike: dict[object, list[Left]] = {}
    for left in left_held(view):
        if not is_removed_sometimes(left):
            wrapper = wrapping_call(view.project, view.module, left.flow.body) if left.loop is None else None
            alike.setdefault((wrapper, left.resource) if wrapper is not None else left, []).append(left)
    for lefts in alike.values():
        wrapper = wrapping_call(view.project, view.module, lefts[0].flow.body) if len(lefts) > 1 else None
        yield report(view, lefts[0]) if wrapper is None else report_decorator(view, wrapper, lefts)


def left_held(view: View) -> list[Left]:
    """Every registry that a unit of work in the file may leave with a connection that nobody gives back for it.

    A worker that takes it in a unit of work of its own, the call of another such function, is not to blame.
    """
    found = list(units_left_held(view))
    return [left for left in found if left.loop or not any(is_taken_by(view, left, other) for other in found)]


def is_taken_by(view: View, left: Left, other: Left) -> bool:
    first = first_use(left.flow, left.resource, None).node
    return left.resource == other.resource and isinstance(first, ast.Call) and is_call_of(view, first, other.flow)


def units_left_held(view: View) -> Iterator[Left]:
    if view.is_test or view.is_script:
        return
    for flow in view.flows:
        for resource in ambient(flow):
            loop = endless_loop_holding(view, flow, resource) if not flow.body.is_generator else None
            if loop is None:
                worker = worker_of(view, flow, resource) if is_left_held(flow, resource) else None
                if worker is not None:
                    yield Left(flow, resource, None, worker)
            elif not ends_with_commands(view, flow) and not is_wait_in_between(flow, resource, loop):
                yield Left(flow, resource, loop, None)


def worker_of(view: View, flow: Flow, resource: Resource) -> Entry | None:
    """Who runs the function as a unit of work after which nobody gives the session back: a worker, or one that calls it
    where it enters an app context itself."""
    if flow.events(Happening.PUSHED):
        return None  # the context that is pushed by hand belongs to another rule
    own = own_worker(view, flow, resource)
    if own is not None:
        return own if not is_cleaned(view, flow.body, own, resource) else None
    calling = calling_workers(view, flow) if enters_context(flow) else ()
    return next((entry for body, entry in calling if not is_cleaned(view, body, entry, resource)), None)


def own_worker(view: View, flow: Flow, resource: Resource) -> Entry | None:
    """The worker that runs the function itself.

    Flask-SQLAlchemy's session needs an app context, which whoever hands the function over elsewhere enters and leaves.
    """
    entries = view.units.entries(flow.body)
    if not entries and resource.flavour != "flask":
        entries = entries_by_handing(view.project, flow.body)
    return next((entry for entry in entries if entry.kind in WORKERS and not entry.is_waited_for), None)


def enters_context(flow: Flow) -> bool:
    """``with app.app_context():``, which nobody needs inside of another unit of work."""
    items = (item.context_expr for block in flow.body.own(ast.With) for item in block.items)
    return any(is_app_context(item) for item in items)


def calling_workers(view: View, flow: Flow) -> Iterator[tuple[Body, Entry]]:
    """The workers of the file that call the function, each with what it runs."""
    for body in view.module.bodies.values():
        entry = next((entry for entry in view.units.entries(body) if entry.kind in WORKERS), None)
        if entry is not None and any(is_call_of(view, call, flow) for call in body.own(ast.Call)):
            yield body, entry


def is_call_of(view: View, call: ast.Call, flow: Flow) -> bool:
    function = view.project.evaluate(view.module, call.func)
    return function.kind == FUNCTION and function.name == flow.body.qualified


def is_removed_sometimes(left: Left) -> bool:
    """Whether the unit of work gives the session back itself on one way: what it misses on others is another rule's."""
    ends = [state.lives.get(left.resource) for state in left.flow.returned]
    is_gone = left.resource in left.flow.scope.closed
    return left.loop is None and is_gone and any(life and not life.may_hold for life in ends)


def ambient(flow: Flow) -> list[Resource]:
    """The registries that the function takes a connection of, or commits for what it runs, and removes."""
    taken, committed = (
        {e.resource for e in flow.events(kind) if e.resource is not None}
        for kind in (Happening.TAKEN, Happening.COMMITTED)
    )
    used = taken | (committed & flow.scope.closed)
    return sorted(r for r in used if r.origin == AMBIENT and ":" not in r.key and r.pool != JOINED)


def is_left_held(flow: Flow, resource: Resource) -> bool:
    """Whether the function may end with the connection; not on a way past the app context that it enters on others.

    Flask-SQLAlchemy's session raises there, or the function runs inside a context of its caller's.
    """
    life = flow.exit_life(resource)
    return life is not None and life.may_hold and not (resource.flavour == "flask" and enters_context(flow))


def is_cleaned(view: View, body: Body, worker: Entry, resource: Resource) -> bool:
    """Whether whoever runs what the worker runs gives the session back."""
    if ends_a_process(view, worker):
        return True
    if resource.flavour == "flask" and (worker.cleans_flask_sqlalchemy or worker.kind == "task"):
        return worker.framework != "celery" or not view.project.once(stays_in_context)
    if resource.flavour == "flask" and worker.kind == "bot" and view.project.once(feeds_its_bots):
        return True
    if any(d.startswith("flask.copy_current") for d in view.project.decorators(view.module, body)):
        return True
    return (
        is_cleaned_around(view.project, view.module, body, resource, in_thread=worker.kind == "thread")
        or view.project.app.removes(resource, worker)
        or is_removed_after(view.project, resource, worker)
    )


def report(view: View, left: Left) -> Diagnostic:
    flow, resource, loop, worker = left
    name = name_of(flow, resource)
    unit = "turn of the loop" if worker is None else _UNITS.get(worker.kind, worker.kind)
    message = f"{name!r} is not removed at the end of each {unit}, which keeps its connection"
    plan, refusal = repair(view, flow, resource, loop)
    first = first_use(flow, resource, loop)
    return view.diagnostic(RULE, first.node, message, story(view, loop, worker), plan, refusal, flow.body)


def report_decorator(view: View, wrapper: tuple[Body, ast.Call], lefts: list[Left]) -> Diagnostic:
    """One report for all workers that run inside the same decorator, which can remove the session for them."""
    body, call = wrapper
    worker = lefts[0].worker
    unit = _UNITS.get(worker.kind, worker.kind) if worker is not None else "call"
    name = name_of(lefts[0].flow, lefts[0].resource)
    message = f"{name!r} is not removed at the end of each {unit}, which keeps its connection"
    return view.diagnostic(RULE, call, message, uses(view, lefts), None, _IN_THE_DECORATOR, body)


def uses(view: View, lefts: list[Left]) -> Iterator[Note]:
    for left in lefts:
        first = first_use(left.flow, left.resource, None)
        yield view.note(f"{left.flow.body.name!r} takes the connection here", first.node)


def first_use(flow: Flow, resource: Resource, loop: Loop | None) -> Event:
    taken, committed = (
        [e for e in flow.events(kind) if e.resource == resource] for kind in (Happening.TAKEN, Happening.COMMITTED)
    )
    uses = taken or committed
    if loop is not None:
        inside = [e for e in uses if loop.lineno <= e.node.lineno <= (loop.end_lineno or 0)]  # type: ignore[attr-defined]
        uses = inside or uses
    return uses[0]


def story(view: View, loop: Loop | None, worker: Entry | None) -> Iterator[Note]:
    if loop is not None:
        head = loop.test if isinstance(loop, ast.While) else loop.target
        yield view.note("the next turn begins with the connection still checked out", head)


def repair(view: View, flow: Flow, resource: Resource, loop: Loop | None) -> Answer:
    """``remove()`` in a finally: around the loop's body, or around what stands inside the app context."""
    found = spelled_registry(view, flow, resource)
    if found is None:
        return None, "the registry has no name here to remove it by"
    name = found.text
    if loop is not None and goes_on_writing(flow, resource, loop):
        return None, "what one turn writes may be committed by a later one, or after the loop"
    body = inner_context(loop.body if loop is not None else flow.body.statements)
    unit = using(flow, resource, body) if loop is not None else body
    drop = tuple(view.span(s) for s in released(unit, f"{name}.remove"))
    cleanup = f"{'await ' if resource.is_async else ''}{name}.remove()"
    plan, refusal = finally_around(view, unit, cleanup, f"remove {name!r} in a finally", drop, *found.steps)
    if plan is not None and loop is None and is_pending(flow.returned, resource):
        plan = plan._replace(safety=Safety.UNSAFE, reason="a caller that commits afterwards would lose the changes")
    return plan, refusal


def goes_on_writing(flow: Flow, resource: Resource, loop: Loop) -> bool:
    """Whether a turn may begin with changes of the one before: to remove the session would roll them back."""
    heads = (node for node in flow.nodes(Kind.TEST, Kind.ITEM) if node.statement is loop)
    return any(is_pending(flow.at(head), resource) for head in heads)


def is_pending(states: list[State], resource: Resource) -> bool:
    """Whether the session may hold changes that are neither committed nor rolled back."""
    lives = (state.lives[resource] for state in states if resource in state.lives)
    return any(life.may_hold and life.marks & (CHANGED | WRITTEN) for life in lives)


def using(flow: Flow, resource: Resource, statements: list[ast.stmt]) -> list[ast.stmt]:
    """The statements from the first use of the session on, without the waits at the end: they need no connection."""
    taken = [e.node.lineno for e in flow.events(Happening.TAKEN) if e.resource == resource]  # type: ignore[attr-defined]
    waits = {n.lineno for n in flow.scope.waits.values()}  # type: ignore[attr-defined]
    first = next(
        (i for i, s in enumerate(statements) if any(s.lineno <= line <= (s.end_lineno or 0) for line in taken)), 0
    )
    last = len(statements)
    while last - 1 > first and isinstance(statements[last - 1], ast.Expr) and statements[last - 1].lineno in waits:
        last -= 1
    return statements[first:last]


def released(statements: list[ast.stmt], release: str) -> list[ast.stmt]:
    """Releases by hand at the end of the unit, which the ``finally`` makes superfluous."""
    last = statements[-1] if statements else None
    if isinstance(last, ast.Try) and not last.handlers and last.body:
        last = last.body[-1]
    text = ast.unparse(last) if isinstance(last, ast.Expr) else ""
    return [last] if last is not None and text in (f"{release}()", f"await {release}()") else []


def is_app_context(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "app_context"


def inner_context(statements: list[ast.stmt]) -> list[ast.stmt]:
    """The block inside ``with app.app_context():`` where all of the statements stand in one."""
    while len(statements) == 1 and isinstance(statements[0], (ast.With, ast.AsyncWith)):
        call = statements[0].items[0].context_expr
        if not is_app_context(call):
            break
        statements = statements[0].body
    return statements


RULE = Rule("ORM103", "missing-remove", "scoped session not removed at the end of a unit of work", check)
