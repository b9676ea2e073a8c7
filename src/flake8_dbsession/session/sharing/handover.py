"""Sessions that go to a thread, a task or a job."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...known import Argument
from ...known import Handover as HandoverFact
from ..expressions.call import Call
from ..functions.coroutines import TASK
from ..values import (
    COROUTINE,
    FUNCTION,
    METHOD,
    OBJECT,
    PARTIAL,
    UNKNOWN,
    Value,
    values_in,
)
from .side_by_side import together
from .telling import Words, closure, own_attributes, report
from .threads import in_thread

if TYPE_CHECKING:
    from ..expressions.evaluate import Evaluation


def hand_over(ev: Evaluation, fact: HandoverFact, call: Call, awaited: bool) -> Value | None:
    """A call that gives a callable to someone else; None lets the caller go on as with any known call."""
    target = value_of(call, fact.callable) if fact.callable else UNKNOWN
    register(ev, target, fact)
    if fact.entry.kind == "process":
        ev.scope.forked.append((call.node, target))
    if fact.entry.kind == "teardown" or is_empty(ev, target):
        return None  # it is there to give back what it gets, or does nothing with it
    given = passed(call, fact)
    if fact.inline and awaited and fact.callable is not None and not is_begun_elsewhere(call, fact, target):
        return inline(ev, call, fact, target)
    if fact.every:
        together(ev, call, fact)
        return None
    words = Words(fact.entry.runs, described(target, call, fact), is_many(call, fact))
    for value in (*given, *brought_along(target)):
        report(ev, call, value, "argument", words)
    function = target.extra[0] if target.kind == PARTIAL else target
    closure(ev, call, function, words)
    own_attributes(ev, call, function, words)
    return None


def brought_along(target: Value) -> tuple[Value, ...]:
    """What a callable has of its own: the session of a bound method, what a coroutine was given, or a partial."""
    if target.kind == PARTIAL:
        return (*brought_along(target.extra[0]), *values_in(target.extra[1:]))
    return (target,) if target.kind in (METHOD, COROUTINE) else ()


def register(ev: Evaluation, target: Value, fact: HandoverFact) -> None:
    """Remember that the project function behind ``target`` is run by somebody else."""
    if target.kind == PARTIAL:
        target = target.extra[0]
    if target.kind == FUNCTION and isinstance(target.extra[1], ast.Lambda):
        called = target.extra[1].body
        inner = ev.value(called.func) if isinstance(called, ast.Call) else UNKNOWN
        if inner.kind == FUNCTION and inner.name:
            ev.scope.registered.append((inner.name, fact.entry))
    elif target.kind in (FUNCTION, "coroutine") and target.name:
        ev.scope.registered.append((target.name, fact.entry))
    elif target.kind == OBJECT and target.extra:
        for function in called_by_object(ev, target):
            register(ev, function, fact)


def is_empty(ev: Evaluation, function: Value) -> bool:
    """Whether a function of the project does nothing yet with what it is given."""
    target = ev.world.target(function) if function.kind == FUNCTION else None
    return target is not None and target.is_empty


def called_by_object(ev: Evaluation, made: Value) -> list[Value]:
    """The functions that an object of the project was made with, and that it uses where it is called itself:
    ``Process(target=Quietly(work))``."""
    run = ev.world.attribute(made, "__call__")
    used = {name for name, _ in ev.world.attributes_used(run)} if run.kind == FUNCTION else set()
    kept = (part for part in made.extra if isinstance(part, tuple))
    return [value for name, value in kept if name in used and isinstance(value, Value) and value.kind == FUNCTION]


def value_of(call: Call, argument: Argument | None) -> Value:
    if argument is None:
        return UNKNOWN
    return call.argument(argument.position if argument.position >= 0 else 10**6, argument.keyword)


def passed(call: Call, fact: HandoverFact) -> list[Value]:
    """The values that the callable will receive."""
    values = [value_of(call, argument) for argument in (fact.args, fact.kwargs, fact.each) if argument]
    if fact.rest:
        values.extend(call.positional[fact.callable.position + 1 if fact.callable is not None else 0 :])
        named = {a.keyword for a in (fact.callable, fact.args, fact.kwargs) if a}
        values.extend(v for k, v in call.keywords.items() if k not in named)
    return values


def inline(ev: Evaluation, call: Call, fact: HandoverFact, target: Value) -> Value:
    """``await run_in_threadpool(f, x)`` is a call of ``f(x)`` for whoever awaits it."""
    from ..expressions.calls import perform

    assert fact.callable is not None
    if fact.coroutine:
        return target  # it was awaited as it was evaluated
    rest = call.positional[fact.callable.position + 1 :]
    inner = ast.Call(call.node.func, call.node.args[fact.callable.position + 1 :], call.node.keywords)
    node = ev.scope.inlined.setdefault(call.node, ast.copy_location(inner, call.node))
    return in_thread(ev.now, fact, lambda: perform(ev, target, Call(node, rest, call.keywords), False))


def is_begun_elsewhere(call: Call, fact: HandoverFact, target: Value) -> bool:
    """``await wait_for(tasks[number], 30)``: a task that somebody else has made, or a future."""
    argument = fact.callable.of(call.node) if fact.callable is not None and fact.coroutine else None
    is_task = target == UNKNOWN or (target.kind == OBJECT and target.name == TASK)
    return is_task and isinstance(argument, (ast.Name, ast.Attribute, ast.Subscript))


def given_to_object(ev: Evaluation, made: Value, call: Call) -> None:
    """``Worker(session)``, a class whose ``run`` goes to a thread: what its constructor keeps and ``run`` uses."""
    if not made.extra:
        return
    entries = (ev.world.known.method(base, "run") for base in ev.world.foreign_bases(made.name))
    entry = next((entry for entry in entries if entry is not None and entry.runs), None)
    run = ev.world.attribute(made, "run") if entry is not None else UNKNOWN
    if entry is None or run.kind != FUNCTION:
        return
    used = {name for name, _ in ev.world.attributes_used(run)}
    words = Words(entry.runs, made.name.rpartition(".")[2], False)
    for attribute, value in made.extra:
        if attribute in used:
            report(ev, call, value, "argument", words)


def described(target: Value, call: Call, fact: HandoverFact) -> str:
    node = fact.callable.of(call.node) if fact.callable else None
    if isinstance(node, ast.Lambda):
        return "a lambda"
    if isinstance(node, ast.Call):
        node = node.args[0] if target.kind == PARTIAL else node.func
    return ast.unparse(node) if node is not None else target.name


def is_many(call: Call, fact: HandoverFact) -> bool:
    return fact.each is not None or "ProcessPool" in fact.name or fact.name.endswith((".map", ".imap", ".starmap"))
