"""Do not open as many sessions at once as there are items

What it does
    Reports ``gather`` and its like over any number of coroutines of the project that each open a session and use it.

Why it matters
    Each of them asks for a connection at the same moment. They take the whole pool, so that nobody else is served
    meanwhile, and those that wait for longer than ``pool_timeout`` fail: forty on a pool of two raised
    ``TimeoutError`` (measured).

Stays silent when
    An ``async with`` of a semaphore or limiter stands in the coroutine, or a thread works with the session, of which
    there are only a few; when the items are a batch, a slice or written
    down; when the coroutines share a session (ORM302).

Fix safety
    No fix is offered: work on one after the other, on a few at a time, or on all in one statement.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..project.functions.targets import Target
from ..questions.asking import first_of_each_node, is_out_of_scope, within
from ..session.events import Happening
from ..session.flow import Flow
from ..session.summary import Steps
from ..session.values import FUNCTION, Value
from ..story import called, way
from ..view import View

_FIX = "work on a few at a time, or on all in one statement"
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_WRITTEN_DOWN = (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Constant)


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if is_out_of_scope(view, flow):
            continue
        for event in first_of_each_node(flow.events(Happening.SPREAD)):
            steps: Steps = event.detail
            if not is_gated(view, steps) and not are_few(flow, event.node):
                message = (
                    f"each {called(steps[0][0])!r} takes a connection of its own, as many at once as there are items"
                )
                notes = way(steps, "takes a connection here", "which takes it")
                yield view.diagnostic(RULE, event.node, message, notes, None, _FIX, flow.body)


def is_gated(view: View, steps: Steps) -> bool:
    """Whether a function on the way waits for its turn: ``async with gate:``, on something that is not made there, or
    for one of the few threads that there are."""
    for name, _, line in steps:
        target = view.project.target(Value(FUNCTION, name, extra=(None, None)))
        blocks = target.body.own(ast.AsyncWith) if target is not None else []
        if any(not isinstance(item.context_expr, ast.Call) for block in blocks for item in block.items):
            return True
        if target is not None and goes_to_thread(view, target, line):
            return True
    return False


def goes_to_thread(view: View, target: Target, line: int) -> bool:
    """Whether a call at the line has something done by a thread, and waits for it."""
    calls = (call for call in target.body.own(ast.Call) if call.lineno == line)
    facts = (view.project.known.handover(target.module.names.resolve(call.func) or "") for call in calls)
    return any(fact is not None and fact.inline and not fact.coroutine for fact in facts)


def are_few(flow: Flow, node: ast.AST) -> bool:
    """Whether what the call goes through is written down, a slice, or what an outer loop cuts into batches."""
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    loops = [loop for name in names for loop in collecting(flow, name)]
    if any(within(loop, node) or names & set(emptied_in(loop)) for loop in loops):
        return True
    listed = [value for target, value in flow.body.assigned() if isinstance(target, ast.Name) and target.id in names]
    if listed and not loops and all(map(is_written_down, listed)) and not names & set(extended(flow)):
        return True
    parts = [part for each in (node, *listed) for part in ast.walk(each)]
    made = [part for part in parts if isinstance(part, (ast.ListComp, ast.GeneratorExp))]
    items = [generator.iter for part in made for generator in part.generators]
    items += [loop.test if isinstance(loop, ast.While) else loop.iter for loop in loops]
    return bool(items) and all(is_short(item) or is_batch(flow, node, item) for item in items)


def is_written_down(listed: ast.expr) -> bool:
    """``[load(1), load(2)]``: a place for each."""
    return isinstance(listed, (ast.List, ast.Tuple)) and not any(isinstance(e, ast.Starred) for e in listed.elts)


def extended(flow: Flow) -> Iterator[str]:
    """The lists that others join: ``jobs.extend(more)``, ``jobs += more``."""
    for node in flow.body.own(ast.Call, ast.AugAssign):
        match node:
            case (
                ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="extend"))
                | ast.AugAssign(target=ast.Name(id=name))
            ):
                yield name


def collecting(flow: Flow, name: str) -> Iterator[ast.For | ast.AsyncFor | ast.While]:
    """The innermost loops in which something joins a list in each turn: ``jobs.append(work(row))``."""
    for call in flow.body.own(ast.Call):
        match call.func:
            case ast.Attribute(value=ast.Name(id=each), attr="append") if each == name:
                around = [loop for loop in flow.body.own(*_LOOPS) if within(loop, call)]
                yield from sorted(around, key=lambda loop: loop.lineno)[-1:]


def emptied_in(loop: ast.AST) -> Iterator[str]:
    """The lists that begin anew in a loop, so that they are batches: ``jobs = []``, ``jobs.clear()``."""
    for part in ast.walk(loop):
        match part:
            case (
                ast.Assign(targets=[ast.Name(id=name)])
                | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="clear"))
            ):
                yield name


def is_short(items: ast.expr) -> bool:
    match items:
        case ast.Subscript(slice=ast.Slice()):
            return True
        case ast.Call(func=ast.Name(id="range"), args=args):
            return all(isinstance(argument, ast.Constant) for argument in args)
    return isinstance(items, _WRITTEN_DOWN)


def is_batch(flow: Flow, node: ast.AST, items: ast.expr) -> bool:
    """``for batch in batched(rows, 10): await gather(*[work(row) for row in batch])``."""
    loops = [loop for loop in flow.body.own(ast.For, ast.AsyncFor) if within(loop, node)]
    targets = {part.id for loop in loops for part in ast.walk(loop.target) if isinstance(part, ast.Name)}
    return isinstance(items, ast.Name) and items.id in targets


RULE = Rule("ORM207", "unbounded-sessions", "as many sessions at once as there are items", check)
