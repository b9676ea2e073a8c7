"""Functions of the project that start a thread, a timer or a task for what they are given."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...known import Handover as HandoverFact
from ..syntax import names_below
from ..values import COROUTINE, FUNCTION, METHOD, OBJECT, PARTIAL, UNKNOWN, Value
from .handover import register
from .telling import Words, closure, own_attributes, report

if TYPE_CHECKING:
    from ..expressions.call import Call
    from ..expressions.evaluate import Evaluation
    from ..summary import Target

Given = dict[str, tuple[Value, ...]]
"""The parameters of a function with what a call gives for them: several values for ``*args`` and ``**kwargs``."""

_CALLABLE = frozenset({COROUTINE, FUNCTION, METHOD, PARTIAL})


def hand_on(ev: Evaluation, target: Target, function: Value, call: Call, awaited: bool) -> None:
    """``in_background(work, session)``: whoever calls the function hands over what the function hands on.

    Whoever awaits what a plain function returns waits for what it has started.
    """
    for name, started in target.starts if target.is_async or not awaited else ():
        fact = fact_of(ev, name)
        if fact is not None and fact.callable is not None and fact.entry.runs and not (fact.each or fact.inline):
            start(ev, target, given(target, function, call), call, fact, started)


def fact_of(ev: Evaluation, name: str) -> HandoverFact | None:
    """What is known of ``threading.Thread``, and of ``executor.submit`` of a module's executor."""
    owner, _, method = name.rpartition(".")
    found = ev.world.known.handover(name)
    value = ev.world.value(owner) if found is None and owner else UNKNOWN
    return ev.world.known.handover(f"{value.name}.{method}") if value.kind == OBJECT else found


def start(ev: Evaluation, target: Target, told: Given, call: Call, fact: HandoverFact, started: ast.Call) -> None:
    """What one ``Thread(target=function, args=args)`` of the function means for its caller."""
    run = fact.callable.of(started) if fact.callable is not None else None
    inner = target.functions.get(run.id) if isinstance(run, ast.Name) else None
    name = called_in(inner, told) if inner is not None else run.id if isinstance(run, ast.Name) else ""
    work = next(iter(told.get(name, ())), UNKNOWN)
    if work.kind not in _CALLABLE:
        return
    used = names_below(started) | (names_below(inner) if inner is not None else frozenset())
    last = work.name.rpartition(".")[2]
    words = Words(fact.entry.runs, last if last.isidentifier() else "a lambda", False)
    if inner is None:
        register(ev, work, fact)
    passed = [value for each in used - {name} for value in told.get(each, ())]
    for value in (*passed, *((work,) if work.kind != FUNCTION else ())):
        report(ev, call, value, "argument", words)
    closure(ev, call, work, words)
    own_attributes(ev, call, work, words)


def called_in(inner: ast.AST, told: Given) -> str:
    """The parameter that a function inside calls: ``def run(): function(*args)``."""
    calls = (node.func for node in ast.walk(inner) if isinstance(node, ast.Call))
    return next((each.id for each in calls if isinstance(each, ast.Name) and each.id in told), "")


def given(target: Target, function: Value, call: Call) -> Given:
    """The parameters with what the call gives for them, those that it leaves out with nothing."""
    plain, rest, others = target.parameters
    owner = function.extra[0] if function.extra else None
    values = (owner, *call.positional) if isinstance(owner, Value) and plain[:1] == ("self",) else call.positional
    told: Given = {name: (value,) for name, value in zip(plain, values, strict=False)}
    told.update({name: (value,) for name, value in call.keywords.items() if name in target.names})
    told[rest] = values[len(plain) :]
    told[others] = tuple(value for name, value in call.keywords.items() if name not in target.names)
    return told
