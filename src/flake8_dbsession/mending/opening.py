"""The fix of a session that is opened: a ``with`` block around what uses it, whether it has a name or not, the close of
one that an object has opened, or the close where one that is handed out would be lost with an exception."""

from __future__ import annotations

import ast

from ..fix.plans import OpenInWith, ReplaceExpression, WrapInExcept
from ..model import Plan, Safety
from ..questions.closing_attributes import closes
from ..session.flow import Flow
from ..session.state import GIVEN, RETURNED, STORED
from ..session.values import FACTORY, FUNCTION, OBJECT, SESSION, Resource, Value
from ..story import name_of
from ..view import View
from .common import (
    Answer,
    adhoc,
    block_of,
    bound_by,
    bound_elsewhere,
    finally_around,
    how_safe,
    is_close,
    statement_of,
    up_to_close,
    used_after,
    wrap_in_with,
)
from .keeping import bound_in, free_name, names_of

_SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return)
_MORE_THAN_ONCE = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def open_in_with(view: View, flow: Flow, resource: Resource, opened: ast.AST) -> Answer:
    """``session = make()`` or ``load(make())`` in a ``with`` block that reaches to the end of its own block."""
    statement = statement_of(flow, opened)
    if statement is not None and bound_by(statement) is opened:
        owner, attribute = owner_of(flow, resource)
        closed = closed_as(view, owner, attribute, resource.is_async)
        if is_handed_out(flow, resource):
            return close_on_exception(view, flow, resource, statement, closed)
        if owner is not None:
            return close_of_object(view, flow, resource, statement, closed)
    if statement is None or bound_by(statement) is opened or adhoc(flow, opened) or not makes_session(view, opened):
        return wrap_in_with(view, flow, resource, opened)
    if not isinstance(statement, _SIMPLE) or resource.is_async or not is_used_at_once(statement, opened):
        return None, "the session is opened where no block can be put around it"
    block = block_of(flow, statement)
    region = block[block.index(statement) :]
    name = free_name("session", names_of(flow))
    made = view.source.segment(view.span(opened))
    steps = (
        OpenInWith(view.span(statement), view.span(region[-1]), made, name),
        ReplaceExpression(view.span(opened), name),
    )
    safety, reason = how_safe(flow, resource)
    if is_needed_later(flow, region):
        safety, reason = Safety.UNSAFE, "what it gives is used outside of the block, where rows cannot load anything"
    return Plan("open the session in a with block", safety, steps, reason), ""


def is_handed_out(flow: Flow, resource: Resource) -> bool:
    """Whether the caller has the session on some way out, or whoever it is stored for."""
    lives = (state.lives[resource] for state in flow.returned if resource in state.lives)
    return any(life.marks & (RETURNED | STORED) for life in lives)


def owner_of(flow: Flow, resource: Resource) -> tuple[Value | None, str]:
    """The object that has opened the session and the name of its attribute, ``desk.session`` in all.

    None where the session is one by itself.
    """
    for states in flow.solution.before:
        for name, value in (item for state in states for item in state.names.items() if item[1].kind == OBJECT):
            pairs = (pair for pair in value.extra if isinstance(pair, tuple) and len(pair) == 2)
            own = next((n for n, held in pairs if held.kind == SESSION and held.resource == resource), "")
            if own and name.isidentifier():
                return value, f"{name}.{own}"
    return None, ""


def closed_as(view: View, owner: Value | None, held: str, is_async: bool) -> str:
    """What ends the session with ``.close()``: ``desk`` where its class has such a method, else ``desk.session``.

    "" where there is neither, because the attribute is the affair of the class.
    """
    name, _, attribute = held.rpartition(".")
    method = view.project.attribute(owner, "close") if owner is not None else None
    target = view.project.target(method) if method is not None and method.kind == FUNCTION else None
    ends = target is not None and target.body.node is not None and closes(target.body.node, attribute)
    if target is not None and ends and target.is_async == is_async:
        return name
    return "" if attribute.startswith("_") else held


def close_on_exception(view: View, flow: Flow, resource: Resource, statement: ast.stmt, closed: str) -> Answer:
    """``session.close()`` in an ``except`` that raises again, around what follows before it is handed out."""
    name = closed or name_of(flow, resource)
    lives = (state.lives[resource] for state in flow.returned if resource in state.lives)
    if any(life.may_hold and not life.marks & GIVEN for life in lives):
        return None, f"{name!r} is handed out on another way, and has to be closed on this one"
    block = block_of(flow, statement)
    rest = block[block.index(statement) + 1 :]
    if (
        not rest
        or not name.replace(".", "_").isidentifier()
        or bound_elsewhere(flow, name.partition(".")[0], statement)
    ):
        return None, f"{name!r} is handed out on another way: close it where an exception leaves"
    close = f"{'await ' if resource.is_async else ''}{name}.close()"
    step = WrapInExcept(view.span(rest[0]), view.span(rest[-1]), close)
    return Plan(f"close {name!r} where an exception leaves before it is handed out", Safety.SAFE, (step,)), ""


def close_of_object(view: View, flow: Flow, resource: Resource, statement: ast.stmt, closed: str) -> Answer:
    """``desk.close()`` or ``desk.session.close()`` in a ``finally`` around what follows ``desk = Desk()``."""
    if not closed:
        return None, "its class has no method that closes the session"
    name = closed.partition(".")[0]
    block = block_of(flow, statement)
    rest = up_to_close(block[block.index(statement) + 1 :], closed)
    if used_after(flow, block, name) or bound_elsewhere(flow, name, statement) or not rest:
        return None, f"{name!r} is not used in the block after it alone"
    close = f"{'await ' if resource.is_async else ''}{closed}.close()"
    drop = tuple(view.span(each) for each in rest if is_close(each, closed))
    plan, refusal = finally_around(view, rest, close, f"close {closed!r} in a finally", drop)
    if plan is None:
        return None, refusal
    safety, reason = how_safe(flow, resource)
    return plan._replace(safety=safety, reason=reason), ""


def makes_session(view: View, opened: ast.AST) -> bool:
    """Whether the expression is the call of a factory, and not of what has a session inside."""
    return isinstance(opened, ast.Call) and view.project.evaluate(view.module, opened.func).kind == FACTORY


def is_used_at_once(statement: ast.stmt, opened: ast.AST) -> bool:
    """Whether the session is asked or passed on where it is made, once, and kept by nobody."""
    inner = (part for part in ast.walk(statement) if isinstance(part, _MORE_THAN_ONCE))
    if any(part is opened for each in inner for part in ast.walk(each)):
        return False
    around = (part for part in ast.walk(statement) if opened in ast.iter_child_nodes(part))
    return any(isinstance(part, (ast.Call, ast.Attribute, ast.keyword)) for part in around)


def is_needed_later(flow: Flow, region: list[ast.stmt]) -> bool:
    """Whether a name that is bound in the statements is read outside of them."""
    inside = {part for each in region for part in ast.walk(each)}
    bound = {name for each in region for name in bound_in(each)}
    outside = (part for part in flow.body.own(ast.Name) if part not in inside and isinstance(part.ctx, ast.Load))
    return any(part.id in bound for part in outside)
