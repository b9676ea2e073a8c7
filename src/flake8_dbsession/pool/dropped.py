"""Engines that a function hands out and nobody keeps: each caller uses the one it gets and is done with it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..files.reading import bytes_of
from ..names import last_part
from .branches import is_guard
from .engines import Engine, keeper
from .reading import outlives
from .scopes import Call, Function, Scope

if TYPE_CHECKING:
    from .survey import Survey

_DEPTH = 3
"""How many functions may hand an engine on."""
_USES = frozenset(
    {
        *("inspect", "text", "MetaData", "Table", "create_all", "drop_all", "reflect", "compile"),
        *("read_sql", "read_sql_query", "read_sql_table", "read_database", "to_sql", "write_database"),
    }
)
"""What takes an engine, works with it at once and keeps nothing of it."""


def is_dropped(survey: Survey, engine: Engine) -> bool:
    """Whether a function hands the engine out, a new one at each call, and all callers only use it."""
    return hands_out(engine.scope, engine.node) and are_all_done(survey, engine.scope, _DEPTH)


def is_of_nobody(survey: Survey, engine: Engine) -> bool:
    """Whether a function hands the engine out that nothing in the application speaks of."""
    name = engine.scope.name.rpartition(".")[2].encode()
    return hands_out(engine.scope, engine.node) and sum(bytes_of(p).count(name) for p in survey.holding(name)) == 1


def is_for_script(tree: ast.Module, engine: Engine) -> bool:
    """Whether the file has statements for when it is run (``if __name__ == "__main__":``), and a function that hands
    the engine out only to functions of the file."""
    runs = [s for s in tree.body if isinstance(s, ast.If) and isinstance(s.test, ast.Compare) and is_guard(s.test)]
    if not runs or not hands_out(engine.scope, engine.node):
        return False
    name = engine.scope.name.rpartition(".")[2]
    others = [s for s in tree.body if s not in runs and not isinstance(s, (Function, ast.ClassDef))]
    return calls(tree, name) > 0 and not any(calls(statement, name) for statement in others)


def calls(part: ast.AST, name: str) -> int:
    """How often something with that last name is called."""
    return sum(isinstance(node, ast.Call) and last_part(node.func) == name for node in ast.walk(part))


def hands_out(scope: Scope, made: ast.Call) -> bool:
    """Whether the function returns what it has made, and keeps nothing of it for the next call."""
    node = scope.node
    if not isinstance(node, Function) or node.decorator_list or scope.shared:
        return False
    names = {n for n, bindings in scope.bindings.items() if any(b.value is made for b in bindings)}
    returned = [part.value for part in ast.walk(node) if isinstance(part, ast.Return)]
    is_returned = any(value is made or (isinstance(value, ast.Name) and value.id in names) for value in returned)
    return is_returned and not any(stores(part, names, scope) for part in ast.walk(node))


def stores(statement: ast.AST, names: set[str], scope: Scope) -> bool:
    """``self.engine = engine``, ``_engines[name] = engine``."""
    if not isinstance(statement, ast.Assign) or not any(outlives(target, scope) for target in statement.targets):
        return False
    return bool(names & {part.id for part in ast.walk(statement.value) if isinstance(part, ast.Name)})


@functools.lru_cache(maxsize=64)
def are_all_done(survey: Survey, scope: Scope, depth: int) -> bool:
    """Whether the project calls the function, by its name, and each call is for one use; it is not given away."""
    name = scope.name.rpartition(".")[2]
    calls = [call for _, call in survey.notes_of(name)]
    return bool(calls) and not survey.hands_on(name) and all(is_for_one_use(survey, call, depth) for call in calls)


def is_for_one_use(survey: Survey, call: Call, depth: int) -> bool:
    """Whether the engine that a call gives is used by the statement or the function around it, and then gone."""
    around = enclosing(call)
    if around is not None:
        return last_part(around.func) in _USES
    if keeper(call):
        return depth > 1 and hands_out(call.scope, call.node) and are_all_done(survey, call.scope, depth - 1)
    return call.scope.is_function and not any(map(is_given_away, uses(call)))


def enclosing(call: Call) -> ast.Call | None:
    """The call that the engine is given to as it is made, if any."""
    for part in ast.walk(call.statement):
        if isinstance(part, ast.Call) and call.node in (*part.args, *(word.value for word in part.keywords)):
            return part
    return None


def uses(call: Call) -> Iterator[tuple[ast.Call, str]]:
    """The calls of the function that are given the name of the engine."""
    names = {n for n, found in call.scope.bindings.items() if any(each.value is call.node for each in found)}
    for part in ast.walk(call.scope.node):
        if isinstance(part, ast.Call):
            given = (*part.args, *(word.value for word in part.keywords))
            yield from ((part, each.id) for each in given if isinstance(each, ast.Name) and each.id in names)


def is_given_away(use: tuple[ast.Call, str]) -> bool:
    return last_part(use[0].func) not in _USES
