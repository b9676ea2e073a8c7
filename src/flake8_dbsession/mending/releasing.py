"""The fix of a wait: a transaction that has only read ends before it, so that its connection is back meanwhile."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from ..fix.plans import InsertBefore, Step
from ..flow.graph import Node
from ..model import Plan, Safety
from ..questions.asking import within
from ..questions.touching import touches
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.state import BROKEN, CHANGED, FAILED, GIVEN, STREAMING, TOUCHED, WRITTEN, Life
from ..session.summary import Wait
from ..session.values import FUNCTION, JOINED, OPENED, TRANSACTION, Resource
from ..story import generator_with
from ..view import View
from .afterwards import Afterwards, Use, evaluated, node_of
from .beginning import begins_unit
from .catching import in_handler, is_swallowed, raises_again
from .common import Answer, statement_of
from .given_rows import given_rows
from .keeping import keep, way_to
from .spelling import spelled_as_asked

_OF_GENERATOR = "the generator has its session to itself: read all of its items first, or have it read pages"
_BLOCKS = (ast.While, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Try, ast.Match)
_TRUST = {safety: number for number, safety in enumerate((Safety.SAFE, Safety.UNSAFE, Safety.DISPLAY))}
Release = tuple[tuple[Step, ...], Safety, str]
"""The steps that go before the release, and how far it can be trusted."""
Loop = ast.While | ast.For | ast.AsyncFor


class Place(NamedTuple):
    """A statement to put something before, and the step of control that it begins with."""

    statement: ast.stmt
    node: Node


def release_before(view: View, flow: Flow, event: Event) -> Answer:
    """``session.commit()`` before the wait at ``event``, or further up where that is as good: before a wait above it,
    or before a loop that leaves the session alone.

    The commit ends the transaction and keeps the session usable: what comes later takes a connection again. In an
    ``except`` it is ``rollback()``, since the connection may be what failed, and so it is after a statement that may
    have failed and where a failure of the commit would be swallowed. The use of a second session waits too.
    """
    own, refusal = released_at(view, flow, event, own_place(flow, event))
    for place in places_above(view, flow, event):
        plan, _ = released_at(view, flow, event, place)
        if plan is not None and (own is None or _TRUST[plan.safety] <= _TRUST[own.safety]):
            return plan, ""
    return own, refusal


def own_place(flow: Flow, event: Event) -> Place | None:
    """The statement that waits; None where nothing can be put before it for each wait."""
    statement, node = statement_of(flow, event.node), node_of(flow, event.node)
    if statement is None or node is None:
        return None
    loops = isinstance(statement, (ast.For, ast.AsyncFor)) and event.happening is not Happening.SECOND
    return None if loops or isinstance(statement, _BLOCKS) else Place(statement, node)


def places_above(view: View, flow: Flow, event: Event) -> Iterator[Place]:
    """Where the connection can be given back before the wait, the first in the file first."""
    for wait in [*earlier_waits(view, flow, event), event]:
        for loop in loops_around(flow, wait):
            node = node_of(flow, loop.test if isinstance(loop, ast.While) else loop.iter)
            if node is not None and is_left_alone(view, flow, loop, wait):
                yield Place(loop, node)
        place = own_place(flow, wait)
        if place is not None and wait is not event:
            yield place


def earlier_waits(view: View, flow: Flow, event: Event) -> list[Event]:
    """The waits before, in the same block or one around it, that the same connection is held for, with nothing between
    that would take it again."""
    statement = statement_of(flow, event.node)
    before = set(way_to(flow, statement)) if statement is not None else set()
    waits = [e for e in flow.events(Happening.WAITED, Happening.SECOND) if statement_of(flow, e.node) in before]
    same = [wait for wait in waits if wait.resource == event.resource and wait.taken is event.taken]
    if statement is None or event.resource is None or not same:
        return []
    lines = {node.lineno for node in touches(view, flow, event.resource)}  # type: ignore[attr-defined]
    last = max((line for line in lines if line < statement.lineno), default=0)
    return [wait for wait in same if wait.node.lineno > last]  # type: ignore[attr-defined]


def loops_around(flow: Flow, event: Event) -> list[Loop]:
    """The loops that the wait stands in, or whose header waits; the outermost first."""
    return [loop for loop in flow.body.own(ast.While, ast.For, ast.AsyncFor) if within(loop, event.node)]


def is_left_alone(view: View, flow: Flow, loop: Loop, event: Event) -> bool:
    """Whether a loop holds the connection that was taken before it, and does nothing with the session."""
    inside = set(ast.walk(loop))
    if event.resource is None or event.taken is None or event.taken in inside:
        return False
    for node in flow.graph.nodes:
        for state in flow.at(node) if node.syntax in inside else ():
            life = state.lives.get(event.resource)
            if life is None or not life.surely_holds or state.steps.get(event.resource) is not event.taken:
                return False
    return not any(node in inside for node in touches(view, flow, event.resource))


def released_at(view: View, flow: Flow, event: Event, place: Place | None) -> Answer:
    """The plan for one place."""
    resource = event.resource
    if resource is None or place is None:
        return None, "nothing can be put before the wait for each of its turns"
    if isinstance(event.detail, Wait) and event.detail.read[0]:
        return None, "a row that is passed on is read there: read its columns before the commit, and pass those"
    if resource.flavour == JOINED:
        return None, "the session works on a connection that a commit does not give back"
    written = spelled_as_asked(view, flow, resource)
    if written is None:
        return None, _OF_GENERATOR if generator_with(flow, resource) else "the session has no name here"
    refusal = next(hindrances(view, flow, resource, place.node), "")
    if refusal:
        return None, refusal
    failed = may_have_failed(flow, resource, place.node) or may_be_broken(flow, resource, place.node)
    gives_up = failed or in_handler(flow, place.statement)
    kept, safety, reason = how_safe(view, flow, event, place, expires=gives_up or not resource.keeps_rows)
    if safety is Safety.SAFE and not gives_up and is_swallowed(flow, place.statement):
        gives_up = True
        kept, safety, reason = how_safe(view, flow, event, place, expires=True)
    call = f"{'await ' if resource.is_async else ''}{written.text}.{'rollback' if gives_up else 'commit'}()"
    title = f"end the transaction of {written.text!r} first"
    return Plan(title, safety, (*kept, InsertBefore(view.span(place.statement), call), *written.steps), reason), ""


def hindrances(view: View, flow: Flow, resource: Resource, place: Node) -> Iterator[str]:
    """Why nothing can be released there."""
    lives = [state.lives[resource] for state in flow.at(place) if resource in state.lives]
    if resource.is_connection:
        yield "a connection is given back by close() only"
    if resource.is_async and not flow.body.is_async:
        yield "await needs an async function around it"
    if not any(life.surely_holds for life in lives) or takes_there(flow, resource, place):
        yield "the statement that waits takes the connection itself"
    if any(life.marks & STREAMING for life in lives):
        yield "its rows are still being streamed"
    if in_transaction_block(view, flow, resource, place):
        yield "the transaction belongs to a begin() block, which ends it"


def may_have_failed(flow: Flow, resource: Resource, place: Node) -> bool:
    """Whether a failure may have been swallowed before, after which only ``rollback()`` helps."""
    return any(state.lives[resource].phases & FAILED for state in flow.at(place) if resource in state.lives)


def may_be_broken(flow: Flow, resource: Resource, place: Node) -> bool:
    """Whether the failure of a statement may have been swallowed before: with its connection lost, the session can be
    used again after ``rollback()`` only (measured)."""
    return any(state.lives[resource].marks & BROKEN for state in flow.at(place) if resource in state.lives)


def takes_there(flow: Flow, resource: Resource, place: Node) -> bool:
    """Whether the step that waits runs SQL as well."""
    asked = [e.node for e in flow.events(Happening.QUERIED) if e.resource == resource]
    return any(within(syntax, node) for syntax in evaluated(place) for node in asked)


def in_transaction_block(view: View, flow: Flow, resource: Resource, place: Node) -> bool:
    """Whether ``with session.begin():`` is around, here or in the function that hands the session out."""
    values = [v for state in flow.at(place) for name, v in state.names.items() if name.startswith("<")]
    if any(value.kind == TRANSACTION and value.resource == resource for value in values):
        return True
    opened = next((e.node for e in flow.events(Happening.OPENED) if e.resource == resource), None)
    if not isinstance(opened, ast.Call):
        return False
    if isinstance(opened.func, ast.Attribute) and opened.func.attr == "begin":
        return True
    function = view.project.evaluate(view.module, opened.func)
    target = view.project.target(function) if function.kind == FUNCTION else None
    parts = ast.walk(target.body.node) if target is not None and target.body.node is not None else ()
    return any(isinstance(part, ast.Attribute) and part.attr in ("begin", "begin_nested") for part in parts)


def how_safe(view: View, flow: Flow, event: Event, place: Place, *, expires: bool) -> Release:
    """Safe where the transaction is the function's own, has only read, and no row of it is read anew afterwards.

    The steps keep columns that are read afterwards in names of their own: they have the value that the row has then,
    since a row that is loaded is not loaded again while its transaction lasts.
    """
    resource = event.resource
    assert resource is not None
    lives = [state.lives[resource] for state in flow.at(place.node) if resource in state.lives]
    if any(life.marks & (WRITTEN | CHANGED) for life in lives if life.phases & ~FAILED):
        return (), Safety.DISPLAY, "the transaction may have changed something, which would be committed too early"
    if may_have_failed(flow, resource, place.node):
        return with_failure(view, flow, event, place)
    if not expires:
        return (), *shared(view, flow, resource, lives)
    afterwards = Afterwards(flow, place.node, resource)
    kept = keep(view, flow, resource, place.statement, afterwards.reads)
    if afterwards.reads and not kept:
        return read_anew(view, flow, event, place, afterwards)
    safety, reason = shared(view, flow, resource, lives)
    if safety is Safety.SAFE:
        safety, reason = later(afterwards, given_rows(view, flow, resource))
    return kept, safety, reason


def with_failure(view: View, flow: Flow, event: Event, place: Place) -> Release:
    """A session that may have failed goes on after a rollback, where it would raise without one."""
    assert event.resource is not None
    afterwards = Afterwards(flow, place.node, event.resource)
    kept, safety, reason = (
        read_anew(view, flow, event, place, afterwards) if afterwards.reads else ((), Safety.SAFE, "")
    )
    if safety is Safety.DISPLAY or raises_again(flow, place.statement):
        return kept, safety, reason
    return kept, Safety.UNSAFE, "the session may have failed, and would go on without what was lost"


def read_anew(view: View, flow: Flow, event: Event, place: Place, afterwards: Afterwards) -> Release:
    """How far rows can be read again: what waits needs their columns before, and only ``await`` can load them later
    where the session is async."""
    first = min(afterwards.reads, key=line_of)
    if event.resource is not None and event.resource.is_async:
        return (), Safety.DISPLAY, f"{first.name!r} is read afterwards, which an async session cannot load by itself"
    early = [use for use in afterwards.reads if line_of(use) <= event.node.end_lineno]  # type: ignore[attr-defined]
    kept = keep(view, flow, event.resource, place.statement, early) if early and event.resource is not None else ()
    if early and not kept:
        return (), Safety.DISPLAY, f"{first.name!r} is read before the wait is over, which takes the connection again"
    later = min((use for use in afterwards.reads if use not in early), key=line_of, default=first)
    reason = f"{later.name!r} is read afterwards, which takes a connection again and may read other values"
    return kept, Safety.UNSAFE, reason


def line_of(use: Use) -> int:
    return use.node.lineno  # type: ignore[attr-defined,no-any-return]


def shared(view: View, flow: Flow, resource: Resource, lives: list[Life]) -> tuple[Safety, str]:
    """Whether anybody else may have part in the transaction, or may have changed rows of it."""
    if any(life.marks & TOUCHED for life in lives):
        return Safety.UNSAFE, "rows were passed on before, and may have been changed"
    given = any(life.marks & GIVEN for life in lives)
    if given or not (resource.origin == OPENED or begins_unit(view, flow, resource)):
        return Safety.UNSAFE, "whoever else has the session may have changes or rows in the transaction"
    return Safety.SAFE, ""


def later(afterwards: Afterwards, others: frozenset[str]) -> tuple[Safety, str]:
    """How far what comes later can do without the transaction of before; ``others`` may be rows that came with it."""
    derived = afterwards.derived() or afterwards.first_read(others)
    if derived:
        return Safety.UNSAFE, f"{derived!r} may hold rows, which would be read anew afterwards"
    changed = next((use.name for use in afterwards.changes), "")
    if changed:
        return Safety.UNSAFE, f"{changed!r} is changed afterwards, in another transaction than it was read in"
    return Safety.SAFE, ""
