"""Coroutines and tasks that somebody waits for: what they wait for, whoever awaits them waits for, too."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .call import Call
from .effects import report_wait
from .summary import Wait
from .values import COROUTINE, FUNCTION, OBJECT, TUPLE, Value, contained

if TYPE_CHECKING:
    from .evaluate import Evaluation

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
    is_one = len(call.positional) == 1 and call.positional[0].kind == COROUTINE
    coroutines = list(coroutines_in(call.positional))
    apart = [each for each in coroutines if is_one or not contained(each)]
    heard = [hear(ev, each, call.node) for each in dict.fromkeys(apart)]
    return bool(heard) and all(heard) and len(apart) == len(coroutines)


def coroutines_in(values: Iterable[object]) -> Iterable[Value]:
    """The coroutines among some values, and those that tasks among them run."""
    for value in values:
        if isinstance(value, Value) and value.kind == COROUTINE:
            yield value
        elif isinstance(value, Value) and value.kind == TUPLE:
            yield from coroutines_in(value.extra)
        elif isinstance(value, Value) and value.kind == OBJECT and value.name == TASK:
            yield from (coroutine for name, coroutine in value.extra if name == _RUNS)


def hear(ev: Evaluation, coroutine: Value, node: ast.expr) -> bool:
    """Wait for what a coroutine waits for; whether that is told, or there is nothing."""
    fact = ev.world.known.call(coroutine.name)
    if fact is not None and fact.kind:
        report_wait(ev, Wait(fact.kind, fact.name, line=node.lineno), node)
        return True
    function = Value(FUNCTION, coroutine.name, extra=(None, None))
    target = ev.world.target(function) if coroutine.name else None
    summary = ev.world.summary(function, ()) if target is not None else None
    if target is None or summary is None:
        return False
    for what, *_ in summary.waits:
        chain = ((coroutine.name, target.path, what.line), *what.chain)[:4]
        report_wait(ev, what._replace(chain=chain, line=node.lineno), node)
    return bool(summary.waits) or not target.awaits
