"""Questions that several rules ask before they report."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ..known import Entry
from ..project.project import Project
from ..project.runs.importers import is_pipeline
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.leaks import Leak, leaks, registry_leaks
from ..session.values import Resource
from ..story import name_of
from ..view import View, asked_once
from .always_given import is_always_given
from .own_engines import ends_with_its_engine
from .stored import stored_leaks

SCHEMA = frozenset({"create_all", "drop_all"})
"""Methods that make or drop all tables."""
_FORKING = frozenset({"rq"})
"""Job queues whose worker forks for each job."""


@asked_once
def is_out_of_scope(view: View, flow: Flow) -> bool:
    """Test code and commands that end: what they hold ends with their process."""
    if view.is_test:
        return True
    is_of_script = view.is_script and not view.is_called_for_good(flow.body)
    return (is_of_script or view.units.is_short_lived(flow.body)) and ends(view, flow)


@asked_once
def ends_with_commands(view: View, flow: Flow) -> bool:
    """As :func:`is_out_of_scope`, and what only commands call: asked of what there is something to say about."""
    return is_out_of_scope(view, flow) or (ends(view, flow) and view.serves_commands(flow.body))


def is_of_the_start(view: View, flow: Flow) -> bool:
    """Whether the function comes to an end, and runs before anything is served, or after that."""
    return flow.body.node is not None and ends(view, flow) and view.is_of_the_start(flow.body)


@asked_once
def ends(view: View, flow: Flow) -> bool:
    """Whether the function comes to an end: it returns, or, without an endless loop, it ends the process itself."""
    if flow.returned or any(isinstance(loop.test, ast.Constant) for loop in flow.body.own(ast.While)):
        return bool(flow.returned)
    called = (view.names.resolve(call.func) for call in flow.body.own(ast.Call))
    return any(name in view.project.known.conventions.never_returns for name in called)


def ignorable(view: View, flow: Flow, leak: Leak) -> bool:
    """A command may leave a session to the end of its process, but not one in each turn of a loop, nor if it serves.

    So may what makes the tables, once. A migration has as many turns as there are databases.
    """
    if view.is_test or view.is_migration:
        return True
    is_each_time = leak.lost or (not flow.returned and in_loop(flow, leak.opened))
    if not is_each_time and is_let_go_with_the_process(view, flow, leak):
        return True
    if not is_each_time and ends_with_commands(view, flow) and not serves(view, flow, leak):
        return True
    if not is_each_time and (ends_with_its_process(view, flow) or makes_tables(flow)):
        return True
    if not is_each_time and ends(view, flow) and view.project.once(is_pipeline):
        return True
    return is_always_given(view, flow, leak.opened) or ends_with_its_engine(view, flow, leak.resource)


def is_let_go_with_the_process(view: View, flow: Flow, leak: Leak) -> bool:
    """Whether a command goes on for good, and takes the connection in a turn: the exception that ends it ends its
    process. What it has taken before, or keeps from one turn to the next on every way, it keeps all along."""
    if not leak.on_error or flow.returned or not view.units.is_short_lived(flow.body):
        return False
    if leak.taken is None or not in_loop(flow, leak.taken):
        return False
    heads = (loop.lineno for loop in flow.body.own(ast.While))
    return not (leak.always and any(may_leak_at(flow, leak.resource, line) for line in heads))


def makes_tables(flow: Flow) -> bool:
    """Whether the function makes or drops tables on a connection: ``Base.metadata.create_all(connection)``."""
    calls = (call for call in flow.body.own(ast.Call) if isinstance(call.func, ast.Attribute) and call.args)
    return any(call.func.attr in SCHEMA for call in calls)


def ends_with_its_process(view: View, flow: Flow) -> bool:
    """Whether the function is only ever run in a process of its own, which gives everything back as it ends, or by a
    command, as far as its file says."""
    entries = view.units.entries(flow.body)
    own = [entry for entry in entries if ends_a_process(view, entry)]
    if not own or not ends(view, flow) or not all(entry.is_short_lived for entry in entries if entry not in own):
        return False
    return not view.is_called_by_function(flow.body)


def ends_a_process(view: View, entry: Entry) -> bool:
    """A process of its own, which ends with the function; or a job whose worker forks for it."""
    forks = entry.framework in _FORKING and not view.project.once(has_simple_workers)
    return entry.cleans_all or forks


def has_simple_workers(project: Project) -> bool:
    """Whether workers of RQ run their jobs in their own process, one after the other."""
    return any(True for _ in project.app.files_with(b"SimpleWorker"))


def serves(view: View, flow: Flow, leak: Leak) -> bool:
    """Whether the function goes on to serve requests, with a session that may hold a connection all the time.

    Of one that surely does ORM203 speaks.
    """
    if any(event.resource == leak.resource for event in flow.events(Happening.WAITED)):
        return False
    for (what, *_), node in flow.scope.waits.items():
        fact = view.project.known.call(what.name)
        if fact is not None and fact.what == "requests" and may_leak_at(flow, leak.resource, node.lineno):  # type: ignore[attr-defined]
            return True
    return False


def may_leak_at(flow: Flow, resource: Resource, line: int) -> bool:
    """Whether the session may hold a connection on a way that comes to the line."""
    lives = (state.lives.get(resource) for node in flow.graph.nodes if node.line == line for state in flow.at(node))
    return any(life is not None and life.may_leak for life in lives)


def is_closed_somewhere(flow: Flow, resource: Resource) -> bool:
    """Whether any path closes the session."""
    return any(e.resource == resource for e in flow.events(Happening.CLOSED))


def is_released_here(flow: Flow, resource: Resource | None) -> bool:
    """Whether the session is closed on every way out that knows it."""
    ends = [s.lives[resource] for s in (*flow.returned, *flow.raised) if resource is not None and resource in s.lives]
    closed = any(e.resource == resource for e in flow.events(Happening.CLOSED))
    return closed and not any(life.may_hold for life in ends)


def in_loop(flow: Flow, node: ast.AST) -> bool:
    """Whether the node stands in a loop or comprehension of the function."""
    line = node.lineno  # type: ignore[attr-defined]
    loops = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
    for loop in flow.body.own_nodes:
        if isinstance(loop, loops) and loop is not node and loop.lineno <= line <= (loop.end_lineno or 0):
            head = loop.iter if isinstance(loop, (ast.For, ast.AsyncFor)) and loop.lineno == line else None
            if head is None or not within(head, node):
                return True
    return False


def within(outer: ast.AST, node: ast.AST) -> bool:
    return any(part is node for part in ast.walk(outer))


def first_of_each_node(events: Iterable[Event]) -> list[Event]:
    """One event for each place."""
    seen: dict[ast.AST, Event] = {}
    for event in events:
        seen.setdefault(event.node, event)
    return list(seen.values())


@asked_once
def owned_leaks(view: View, flow: Flow) -> list[tuple[Leak, str]]:
    """Every leak of a function with the name its session goes by ("" for none)."""
    named = [(leak, name_of(flow, leak.resource)) for leak in (*leaks(flow), *registry_leaks(flow))]
    found = named + stored_leaks(view, flow)
    of_generators = {event.resource for event in flow.events(Happening.DISCARDED_GENERATOR)}
    once: dict[ast.AST, tuple[Leak, str]] = {}  # one call may open a session of one database or another
    for leak, name in found:
        if leak.resource not in of_generators:  # ORM105 speaks of those
            once.setdefault(leak.opened, (leak, name))
    return list(once.values())
