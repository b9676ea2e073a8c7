"""Plans that several rules share. Each answers with a plan or with the reason why there is none."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..fix.plans import AddImport, Step, WrapInFinally, WrapInWith
from ..model import Plan, Safety, Span
from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import AMBIENT, QUERY, RESULT, ROW, ROWS, Resource
from ..story import name_of

if TYPE_CHECKING:
    from ..view import View

Answer = tuple[Plan | None, str]
_CLOSERS = frozenset({"close", "aclose", "remove"})


def block_of(flow: Flow, statement: ast.stmt) -> list[ast.stmt]:
    """The list of statements that ``statement`` stands in."""
    for owner in (flow.body, *flow.body.own_nodes):
        for part in ("statements", "body", "orelse", "finalbody"):
            block = getattr(owner, part, None)
            if isinstance(block, list) and statement in block:
                return block
    return []


def statement_of(flow: Flow, node: ast.AST) -> ast.stmt | None:
    """The innermost statement of the body around an expression; a lambda has none."""
    if isinstance(flow.body.node, ast.Lambda):
        return None
    place = (node.lineno, node.col_offset)  # type: ignore[attr-defined]
    around = None
    for candidate in flow.body.own_nodes:
        if isinstance(candidate, ast.stmt):
            start = (candidate.lineno, candidate.col_offset)
            end = (candidate.end_lineno or 0, candidate.end_col_offset or 0)
            if start <= place < end and (around is None or start >= (around.lineno, around.col_offset)):
                around = candidate
    return around


def wrap_in_with(view: View, flow: Flow, resource: Resource, opened: ast.AST) -> Answer:
    """``session = make()`` becomes ``with make() as session:`` around the rest of its block."""
    name = name_of(flow, resource)
    statement = statement_of(flow, opened)
    if beside := adhoc(flow, opened):
        return None, f"{beside} should be used instead"
    if not name or statement is None or bound_by(statement) is not opened:
        return None, "the session is not assigned to a plain name of its own"
    block = block_of(flow, statement)
    rest = block[block.index(statement) + 1 :] if block else []
    if not rest:
        return None, "nothing follows the opening in its block"
    if used_after(flow, block, name):
        return None, f"{name!r} is used outside of the block in which it is opened"
    if bound_elsewhere(flow, name, statement):
        return None, f"{name!r} is bound to something else as well"
    if resource.is_async and wrapper(resource):
        return None, "an async registry is no context manager"
    rest = up_to_close(rest, name)
    drop = tuple(view.span(s) for s in rest if is_close(s, name))
    if len(drop) == len(rest):
        return None, "nothing but the close follows the opening"
    steps: list[object] = [
        WrapInWith(
            view.span(statement),
            view.span(opened),
            name,
            view.span(rest[-1]),
            drop,
            resource.is_async,
            wrapper(resource),
        )
    ]
    if wrapper(resource):
        steps.append(AddImport("contextlib", "closing"))
    safety, reason = how_safe(flow, resource)
    return Plan(f"open {name!r} in a with block", safety, tuple(steps), reason), ""


def bound_by(statement: ast.stmt) -> ast.expr | None:
    """What ``name = …`` binds its one name to, without an ``await``."""
    match statement:
        case (
            ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(target=ast.Name(), value=ast.expr() as value)
        ):
            return unawaited(value)
    return None


def wrapper(resource: Resource) -> str:
    """``raw_connection()`` is no context manager before SQLAlchemy 2.0, a registry never (measured on 1.4 to 2.1)."""
    return "closing" if resource.type == "PoolProxiedConnection" or resource.origin == AMBIENT else ""


def how_safe(flow: Flow, resource: Resource) -> tuple[Safety, str]:
    """Rows that leave the function are detached once the session is closed; plain values are not."""
    for state in flow.returned:
        if state.result.kind in (ROW, ROWS, QUERY, RESULT) and state.result.resource == resource:
            return (
                Safety.UNSAFE,
                "what is returned may be a row, which can no longer load anything once the session is closed",
            )
    return Safety.SAFE, ""


def is_close(statement: ast.stmt, name: str) -> bool:
    """``name.close()`` as a statement of its own, awaited or not."""
    if not isinstance(statement, ast.Expr):
        return False
    call = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in _CLOSERS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == name
    )


def up_to_close(statements: list[ast.stmt], name: str) -> list[ast.stmt]:
    """The statements up to the close by hand, where nothing uses the session after it; else all of them."""
    closes = [i for i, statement in enumerate(statements) if is_close(statement, name)]
    if not closes or any(mentions(statement, name) for statement in statements[closes[-1] + 1 :]):
        return statements
    return statements[: closes[-1] + 1]


def mentions(statement: ast.stmt, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(statement))


def unawaited(value: ast.expr) -> ast.expr:
    return value.value if isinstance(value, ast.Await) else value


def adhoc(flow: Flow, opened: ast.AST) -> str:
    """The framework's own session beside which this one is opened; "" for none."""
    return next((e.detail for e in flow.events(Happening.OPENED) if e.node is opened and e.detail), "")


def used_after(flow: Flow, block: list[ast.stmt], name: str) -> bool:
    last = block[-1].end_lineno or 0
    first = block[0].lineno
    return any(
        isinstance(node, ast.Name) and node.id == name and not first <= node.lineno <= last
        for node in flow.body.own_nodes
    )


def bound_elsewhere(flow: Flow, name: str, statement: ast.stmt) -> bool:
    return any(
        isinstance(node, ast.Name)
        and node.id == name
        and isinstance(node.ctx, (ast.Store, ast.Del))
        and not statement.lineno <= node.lineno <= (statement.end_lineno or 0)
        for node in flow.body.own_nodes
    ) or name in {p.arg for p in flow.body.parameters}


def without_docstring(statements: list[ast.stmt]) -> list[ast.stmt]:
    first = statements[0] if statements else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return statements[1:]
    return statements


def finally_around(
    view: View, statements: list[ast.stmt], cleanup: str, title: str, drop: tuple[Span, ...] = (), *others: Step
) -> Answer:
    """``cleanup`` runs in a ``finally`` around the statements; ``others`` are steps that it needs."""
    kept = without_docstring(statements)
    if not kept:
        return None, "there is nothing to put into a try"
    step = WrapInFinally(view.span(kept[0]), view.span(kept[-1]), cleanup, drop)
    return Plan(title, Safety.SAFE, (step, *others)), ""


__all__ = ["Answer", "block_of", "finally_around", "statement_of", "wrap_in_with"]
