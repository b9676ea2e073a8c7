"""Give each thread a session of its own

What it does
    Reports one session or connection that reaches several threads at once: as an argument of executor jobs, of threads
    or of objects whose class is one, through a closure or lambda, or as an attribute (``self.db``) that the jobs of an
    executor use, by themselves or through an object that it keeps (``self.orders``), or a closure that they run.

Why it matters
    A session is not safe for concurrent use. Four threads on one session failed in every one of 40 runs on PyMySQL,
    and 25 to 32 of 320 calls returned rows of another thread without any exception (measured). On SQLite and PostgreSQL
    reads survive and the first commit, rollback or close breaks.

Stays silent when
    A session is handed to one thread and not used by its creator until that thread has been joined, or asked for its
    result, or the block of its executor has ended; when an object works with a session of its own in one thread, and
    nowhere else; when threads get ids, factories or a scoped registry; when a lock lets them in one by one.

Fix safety
    Unsafe: each job opens a session of its own, ``with SessionLocal() as db:`` around what used ``self.db``, or
    through a function of the module, ``submit(in_own_session, work, …)``. Where helpers of a job use ``self.db`` too,
    it becomes a registry, ``scoped_session(SessionLocal)``, and each job removes its session in a ``finally``. As
    many connections are taken as jobs run at once. Refused where the session comes from the caller, where somebody
    else commits what a job changes, where a job returns rows, and where the session reaches the jobs through a
    closure.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..mending.sharing import own_sessions
from ..model import Diagnostic, Note, Rule
from ..names import dotted
from ..questions.asking import first_of_each_node, in_loop
from ..session.events import Event, Handover, Happening
from ..session.flow import Flow
from ..session.syntax import names_below
from ..session.values import OPENED
from ..view import View
from .orm303_request_session_escapes import outlives_request

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def check(view: View) -> Iterator[Diagnostic]:
    if view.is_test:
        return
    reported: set[ast.AST] = set()
    for flow in view.flows:
        events = [
            e for e in flow.events(Happening.HANDED_OVER) if is_shared(flow, e) and not outlives_request(view, flow, e)
        ]
        for event in first_of_each_node(events):
            where = where_taken(view, flow, event.detail) or event.node
            if where not in reported:
                reported.add(where)
                yield report(view, flow, event, where)


def is_shared(flow: Flow, event: Event) -> bool:
    """Whether two threads can use the session at the same time."""
    detail: Handover = event.detail
    if detail.concurrency not in ("thread", "greenlet", "process") or detail.through == "row" or event.resource is None:
        return False
    if is_waited_for_at_once(flow, event.node):
        return False
    if detail.concurrency != "process" and is_waited_for_by_its_block(flow, event):
        return False
    if in_loop(flow, event.node) and not is_of_the_turn(flow, event):
        return True
    if any(event.node in ast.walk(each) for each in flow.body.own(*COMPREHENSIONS)):
        return True
    if is_waited_for_by_name(flow, event.node):
        return used_beside(flow, detail.name, event)
    if detail.many or event.resource.origin != OPENED:
        return True
    return used_beside(flow, detail.name, event) or closed_beside(flow, event) or used_by_another(flow, event)


def is_of_the_turn(flow: Flow, event: Event) -> bool:
    """Whether the session is opened in the turn of the loop that hands it over: each thread has one of its own."""
    resource = event.resource
    if resource is None or resource.origin != OPENED:
        return False
    place = resource.key.partition(":")[0]
    handed = event.node.lineno  # type: ignore[attr-defined]
    inner = [loop for loop in flow.body.own(ast.For, ast.While) if loop.lineno < handed <= (loop.end_lineno or 0)]
    return bool(inner) and place.isdigit() and max(loop.lineno for loop in inner) < int(place) <= handed


def is_waited_for_at_once(flow: Flow, handed: ast.AST) -> bool:
    """``submit(work, session).result()``."""
    return any(
        isinstance(n, ast.Attribute) and n.value is handed and n.attr in ("result", "join") for n in flow.body.own_nodes
    )


def is_waited_for_by_its_block(flow: Flow, event: Event) -> bool:
    """``with ThreadPoolExecutor() as executor:`` around the one job that its executor is given, at the end of which
    the creator has waited for it; so long as nothing else uses the session in that block."""
    match event.node:
        case ast.Call(func=ast.Attribute(value=ast.Name() as executor, attr="submit")) as call:
            blocks = [block for block in flow.body.own(ast.With) if gives(block, executor)]
            only = [block for block in blocks if is_asked_once(flow, block, executor)]
            return any(not is_named_behind(block, call, event.detail.name) for block in only)
    return False


def gives(block: ast.With, executor: ast.Name) -> bool:
    """Whether a name inside a block is what the block has given it."""
    bound = (item.optional_vars for item in block.items)
    is_its = any(isinstance(name, ast.Name) and name.id == executor.id for name in bound)
    return is_its and executor in ast.walk(block)


def is_asked_once(flow: Flow, block: ast.With, executor: ast.Name) -> bool:
    """Whether the function speaks of the executor only there, and in no loop of the block."""
    named = [each for each in flow.body.own(ast.Name) if each.id == executor.id and isinstance(each.ctx, ast.Load)]
    loops = (part for part in ast.walk(block) if isinstance(part, (ast.For, ast.While, *COMPREHENSIONS)))
    return named == [executor] and not any(executor in ast.walk(loop) for loop in loops)


def is_named_behind(block: ast.With, call: ast.Call, name: str) -> bool:
    """Whether the block speaks of the session behind the call."""
    named = (part for part in ast.walk(block) if isinstance(part, (ast.Name, ast.Attribute)) and dotted(part) == name)
    return any(part.lineno > (call.end_lineno or 0) for part in named)


def is_waited_for_by_name(flow: Flow, handed: ast.AST) -> bool:
    """``job = submit(work, session)``, and ``job.result()`` or ``await job`` further down."""
    joined = (n.value for n in flow.body.own(ast.Attribute) if n.attr in ("join", "result"))
    jobs = names_of(flow, handed)
    return any(isinstance(job, ast.Name) and job.id in jobs for job in joined) or bool(awaits_of(flow, handed))


def names_of(flow: Flow, handed: ast.AST) -> set[str]:
    """The plain names that a thread, future or task is bound to."""
    return {target.id for target, value in flow.body.assigned() if value is handed and isinstance(target, ast.Name)}


def awaits_of(flow: Flow, handed: ast.AST) -> list[int]:
    """The lines on which the function awaits what it has handed over, alone or with others."""
    jobs = names_of(flow, handed)
    awaits = flow.body.own(ast.Await) if jobs else ()
    return [n.lineno for n in awaits if not jobs.isdisjoint(names_below(n.value))]


def used_beside(flow: Flow, name: str, event: Event) -> bool:
    """Whether the creator goes on with the session before it has waited for the thread."""
    joins = joins_after(flow, event.node)
    line = event.node.end_lineno or 0  # type: ignore[attr-defined]
    uses = [n.lineno for n in flow.body.own(ast.Name, ast.Attribute) if dotted(n) == name and n.lineno > line]
    return bool(uses) and (not joins or min(uses) < min(joins))


def closed_beside(flow: Flow, event: Event) -> bool:
    """Whether the creator closes the session (the end of a ``with`` block) without having waited for the thread."""
    closes = [e for e in flow.events(Happening.CLOSED) if e.resource == event.resource]
    return bool(closes) and not joins_after(flow, event.node)


def used_by_another(flow: Flow, event: Event) -> bool:
    """Whether the creator has the object work, or gives it to another thread, before it has waited for this one."""
    line = event.node.end_lineno or 0  # type: ignore[attr-defined]
    others = (e.node for e in flow.events(Happening.HANDED_OVER, Happening.TAKEN) if e.resource == event.resource)
    later = [node.lineno for node in others if node.lineno > line]  # type: ignore[attr-defined]
    joins = joins_after(flow, event.node)
    return bool(later) and (not joins or min(later) < min(joins))


def joins_after(flow: Flow, handed: ast.AST) -> list[int]:
    """The lines on which a thread, task, future or executor is waited for, from the handing over on."""
    start = handed.lineno  # type: ignore[attr-defined]
    joined = (n.lineno for n in flow.body.own(ast.Attribute) if n.attr in ("join", "result", "shutdown", "joinall"))
    return [line for line in (*joined, *awaits_of(flow, handed)) if line >= start]


def report(view: View, flow: Flow, event: Event, where: ast.AST) -> Diagnostic:
    detail: Handover = event.detail
    notes = [] if where is event.node else [view.note(f"{detail.to} runs in other threads and uses it", event.node)]
    others = "the threads that run" if detail.many else "a thread that runs"
    message = f"session {detail.name!r} is shared with {others} {detail.to!r}"
    plan, refusal = own_sessions(view, flow, event, where)
    return view.diagnostic(RULE, where, message, [*notes, *also(view, event)], plan, refusal, flow.body)


def where_taken(view: View, flow: Flow, detail: Handover) -> ast.AST | None:
    """For ``self.db`` the place where the class takes it."""
    owner = flow.body.owner or flow.body.name.partition(".<locals>")[0].rpartition(".")[0]
    info = view.module.classes.get(owner)
    if detail.through != "self" or info is None:
        return None
    values = info.attribute_values.get(detail.name.removeprefix("self."), [])
    return next((value for value, _ in values if isinstance(value, ast.Call)), None)


def also(view: View, event: Event) -> Iterator[Note]:
    if event.taken is not None:
        yield view.note("it holds a connection since here", event.taken)


RULE = Rule("ORM301", "session-shared-across-threads", "one session used by several threads", check)
