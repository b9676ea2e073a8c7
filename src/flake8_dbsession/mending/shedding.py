"""The fix of an inherited pool: the forked process sheds it before it takes a connection."""

from __future__ import annotations

import ast

from ..fix.plans import AppendStatements, InsertFirst, SetKeyword, Step
from ..model import Plan, Safety
from ..session.flow import Flow
from ..session.values import PARTIAL, Value
from ..view import View
from .common import Answer
from .hoisting import is_free, place_for, statements_above
from .spelling import Spelled, spelled_engine

_REASON = "where the function is called in this process too, it drops the pool of this process"
_POOLED = frozenset({"Pool", "ProcessPoolExecutor"})


def shed_in_child(view: View, flow: Flow, node: ast.AST, target: Value, pool: str) -> Answer:
    """``engine.dispose(close=False)``: in an initializer of a process pool, or first in the target of a process."""
    engine = spelled_engine(view, flow, pool)
    if engine is None:
        return None, "the engine has no name here"
    made = pool_that_runs(flow, node)
    if made is not None:
        return initializer(view, made, engine)
    function = target.extra[0] if target.kind == PARTIAL else target
    found = view.project.target(function)
    if found is None or found.body.node is None or found.path != view.source.path:
        return None, "the function that is run in the process stands in another file"
    step = InsertFirst(view.span(found.body.node), f"{engine.text}.dispose(close=False)")
    title = f"shed the inherited pool of {engine.text!r} first"
    return Plan(title, Safety.UNSAFE, (step, *engine.steps), _REASON), ""


def shed_in_block(view: View, flow: Flow, block: ast.If, pool: str) -> Answer:
    """The same, first in the block of the child after ``os.fork()``."""
    engine = spelled_engine(view, flow, pool)
    if engine is None:
        return None, "the engine has no name here"
    step = InsertFirst(view.span(block), f"{engine.text}.dispose(close=False)")
    return Plan(f"shed the inherited pool of {engine.text!r} first", Safety.SAFE, (step, *engine.steps)), ""


def pool_that_runs(flow: Flow, node: ast.AST) -> ast.Call | None:
    """The ``Pool(…)`` or ``ProcessPoolExecutor(…)`` whose method hands the work over."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name))):
            pass
        case _:
            return None
    for part in (*flow.body.own(ast.withitem), *flow.body.own(ast.Assign)):
        match part:
            case ast.withitem(context_expr=ast.Call() as made, optional_vars=ast.Name(id=bound)) if bound == name:
                return made
            case ast.Assign(targets=[ast.Name(id=bound)], value=ast.Call() as made) if bound == name:
                return made
    return None


def initializer(view: View, made: ast.Call, engine: Spelled) -> Answer:
    """A function of the module that sheds the pool, as the initializer of each process."""
    last = made.func.attr if isinstance(made.func, ast.Attribute) else getattr(made.func, "id", "")
    if last not in _POOLED or len(made.args) > 1:
        return None, "the processes get no initializer by keyword here"
    name = f"shed_pool_of_{engine.text.replace('.', '_')}"
    body = f"{engine.text}.dispose(close=False)"
    keyword = SetKeyword(view.span(made), "initializer", name)
    title = f"shed the inherited pool of {engine.text!r} in each process"
    if not is_free(view, name):
        definition = view.names.bindings[name].definition
        same = isinstance(definition, ast.FunctionDef) and [ast.unparse(s) for s in definition.body] == [body]
        return (Plan(title, Safety.SAFE, (keyword,)), "") if same else (None, f"{name!r} means something else here")
    above = statements_above(view, made)
    if not above:
        return None, "there is nothing at module level that the initializer could stand behind"
    new = AppendStatements(view.span(place_for(above, frozenset())), f"def {name}():\n    {body}")
    steps: tuple[Step, ...] = (keyword, new, *engine.steps)
    return Plan(title, Safety.SAFE, steps), ""
