"""Do not take a second connection while the first is held

What it does
    Reports a session that is opened and used while another one holds its connection: in the same function, or by a
    function of the project that opens a session of its own.

Why it matters
    As many callers as the pool has connections can each hold one and wait for a second: every session is closed in the
    end, and still all of them time out (measured with 2 callers on a pool of 2).

Stays silent when
    The first session has committed, rolled back or closed; when the second comes from another engine, such as that of
    an object which is made meanwhile, or which one of the two is asked of as it is made; when the application keeps
    several engines and nothing tells that both have the same, as where an argument chooses one; when the session is
    passed on instead; in what only runs as a process starts; where all there is are files of SQLite under SQLAlchemy
    1, which have no pool.

Fix safety
    ``commit()`` of the first session goes before the second takes its connection: safe, unsafe or shown only as for
    ORM201. Passing the session on is often better.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from ..mending.releasing import release_before
from ..model import Diagnostic, Rule
from ..pool.kept import is_of_one_pool
from ..questions.asking import ends_with_commands, first_of_each_node, is_of_the_start
from ..questions.at_entry import provided, seconds_at_entry
from ..questions.inner_blocks import is_of_the_same_object
from ..questions.shells import serves_one_person
from ..session.events import Event, Happening, Second
from ..session.flow import Flow
from ..session.summary import Steps
from ..story import called, holding, name_of, taken, way
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        events = first_of_each_node(second_of_the_pool(view, flow)) if flow.body.node is not None else []
        once = bool(events) and (ends_with_commands(view, flow) or is_of_the_start(view, flow))
        if events and not once and not serves_one_person(view, flow.body):
            yield from (report(view, flow, event) for event in events)
        elif not events and flow.body.node is not None:
            yield from itertools.islice(reports_at_entry(view, flow), 1)


def reports_at_entry(view: View, flow: Flow) -> Iterator[Diagnostic]:
    """What takes a connection beside the one that the request's session holds since a dependency has used it."""
    for own, held in seconds_at_entry(view, flow):
        if held.session is not None and is_of_one_pool(view, held.session, own.resource):
            who = repr(called(own.way[0][0]) if own.way else view.text(own.node))
            notes = way(own.way, "takes a second connection here", "which takes it")
            message = f"{who} takes a second connection while {held.meanwhile}"
            yield view.diagnostic(RULE, own.node, message, notes, None, held.remedy, flow.body)


def second_of_the_pool(view: View, flow: Flow) -> Iterator[Event]:
    """Where a session takes a connection of the very pool that the first one has its own of."""
    for event in flow.events(Happening.SECOND):
        first, second = event.resource, event.detail
        if is_dropped_at_once(flow, event) or is_of_the_same_object(view, flow, event):
            continue
        if first is None or is_made_on_the_way(view, second) or is_of_new_object(flow, event):
            continue
        if is_of_one_pool(view, provided(view, flow.body, first), second.resource):
            yield event


def is_dropped_at_once(flow: Flow, event: Event) -> bool:
    """Whether the first connection is that of a statement ``engine.connect()``, which keeps nothing: it is back with
    its last reference."""
    first = event.resource
    is_unnamed = first is not None and first.is_connection and not name_of(flow, first)
    return is_unnamed and any(statement.value is event.taken for statement in flow.body.own(ast.Expr))


def is_made_on_the_way(view: View, second: Second) -> bool:
    """Whether an object takes the connection as it is made, of the engine that it has just made for itself."""
    owner = second.resource.pool.rpartition(".")[0]
    makes = any(name == f"{owner}.__init__" for name, _, _ in second.way)
    return makes and not view.project.is_single(owner)


def is_of_new_object(flow: Flow, event: Event) -> bool:
    """Whether one of the two is asked of an object with an engine of its own that is made for it, and lost with it:
    ``Store(url).count()``."""
    return any(receiver(node) in flow.scope.owners for node in (event.node, event.taken))


def receiver(node: ast.AST | None) -> ast.expr | None:
    """What a method is called of."""
    match node:
        case ast.Call(func=ast.Attribute(value=value)):
            return value
    return None


def report(view: View, flow: Flow, event: Event) -> Diagnostic:
    assert event.resource is not None
    steps: Steps = event.detail.way
    notes = [*taken(view, event.taken), *way(steps, "takes a second connection here", "which takes it")]
    who = repr(called(steps[0][0]) if steps else view.text(event.node))
    who = f"the end of {who}" if event.detail.at_end else who
    message = f"{who} takes a second connection while {holding(flow, event.resource)}"
    plan, refusal = release_before(view, flow, event)
    return view.diagnostic(RULE, event.node, message, notes, plan, refusal, flow.body)


RULE = Rule("ORM206", "second-session-while-connected", "second session used while the first holds", check)
