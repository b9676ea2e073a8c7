"""The fix of what is made at each call: an engine or a session factory moves to module level, above its function."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import NamedTuple

from ..fix.plans import AppendStatements, DeleteStatement, ReplaceExpression, Step
from ..model import Plan, Safety
from ..session.events import Happening
from ..session.flow import Flow
from ..view import View
from .common import Answer, bound_by, bound_elsewhere, statement_of

_REASON = "it is made when the module is imported, with the settings of that moment"
_BUILTINS = frozenset(dir(builtins))
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Moved(NamedTuple):
    """``name = call`` for module level (which may have it already), and the step that takes it out of the function."""

    name: str
    call: ast.Call
    step: Step
    is_there: bool = False


def hoist(view: View, flow: Flow, call: ast.AST, names: tuple[str, ...]) -> Answer:
    """``call`` once for the process, above the function; ``names`` are what to call it where it has no name yet.

    Factories that the function makes of it move along. What the module has already is not made again.
    """
    above = statements_above(view, call)
    refusal = hindrance(flow, call, above)
    if refusal or not isinstance(call, ast.Call):
        return None, refusal
    known = bound_in(above) | _BUILTINS
    local = sorted((loaded(call) - known) | (loaded(call) & flow.body.local_names))
    if local:
        return None, f"it is made of {local[0]!r}, which is not known at module level above the function"
    first = moved(view, flow, call, names, above)
    if first is None:
        return None, "its name means something else at module level, or in another place of the function"
    every = [first, *factories_of(view, flow, first, above)]
    new = [each for each in every if not each.is_there]
    code = "\n".join(f"{each.name} = {view.source.segment(view.span(each.call))}" for each in new)
    appended = (
        [AppendStatements(view.span(place_for(above, frozenset(n for each in new for n in loaded(each.call)))), code)]
        if new
        else []
    )
    steps = (*appended, *(each.step for each in every))
    title = f"make {' and '.join(repr(each.name) for each in every)} once, at module level"
    if is_async(flow, call):
        return Plan(title, Safety.DISPLAY, steps, "an async engine can serve one event loop only"), ""
    return Plan(title, Safety.UNSAFE, steps, _REASON), ""


def hindrance(flow: Flow, call: ast.AST, above: list[ast.stmt]) -> str:
    """Why the call cannot move; "" where it can."""
    if not isinstance(call, ast.Call) or not above:
        return "there is nothing at module level that it could stand behind"
    if "<locals>" in flow.body.name:
        return "the function stands in another one, whose names it may use"
    if isinstance(statement_of(flow, call), ast.Return) and call is getattr(statement_of(flow, call), "value", None):
        return "it is returned, so its callers decide how long it lives"
    if any(isinstance(part, (ast.Await, ast.Yield, ast.NamedExpr, ast.Lambda)) for part in ast.walk(call)):
        return "what it is made of is only known inside the function"
    if any(choice.lineno <= call.lineno <= (choice.end_lineno or 0) for choice in flow.body.own(ast.If)):
        return "it is made under a condition"
    return ""


def moved(view: View, flow: Flow, call: ast.Call, names: tuple[str, ...], above: list[ast.stmt]) -> Moved | None:
    """The call under the name that it has in the function, or under a free one of ``names``."""
    statement = statement_of(flow, call)
    assert statement is not None
    there = equals(above, call)
    if bound_by(statement) is call:
        name = target_of(statement)
        if bound_elsewhere(flow, name, statement) or not (is_free(view, name) or name in there):
            return None
        return Moved(name, call, DeleteStatement(view.span(statement)), name in there)
    usable = [n for n in (*there, *names) if n not in flow.body.local_names and (n in there or is_free(view, n))]
    return Moved(usable[0], call, ReplaceExpression(view.span(call), usable[0]), usable[0] in there) if usable else None


def equals(above: list[ast.stmt], call: ast.Call) -> list[str]:
    """The names that the module binds to the very same call."""
    wanted = ast.dump(call)
    calls = ((statement, bound_by(statement)) for statement in above)
    return [target_of(statement) for statement, value in calls if value is not None and ast.dump(value) == wanted]


def place_for(above: list[ast.stmt], needed: frozenset[str]) -> ast.stmt:
    """The statement to stand behind: the last one that is no definition, or defines one of the names ``needed``."""
    for number in range(len(above), 0, -1):
        last = above[number - 1]
        if not isinstance(last, _DEFINITIONS) or last.name in needed:
            return last
    return above[-1]


def factories_of(view: View, flow: Flow, first: Moved, above: list[ast.stmt]) -> Iterator[Moved]:
    """The assigned factories that are made of what moves, and of nothing else that is local."""
    known = bound_in(above) | _BUILTINS
    made = {event.node for event in flow.events(Happening.REGISTRY_MADE)} - {first.call}
    here = {first.name}
    for statement in flow.body.own(ast.Assign, ast.AnnAssign):
        call = bound_by(statement)
        if isinstance(call, ast.Call) and call in made and here & loaded(call) and loaded(call) <= known | here:
            found = moved(view, flow, call, (), above)
            if found is not None:
                here.add(found.name)
                yield found


def is_async(flow: Flow, call: ast.Call) -> bool:
    """Whether the call makes an async engine."""
    return any("async" in str(e.detail) for e in flow.events(Happening.ENGINE_MADE) if e.node is call)


def is_free(view: View, name: str) -> bool:
    """Whether nothing at module level has the name."""
    return name not in view.names.bindings and name not in _BUILTINS


def target_of(statement: ast.stmt) -> str:
    """The one name that a statement binds."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
    raise ValueError("the statement binds no plain name")


def statements_above(view: View, node: ast.AST) -> list[ast.stmt]:
    """The statements at module level before the one that contains ``node``."""
    line: int = node.lineno  # type: ignore[attr-defined]
    return [statement for statement in view.source.tree.body if (statement.end_lineno or 0) < line]


def loaded(call: ast.Call) -> frozenset[str]:
    """The names that a call reads."""
    return frozenset(part.id for part in ast.walk(call) if isinstance(part, ast.Name))


def bound_in(statements: list[ast.stmt]) -> frozenset[str]:
    """The names that statements at module level bind, whatever block they stand in."""
    found: set[str] = set()
    waiting: list[ast.AST] = list(statements)
    while waiting:
        match waiting.pop():
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                found.update((alias.asname or alias.name).partition(".")[0] for alias in aliases)
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case other:
                waiting.extend(ast.iter_child_nodes(other))
    return frozenset(found)
