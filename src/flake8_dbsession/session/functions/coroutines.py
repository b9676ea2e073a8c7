"""Coroutines and tasks that somebody waits for: what they wait for, whoever awaits them waits for, too."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..bearable import bearable
from ..expressions.call import Call
from ..summary import Wait
from ..values import BEGUN, COROUTINE, FUNCTION, LIST, OBJECT, TUPLE, UNKNOWN, Value, contained
from .arguments import reached, told
from .effects import report_wait, wait_as_inside
from .formals import Formals, receiver_of

if TYPE_CHECKING:
    from ..expressions.evaluate import Evaluation

TASK = "asyncio.Task"
_RUNS = "()"
"""The name under which a task knows the coroutine that it runs."""


def task_of(made: Value, call: Call) -> Value:
    """``create_task(work())``: a task that knows what it runs, unless that works with a session of the caller."""
    coroutine = call.positional[0] if call.positional else made
    is_apart = coroutine.kind == COROUTINE and not contained(coroutine)
    return made.with_extra((_RUNS, coroutine)) if made.name == TASK and is_apart else made


def run_to_its_end(ev: Evaluation, call: Call) -> bool:
    """``asyncio.run(main())``, ``gather(*(ask(n) for n in numbers))``: what they wait for, their caller waits for.

    Whether all of it is told, or there is nothing: of any other coroutine it is known only that it takes its time.
    """
    heard = [hear(ev, each, call.node) for each in dict.fromkeys(coroutines_in(call.positional))]
    return bool(heard) and all(heard)


def coroutines_in(values: Iterable[object]) -> Iterable[Value]:
    """The coroutines among some values, and those that tasks among them run."""
    for value in values:
        if isinstance(value, Value) and value.kind == COROUTINE:
            yield value
        elif isinstance(value, Value) and value.kind == TUPLE:
            yield from coroutines_in(value.extra)
        elif isinstance(value, Value) and value.kind == OBJECT and value.name == TASK:
            yield from (coroutine for name, coroutine in value.extra if name == _RUNS)


def is_made_by_plain(ev: Evaluation, call: ast.expr) -> bool:
    """Whether a function that is no coroutine is called by its name: ``await work()``, where ``work`` is ``lambda:
    session.commit()``, waits for what it makes."""
    function = ev.value(call.func) if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else UNKNOWN
    target = ev.world.target(function) if function.kind == FUNCTION else None
    return target is not None and not target.is_async


def under_keys(dictionary: Value) -> Value:
    """``jobs.values()`` of ``{"a": work(session), …}`` or ``{row.id: work(session, row) for row in rows}``."""
    parts = (part[1] if isinstance(part, tuple) and not isinstance(part, Value) else part for part in dictionary.extra)
    found = tuple(part for part in parts if isinstance(part, Value) and part.kind == COROUTINE)
    return Value(TUPLE, LIST if dictionary.name == "dict" else "", extra=found) if found else UNKNOWN


def begun(ev: Evaluation, function: Value, call: Call) -> Value:
    """``work(session)`` that nobody has awaited yet: what it works with, and how it was called."""
    how = Value(BEGUN, extra=(function, call.positional, tuple(call.keywords.items()), call.node))
    return bearable(ev.now, Value(COROUTINE, function.name, extra=(*call.values, *reached(ev, function), how)))


def hear(ev: Evaluation, coroutine: Value, node: ast.expr) -> bool:
    """Wait for what a coroutine waits for; whether that is told, or there is nothing."""
    fact = ev.world.known.call(coroutine.name)
    if fact is not None and fact.kind:
        report_wait(ev, Wait(fact.kind, fact.name, line=node.lineno), node)
        return True
    function, call = how_begun(coroutine, node)
    target = ev.world.target(function) if coroutine.name else None
    if target is None:
        return False
    formals = Formals(receiver_of(ev, function, call))
    summary = ev.world.summary(function, told(ev, target, function, call, formals))
    if summary is None:
        return False
    wait_as_inside(ev, summary, formals, node, (coroutine.name, target.path))
    return bool(summary.waits) or not target.awaits


def how_begun(coroutine: Value, node: ast.expr) -> tuple[Value, Call]:
    """The function that was called and the call; where that was in another function, its name alone."""
    for part in coroutine.extra:
        if isinstance(part, Value) and part.kind == BEGUN:
            function, positional, keywords, called = part.extra
            return function, Call(called, positional, dict(keywords))
    return Value(FUNCTION, coroutine.name, extra=(None, None)), Call(ast.Call(node, [], []), (), {})
