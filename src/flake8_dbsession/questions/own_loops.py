"""Coroutines that a plain function runs in an event loop of their own, which ends with them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..names import dotted
from ..session.flow import Flow
from ..session.summary import Own
from ..session.values import CLASS, FUNCTION, METHOD, OBJECT, Value
from ..view import View

_RUNNERS = frozenset({"asyncio.run", "anyio.run", "uvloop.run"})
"""They begin a loop at each call, and end it."""
_WORDS = (b"asyncio", b"anyio", b"uvloop")
_WRAPPERS = frozenset({"asyncio.wait_for", "asyncio.shield"})


def taken_in_own_loops(view: View, flow: Flow) -> Iterator[tuple[ast.Call, Own]]:
    """Each call that runs a coroutine in a loop of its own, with where a connection is taken in there."""
    if flow.body.is_async or flow.body.node is None or not any(map(view.mentions, _WORDS)):
        return
    for call in flow.body.own(ast.Call):
        run = coroutine_run(view, flow, call) if call.args else None
        own = taken_by(view, flow, run) if run is not None else None
        if own is not None:
            yield call, own


def coroutine_run(view: View, flow: Flow, call: ast.Call) -> ast.expr | None:
    """``work`` of ``asyncio.run(work(n))`` and ``anyio.run(work, n)``, where the call begins a loop for it."""
    name = view.names.resolve(call.func) or ""
    if name not in _RUNNERS and not is_of_new_loop(view, flow, call.func):
        return None
    given = unwrapped(view, call.args[0])
    return given.func if isinstance(given, ast.Call) else given


def is_of_new_loop(view: View, flow: Flow, function: ast.expr) -> bool:
    """``loop.run_until_complete``, where the function makes the loop: ``loop = asyncio.new_event_loop()``."""
    match function:
        case ast.Attribute(value=ast.Name(id=loop), attr="run_until_complete"):
            made = [value for target, value in flow.body.assigned() if dotted(target) == loop]
            return bool(made) and all(is_new_loop(view, value) for value in made)
    return False


def is_new_loop(view: View, value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and view.names.resolve(value.func) == "asyncio.new_event_loop"


def unwrapped(view: View, given: ast.expr) -> ast.expr:
    """``work(n)`` of ``asyncio.wait_for(work(n), 30)``."""
    while isinstance(given, ast.Call) and given.args and view.names.resolve(given.func) in _WRAPPERS:
        given = given.args[0]
    return given


def taken_by(view: View, flow: Flow, coroutine: ast.expr) -> Own | None:
    """Where a coroutine function takes a connection, one of the project or one inside of the function itself; the way
    there begins with it."""
    inner = f"{flow.body.name}.<locals>.{coroutine.id}" if isinstance(coroutine, ast.Name) else ""
    for other in view.flows if inner else ():
        if other.body.name == inner:
            return next((begun_by(own, inner, view.source.path) for own in other.scope.own), None)
    function = called_of(view, coroutine)
    target = view.project.target(function) if function.kind in (FUNCTION, METHOD) else None
    summary = view.project.summary(function, ()) if target is not None else None
    own = summary.takes_own if summary is not None else None
    return begun_by(own, function.name, target.path) if own is not None and target is not None else None


def begun_by(own: Own, function: str, path: str) -> Own:
    return own._replace(way=((function, path, own.line), *own.way))


def called_of(view: View, coroutine: ast.expr) -> Value:
    """The function that an expression stands for; the method of an object that is made there: ``Service().work``."""
    match coroutine:
        case ast.Attribute(value=ast.Call(func=made), attr=name):
            owner = view.project.evaluate(view.module, made)
            return view.project.attribute(Value(OBJECT, owner.name), name) if owner.kind == CLASS else owner
    return view.project.evaluate(view.module, coroutine)
