"""Shed the pool with its event loop

What it does
    Reports a plain function that a process runs again and again, such as a task of Celery, a job or a view, and that
    runs a coroutine in an event loop of its own (``asyncio.run``, ``anyio.run``, a loop that it makes itself) in which
    an asynchronous engine of a module takes a connection.

Why it matters
    The connections of asyncpg, aiomysql and asyncmy belong to the event loop that they were opened in. The pool lives
    longer than the loop: the second run is handed a connection of the first one and fails with ``RuntimeError: …
    attached to a different loop``, with ``pool_pre_ping`` as well (measured with all three; "Using multiple asyncio
    event loops" in SQLAlchemy's documentation).

Stays silent when
    The engine has another pool class than its usual one, such as NullPool; its driver is another one, or cannot be
    told; anything is disposed of in the file, or by the coroutine; the function runs once; all runs have one loop.

Fix safety
    No fix is offered: the engine may serve an application with one loop as well, which needs its pool.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..pool.of_one_loop import keeps_connections_of_its_loop
from ..project.runs.repeated import is_in_endless_loop
from ..questions.asking import is_out_of_scope
from ..questions.often import runs_often
from ..questions.own_loops import taken_in_own_loops
from ..session.flow import Flow
from ..session.summary import Own
from ..session.values import FUNCTION, Value
from ..story import way
from ..view import View

_REMEDY = "give the engine ``poolclass=NullPool``, or end each run with ``await engine.dispose()``"


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows if not view.mentions(b".dispose(") else ():
        for call, own in taken_in_own_loops(view, flow):
            if is_repeated(view, flow, call) and outlives_its_loop(view, own) and not disposes(view, own):
                engine = own.resource.pool.rpartition(".")[2]
                begun = f"{view.text(call.func)}() begins a new loop"
                message = f"{begun}, but the pool of {engine!r} has connections of the last one"
                notes = way(own.way, "takes a connection of the pool here", "which takes one")
                yield view.diagnostic(RULE, call, message, notes, None, _REMEDY, flow.body)


def is_repeated(view: View, flow: Flow, call: ast.Call) -> bool:
    """Whether one process runs the call again and again."""
    if is_out_of_scope(view, flow):
        return False
    return is_in_endless_loop(flow.body, [call]) or view.is_repeated(flow.body, runs_often)


def outlives_its_loop(view: View, own: Own) -> bool:
    """Whether the connection is of an engine of a module that keeps it for the next loop."""
    module, name = view.project.split(own.resource.pool)
    if module is None or not name or not own.resource.is_async or own.resource.is_of_given_engine:
        return False
    return keeps_connections_of_its_loop(view, module, name)


def disposes(view: View, own: Own) -> bool:
    """Whether a function on the way speaks of disposing of anything."""
    found = (view.project.target(Value(FUNCTION, name, extra=(None, None))) for name, _, _ in own.way)
    return any(
        each.attr == "dispose" for target in found if target is not None for each in target.body.own(ast.Attribute)
    )


RULE = Rule(
    "ORM309", "engine-crosses-loops", "pool of an asynchronous engine used in one event loop after the other", check
)
