"""The fix of a wait: a transaction that has only read ends before it, so that its connection is back meanwhile."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .afterwards import Afterwards, evaluated, node_of
from .fix.plans import InsertBefore
from .flow.graph import Node
from .mending import Answer, block_of, statement_of
from .model import Plan, Safety
from .reports import within
from .session.events import Event, Happening
from .session.flow import Flow
from .session.state import CHANGED, FAILED, GIVEN, STREAMING, WRITTEN
from .session.values import FUNCTION, OPENED, TRANSACTION, Resource
from .spelling import spelled
from .view import View

_BLOCKS = (ast.While, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Try, ast.Match)


def release_before(view: View, flow: Flow, event: Event) -> Answer:
    """``session.commit()`` before the wait at ``event``, or before an earlier one in its block where that is as good.

    The commit ends the transaction and keeps the session usable: what comes later takes a connection again. In an
    ``except`` it is ``rollback()``, since the connection may be what failed. The use of a second session waits too.
    """
    own, refusal = released_at(view, flow, event)
    if own is None:
        return None, refusal
    for earlier in earlier_waits(flow, event):
        plan, _ = released_at(view, flow, earlier)
        if plan is not None and (plan.safety, plan.reason) == (own.safety, own.reason):
            return plan, ""
    return own, ""


def earlier_waits(flow: Flow, event: Event) -> list[Event]:
    """The waits before, in the same block, that the same connection is held for."""
    statement = statement_of(flow, event.node)
    block = block_of(flow, statement) if statement is not None else []
    before = block[: block.index(statement)] if statement in block else []
    return [
        other
        for other in flow.events(Happening.WAITED, Happening.SECOND)
        if other.resource == event.resource and other.taken is event.taken and statement_of(flow, other.node) in before
    ]


def released_at(view: View, flow: Flow, event: Event) -> Answer:
    """The plan for one wait by itself."""
    resource = event.resource
    statement = statement_of(flow, event.node)
    place = node_of(flow, event.node)
    if resource is None or statement is None or place is None:
        return None, "the wait stands where nothing can be put before it"
    written = spelled(view, flow, resource)
    if written is None:
        return None, "the session has no name here"
    loops = isinstance(statement, (ast.For, ast.AsyncFor)) and event.happening is not Happening.SECOND
    if loops or isinstance(statement, _BLOCKS):
        return None, "nothing can be put before the header of a loop or block for each of its turns"
    refusal = next(hindrances(view, flow, resource, place), "")
    if refusal:
        return None, refusal
    handled = in_handler(flow, statement)
    safety, reason = how_safe(flow, resource, place, expires=handled or not resource.keeps_rows)
    call = f"{'await ' if resource.is_async else ''}{written.text}.{'rollback' if handled else 'commit'}()"
    title = f"end the transaction of {written.text!r} first"
    return Plan(title, safety, (InsertBefore(view.span(statement), call), *written.steps), reason), ""


def in_handler(flow: Flow, statement: ast.stmt) -> bool:
    """Whether the statement stands in an ``except``."""
    handlers = [handler for each in flow.body.own(ast.Try) for handler in each.handlers]
    return any(handler.lineno <= statement.lineno <= (handler.end_lineno or 0) for handler in handlers)


def hindrances(view: View, flow: Flow, resource: Resource, place: Node) -> Iterator[str]:
    """Why nothing can be released there."""
    lives = [state.lives[resource] for state in flow.at(place) if resource in state.lives]
    if resource.is_connection:
        yield "a connection is given back by close() only"
    if resource.is_async and not flow.body.is_async:
        yield "await needs an async function around it"
    if not any(life.surely_holds for life in lives) or takes_there(flow, resource, place):
        yield "the statement that waits takes the connection itself"
    if any(life.phases & FAILED for life in lives):
        yield "the session may have failed, and needs a rollback"
    if any(life.marks & STREAMING for life in lives):
        yield "its rows are still being streamed"
    if in_transaction_block(view, flow, resource, place):
        yield "the transaction belongs to a begin() block, which ends it"


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


def how_safe(flow: Flow, resource: Resource, place: Node, *, expires: bool) -> tuple[Safety, str]:
    """Safe where the transaction is the function's own, has only read, and nothing of it is read afterwards."""
    lives = [state.lives[resource] for state in flow.at(place) if resource in state.lives]
    if any(life.marks & (WRITTEN | CHANGED) for life in lives):
        return Safety.DISPLAY, "the transaction may have changed something, which would be committed too early"
    afterwards = Afterwards(flow, place, resource)
    row = afterwards.row() if expires else ""
    if row:
        return Safety.DISPLAY, f"{row!r} is read afterwards, which takes a connection again and may read other values"
    if resource.origin != OPENED or any(life.marks & GIVEN for life in lives):
        return Safety.UNSAFE, "whoever else has the session may have changes or rows in the transaction"
    derived = afterwards.derived() if expires else ""
    if derived:
        return Safety.UNSAFE, f"{derived!r} may hold rows, which would be read anew afterwards"
    return Safety.SAFE, ""
