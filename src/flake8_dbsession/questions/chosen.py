"""Whether what a function makes is made of something that its caller chooses, such as the URL of a database."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..session.body import Body
from ..session.flow import Flow
from ..view import View

_OF_URL = frozenset({"create_engine", "create_async_engine", "engine_from_config", "async_engine_from_config"})
_URL = frozenset({"url", "name_or_url", "configuration"})


def is_chosen_by_caller(view: View, flow: Flow, made: ast.AST) -> bool:
    """Whether the call depends on a parameter other than ``self``: each caller may name another database.

    Of an engine only the URL counts: how it is set up is no reason for another one.
    """
    if not isinstance(made, ast.Call):
        return False
    name = view.names.resolve(made.func) or ""
    given = urls(made) if name.rpartition(".")[2] in _OF_URL else [made]
    waiting = [part.id for expression in given for part in ast.walk(expression) if isinstance(part, ast.Name)]
    seen: set[str] = set()
    around = frozenset().union(*map(choosable, view.module.around(flow.body)))
    chosen = choosable(flow.body) | (around - flow.body.local_names)
    while waiting:
        name = waiting.pop()
        if name in chosen:
            return True
        if name not in seen and name in flow.body.local_names:
            seen.add(name)
            waiting.extend(sources(flow.body, name))
    return False


def urls(call: ast.Call) -> list[ast.expr]:
    """What says which database an engine is for."""
    named = [keyword.value for keyword in call.keywords if keyword.arg in _URL or keyword.arg is None]
    return [*call.args[:1], *named]


def choosable(body: Body) -> frozenset[str]:
    """The parameters, without the object whose method it is."""
    own = {"self", "cls"} if body.owner else set()
    return frozenset(parameter.arg for parameter in body.parameters) - own


def sources(body: Body, name: str) -> Iterator[str]:
    """The names that a local name is made of."""
    for target, value in bindings(body):
        if any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(target)):
            yield from (part.id for part in ast.walk(value) if isinstance(part, ast.Name))


def bindings(body: Body) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Each target with what is bound to it."""
    for node in body.own(ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.For, ast.AsyncFor, ast.With, ast.AsyncWith):
        match node:
            case ast.Assign(targets=targets, value=value):
                yield from ((target, value) for target in targets)
            case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
                yield target, value
            case ast.For(target=target, iter=value) | ast.AsyncFor(target=target, iter=value):
                yield target, value
            case ast.With(items=items) | ast.AsyncWith(items=items):
                yield from ((i.optional_vars, i.context_expr) for i in items if i.optional_vars is not None)
