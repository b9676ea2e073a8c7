"""Whether what a function makes is made of something that its caller chooses, such as the URL of a database."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..project.runs.commands import goes_on, loops, speaking, uses
from ..session.body import Body
from ..session.flow import Flow
from ..session.values import OBJECT
from ..view import View

_OF_URL = frozenset({"create_engine", "create_async_engine", "engine_from_config", "async_engine_from_config"})
_URL = frozenset({"url", "name_or_url", "configuration"})
_SETTINGS = frozenset({"pydantic.BaseSettings", "pydantic_settings.BaseSettings"})


def is_chosen_by_caller(view: View, flow: Flow, made: ast.AST) -> bool:
    """Whether the call depends on a parameter other than ``self``: each caller may name another database.

    Of an engine only the URL counts: how it is set up is no reason for another one.
    """
    return bool(chosen_by_caller(view, flow, made))


def is_the_same_in_each_turn(view: View, flow: Flow, made: ast.AST) -> bool:
    """Whether a loop of the file that goes on for good calls the function and tells it the same in each turn."""
    chosen = chosen_by_caller(view, flow, made)
    for user in speaking(view.module, flow.body) if chosen else ():
        for called in uses(user, flow.body)[0]:
            loop = next((each for each in loops(user) if goes_on(each, called)), None)
            call = next(call for call in user.own(ast.Call) if call.func is called)
            told = list(given_for(flow.body, call, chosen)) if loop is not None else []
            if loop is not None and len(told) == len(chosen) and not any(changes_in(loop, each) for each in told):
                return True
    return False


def given_for(body: Body, call: ast.Call, names: frozenset[str]) -> Iterator[ast.expr]:
    """What a call says for these parameters of a function, as far as it names them or counts them up."""
    parameters = [parameter.arg for parameter in body.parameters][1 if body.owner else 0 :]
    counted = call.args if not any(isinstance(each, ast.Starred) for each in call.args) else []
    yield from (value for name, value in zip(parameters, counted, strict=False) if name in names)
    yield from (keyword.value for keyword in call.keywords if keyword.arg in names)


def changes_in(loop: ast.While, told: ast.expr) -> bool:
    """Whether an expression may be something else in each turn: a name that the loop sets, or what a call gives."""
    bound = {part.id for part in ast.walk(loop) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    parts = list(ast.walk(told))
    calls = any(isinstance(part, (ast.Call, ast.Subscript)) for part in parts)
    return calls or any(isinstance(part, ast.Name) and part.id in bound for part in parts)


def chosen_by_caller(view: View, flow: Flow, made: ast.AST) -> frozenset[str]:
    """The parameters that the call depends on, its own or those of the functions around it."""
    if not isinstance(made, ast.Call):
        return frozenset()
    name = view.names.resolve(made.func) or ""
    given = urls(made) if name.rpartition(".")[2] in _OF_URL else [made]
    waiting = [part.id for expression in given for part in ast.walk(expression) if isinstance(part, ast.Name)]
    seen: set[str] = set()
    around = frozenset().union(*map(choosable, view.module.around(flow.body)))
    chosen = (choosable(flow.body) | (around - flow.body.local_names)) - settings_of_the_process(view, flow)
    while waiting:
        name = waiting.pop()
        if name not in seen and name in flow.body.local_names and name not in chosen:
            waiting.extend(sources(flow.body, name))
        seen.add(name)
    return chosen & seen


def urls(call: ast.Call) -> list[ast.expr]:
    """What says which database an engine is for."""
    named = [keyword.value for keyword in call.keywords if keyword.arg in _URL or keyword.arg is None]
    return [*call.args[:1], *named]


def choosable(body: Body) -> frozenset[str]:
    """The parameters, without the object whose method it is."""
    own = {"self", "cls"} if body.owner else set()
    return frozenset(parameter.arg for parameter in body.parameters) - own


def settings_of_the_process(view: View, flow: Flow) -> frozenset[str]:
    """The parameters that get what the process was started with, which is the same for all: ``settings: Settings``."""
    typed = ((name, value) for start in flow.starts for name, value in start.items() if value.kind == OBJECT)
    return frozenset(name for name, value in typed if _SETTINGS.intersection(view.project.foreign_bases(value.name)))


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
