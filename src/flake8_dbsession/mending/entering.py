"""The fix of ``next(get_db())``: the generator is entered as a context manager, which runs it to its end."""

from __future__ import annotations

import ast

from ..fix.plans import AddImport, ReplaceExpression
from ..model import Plan, Safety
from ..session.events import Event
from ..session.flow import Flow
from ..session.values import FUNCTION
from ..view import View
from .common import Answer, wrap_in_with

_COMMITS = frozenset({"commit", "flush", "begin"})


def enter_generator(view: View, flow: Flow, event: Event) -> Answer:
    """``db = next(get_db())`` becomes ``with contextmanager(get_db)() as db:`` around the rest of its block."""
    made = generator_of(event.node)
    if made is None or event.resource is None:
        return None, "the generator is not asked by next() or one of its methods"
    if flow.body.node is None:
        return None, "at module level the session lives as long as the process"
    plan, refusal = wrap_in_with(view, flow, event.resource, event.node)
    if plan is None:
        return None, refusal
    manager = "asynccontextmanager" if event.resource.is_async else "contextmanager"
    given = ", ".join([*map(ast.unparse, made.args), *(unparsed(keyword) for keyword in made.keywords)])
    entered = f"{manager}({ast.unparse(made.func)})({given})"
    steps = (*plan.steps, ReplaceExpression(view.span(event.node), entered), AddImport("contextlib", manager))
    reason = plan.reason or does_more(view, made)
    safety = Safety.UNSAFE if reason else Safety.SAFE
    return Plan(f"enter {ast.unparse(made.func)}() as a context manager", safety, steps, reason), ""


def generator_of(asked: ast.AST) -> ast.Call | None:
    """``get_db()`` of ``next(get_db())``, ``get_db().__next__()`` and ``get_db().send(None)``."""
    match asked:
        case ast.Call(func=ast.Name(id="next" | "anext"), args=[ast.Call() as made]):
            return made
        case ast.Call(func=ast.Attribute(value=ast.Call() as made, attr="__next__" | "__anext__" | "send" | "asend")):
            return made
    return None


def unparsed(keyword: ast.keyword) -> str:
    return f"{keyword.arg}={ast.unparse(keyword.value)}" if keyword.arg else f"**{ast.unparse(keyword.value)}"


def does_more(view: View, made: ast.Call) -> str:
    """What the generator does at its end but to give the session back; "" where that is all."""
    name = ast.unparse(made.func)
    function = view.project.evaluate(view.module, made.func)
    target = view.project.target(function) if function.kind == FUNCTION else None
    if target is None:
        return f"what {name}() does at its end cannot be seen"
    for part in target.body.own_nodes:
        if isinstance(part, ast.Attribute) and part.attr in _COMMITS:
            return f"{name}() commits at its end, which it did not get to before"
        if isinstance(part, ast.ExceptHandler) and not isinstance(part.body[-1], ast.Raise):
            return f"{name}() swallows exceptions of the block"
    return ""
