"""How many engines the running application keeps: with one, all its sessions wait for the same pool."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from typing import NamedTuple

from ..session.values import Resource
from ..view import View
from .engines import Engine
from .judge import FilePool, pool_of, pools_of
from .scopes import Function, Scope
from .survey import Survey
from .without import has_no_pool

_ALONE = frozenset({"self", "cls", "app", "application"})
"""Parameters of which a process usually has one."""


class Maker(NamedTuple):
    """Where an engine is made (None: in an extension of Flask-SQLAlchemy), and the name it gets there."""

    scope: Scope | None
    name: str = ""
    for_each_call: bool = False
    """Whether it is a function that hands out a new engine each time."""
    for_each_object: bool = False
    """Whether each object that a function is given gets one."""


def is_of_one_pool(view: View, first: Resource, second: Resource) -> bool:
    """Whether both surely have the same engine, and it has a pool: nothing tells that they have not, and both are known
    to have it, or the application has no other."""
    if has_no_pool(view) or first.is_of_another_pool(second):
        return False
    if first.pool and first.pool == second.pool:
        return True
    return number_of_engines(pool_of(view).survey, first.is_async) < 2


@functools.lru_cache(maxsize=8)
def number_of_engines(survey: Survey, is_async: bool) -> int:
    """How many places make an engine and keep it; each caller of a function that hands out a new one is one of them."""
    makers = {maker for file in pools_of(survey) for maker in makers_in(file, is_async)}
    return sum(engines_of(survey, maker) for maker in makers)


def engines_of(survey: Survey, maker: Maker) -> int:
    """How many engines the application has of one maker: of one that is for any number of objects, two for several."""
    if maker.for_each_object:
        return 2
    return callers(survey, maker) if maker.for_each_call else 1


def makers_in(file: FilePool, is_async: bool) -> Iterator[Maker]:
    """What makes an engine that is kept, in one file; not what runs as a script or makes up for a failure."""
    for engine in file.found.engines:
        is_run = engine.guarded or (engine.is_top_level and not file.is_imported)
        if engine.is_async == is_async and engine.keeper and not engine.fallback and not is_run:
            is_of_object = is_given_to_object(engine.scope, engine.node)
            yield Maker(engine.scope, name_of(engine), is_new_each_time(engine), is_of_object)
    if file.found.extensions and not is_async:
        yield Maker(None)


def is_new_each_time(engine: Engine) -> bool:
    """Whether the function is named for its engine and hands it out, and nothing remembers it for the next call."""
    scope = engine.scope
    if not isinstance(scope.node, Function) or scope.shared or scope.node.decorator_list:
        return False
    return "engine" in scope.node.name and (bool(name_of(engine)) or engine.keeper == "returned")


def name_of(engine: Engine) -> str:
    """What the engine, or what is made of it in the same statement, is bound to; "" for an attribute or nothing."""
    bindings = ((name, each.value) for name, found in engine.scope.bindings.items() for each in found)
    return next((name for name, value in bindings if value is not None and engine.node in ast.walk(value)), "")


def callers(survey: Survey, maker: Maker) -> int:
    """How many different calls of the function the application has: two that are written alike make the same engine
    for two parts of it, such as the one that prepares its tables."""
    name = maker.scope.name.rpartition(".")[2] if maker.scope is not None else ""
    calls = [call for _, call in survey.notes_of(name)]
    many = any(is_given_to_object(call.scope, call.node) for call in calls)
    return 2 if many else max(1, len({given(call.node) for call in calls}))


def given(call: ast.Call) -> tuple[str, ...]:
    """The arguments of a call as they are written."""
    return tuple(map(ast.unparse, (*call.args, *call.keywords)))


def is_given_to_object(scope: Scope, made: ast.Call) -> bool:
    """``source.engine = create_engine(source.url)`` for the ``source`` that the function is given: each has its own."""
    names = {name for name, bindings in scope.bindings.items() if any(each.value is made for each in bindings)}
    nodes = ast.walk(scope.node) if isinstance(scope.node, Function) else ()
    for part in (node for node in nodes if isinstance(node, ast.Assign)):
        is_made = part.value is made or (isinstance(part.value, ast.Name) and part.value.id in names)
        if is_made and any(is_of_given_object(scope, target) for target in part.targets):
            return True
    return False


def is_of_given_object(scope: Scope, target: ast.expr) -> bool:
    """An attribute of a parameter that may be any of several objects."""
    match target:
        case ast.Attribute(value=ast.Name(id=name)):
            return name not in _ALONE and scope.parameter(name) is not None
    return False
