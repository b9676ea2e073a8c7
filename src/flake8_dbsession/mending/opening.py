"""The fix of a session that is opened: a ``with`` block around what uses it, whether it has a name or not, or the close
of one that an object has opened."""

from __future__ import annotations

import ast

from ..fix.plans import OpenInWith, ReplaceExpression
from ..model import Plan, Safety
from ..session.flow import Flow
from ..session.values import FACTORY, OBJECT, SESSION, Resource
from ..view import View
from .common import (
    Answer,
    adhoc,
    block_of,
    bound_by,
    bound_elsewhere,
    finally_around,
    how_safe,
    statement_of,
    used_after,
    wrap_in_with,
)
from .keeping import bound_in, free_name, names_of

_SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return)
_MORE_THAN_ONCE = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def open_in_with(view: View, flow: Flow, resource: Resource, opened: ast.AST) -> Answer:
    """``session = make()`` or ``load(make())`` in a ``with`` block that reaches to the end of its own block."""
    statement = statement_of(flow, opened)
    held = attribute_of(flow, resource)
    if statement is not None and bound_by(statement) is opened and held:
        return close_of_object(view, flow, resource, statement, held)
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


def attribute_of(flow: Flow, resource: Resource) -> str:
    """``desk.session``, where an object that the function makes has opened the session; "" for a session by itself."""
    for states in flow.solution.before:
        for name, value in (item for state in states for item in state.names.items() if item[1].kind == OBJECT):
            pairs = (pair for pair in value.extra if isinstance(pair, tuple) and len(pair) == 2)
            own = next((n for n, held in pairs if held.kind == SESSION and held.resource == resource), "")
            if own and name.isidentifier():
                return f"{name}.{own}"
    return ""


def close_of_object(view: View, flow: Flow, resource: Resource, statement: ast.stmt, held: str) -> Answer:
    """``desk.session.close()`` in a ``finally`` around what follows ``desk = Desk()`` in its block."""
    name = held.partition(".")[0]
    block = block_of(flow, statement)
    rest = block[block.index(statement) + 1 :]
    if used_after(flow, block, name) or bound_elsewhere(flow, name, statement) or not rest:
        return None, f"{name!r} is not used in the block after it alone"
    close = f"{'await ' if resource.is_async else ''}{held}.close()"
    plan, refusal = finally_around(view, rest, close, f"close {held!r} in a finally")
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
