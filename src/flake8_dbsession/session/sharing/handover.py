"""Sessions that go to a thread, a task or a job."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from ...known import Argument
from ...known import Handover as HandoverFact
from ...names import all_given
from ..events import Handover, Happening
from ..expressions.call import Call
from ..functions.coroutines import TASK
from ..functions.effects import beside
from ..functions.inside import through_objects
from ..state import CLOSED
from ..values import (
    ATTRIBUTE,
    COROUTINE,
    FUNCTION,
    LIST,
    METHOD,
    OBJECT,
    OPENED,
    PARTIAL,
    ROW,
    ROWS,
    SESSION,
    TUPLE,
    UNKNOWN,
    Resource,
    Value,
    contained,
)
from .threads import in_thread

if TYPE_CHECKING:
    from ..expressions.evaluate import Evaluation


_DISPLAYS = (ast.List, ast.Tuple)
_MOST_ALIKE = 4
"""Coroutines of one function in a list: more tell nothing new, and each may know of the list as it was before."""


class Words(NamedTuple):
    """What is the same for everything that one call hands over."""

    concurrency: str
    to: str
    many: bool
    used: frozenset[str] = frozenset()
    """The names that a closure uses."""


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
    for value in (*given, *((target,) if target.kind in (PARTIAL, METHOD, "coroutine") else ())):
        report(ev, call, value, "argument", words)
    closure(ev, call, target, words)
    own_attributes(ev, call, target, words)
    return None


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


def together(ev: Evaluation, call: Call, fact: HandoverFact) -> None:
    """``gather(a(session), b(session))``: the same session in two coroutines at once."""
    coroutines: list[tuple[Value, int]] = []
    for argument, value in zip(call.node.args, call.positional, strict=False):
        if value.kind == TUPLE and value.name == LIST:
            coroutines += [(part, value.extra.count(part)) for part in dict.fromkeys(value.extra)]
        elif value.kind == TUPLE and isinstance(argument, ast.Starred) and isinstance(argument.value, _DISPLAYS):
            coroutines += [(part, 1) for part in value.extra]
        elif value == UNKNOWN and isinstance(argument, ast.Call):
            coroutines.append((given_to(ev, argument), 1))
        else:
            coroutines.append((value, 2 if isinstance(argument, ast.Starred) else 1))
    run_at_once(ev, call.node, coroutines, fact.entry.runs or "task", fact.name)


def given_to(ev: Evaluation, call: ast.Call) -> Value:
    """What a call that cannot be seen, of something that is run beside others, is given by name."""
    arguments = all_given(call)
    given = (ev.now.names.get(argument.id, UNKNOWN) for argument in arguments if isinstance(argument, ast.Name))
    return Value(TUPLE, extra=tuple(value for value in given if value.kind == SESSION))


def put(ev: Evaluation, jobs: Value, call: Call) -> bool:
    """``jobs.append(work(session, row))``: whether a coroutine joins a list of this function that may be run at once.

    In a loop it joins twice, which stands for any number. It may have a label: ``jobs.append((row.id, work(row)))``.
    """
    match call.node.func:
        case ast.Attribute(value=ast.Name(id=name), attr="append") if name in ev.scope.local_names:
            item = call.positional[0] if len(call.positional) == 1 else UNKNOWN
            coroutine = item if item.kind == COROUTINE else labelled(item)
            if coroutine == UNKNOWN:
                return False
            most = 1 if any(is_new_each_turn(ev, call, resource) for resource in contained(coroutine)) else 2
            known = [labelled(part) if part.kind == TUPLE else part for part in jobs.extra if isinstance(part, Value)]
            joins = sum(part.name == coroutine.name for part in known) < _MOST_ALIKE and known.count(coroutine) < most
            parts = (*jobs.extra, item) if joins else jobs.extra
            ev.now.names[name] = Value(TUPLE, LIST, extra=parts)
            return True
    return False


def labelled(item: Value) -> Value:
    """The one coroutine of a tuple; UNKNOWN for anything else."""
    parts = item.extra if item.kind == TUPLE and item.name == "" else ()
    coroutines = [part for part in parts if isinstance(part, Value) and part.kind == COROUTINE]
    return coroutines[0] if len(coroutines) == 1 else UNKNOWN


def is_new_each_turn(ev: Evaluation, call: Call, resource: Resource) -> bool:
    """Whether the session is opened in the loop that the call stands in, so that each turn has one of its own."""
    loops = [
        loop
        for loop in ev.body.own(ast.For, ast.AsyncFor, ast.While)
        if loop.lineno <= call.node.lineno <= (loop.end_lineno or 0)
    ]
    inner = max(loops, key=lambda loop: loop.lineno, default=None)
    place = opened_at(resource)
    return inner is not None and place is not None and inner.lineno <= place[0] <= (inner.end_lineno or 0)


def opened_at(resource: Resource) -> tuple[int, int] | None:
    """The line and column where a session is opened here; None for one that comes from elsewhere."""
    line, _, column = resource.key.partition(":")
    is_place = resource.origin == OPENED and line.isdecimal() and column.isdecimal()
    return (int(line), int(column)) if is_place else None


def gathered_by_ours(ev: Evaluation, call: Call, gatherer: str) -> None:
    """``bounded_gather([a(row) for row in rows])``: a function of the project that runs what it is given at once."""
    lists = [value for value in call.values if value.kind == TUPLE]
    coroutines = [part for value in lists for part in value.extra if isinstance(part, Value) and part.kind == COROUTINE]
    run_at_once(ev, call.node, [(part, 2 if len(coroutines) == 1 else 1) for part in coroutines], "task", gatherer)


def run_at_once(ev: Evaluation, node: ast.AST, coroutines: list[tuple[Value, int]], runs: str, gatherer: str) -> None:
    """Coroutines that go on side by side, each with how often at least."""
    for value, times in coroutines:
        for coroutine in value.extra if value.kind == TUPLE else (value,):
            if isinstance(coroutine, Value) and coroutine.kind == COROUTINE and coroutine.name:
                function = Value(FUNCTION, coroutine.name, extra=(None, None))
                beside_the_caller(ev, node, function)
                if times > 1:
                    spread(ev, node, function)
    seen: dict[Resource, int] = {}
    for value, times in coroutines:
        for resource in sorted({*contained(value)}, key=lambda each: (each.origin == ATTRIBUTE, each)):
            seen[resource] = seen.get(resource, 0) + (1 if is_opened_in(node, resource) else times)
    for resource, times in seen.items():
        if times > 1:
            detail = Handover(runs, "argument", name_of(ev, resource), gatherer, True)
            ev.now.event(Happening.HANDED_OVER, node, resource, detail)


def is_opened_in(node: ast.AST, resource: Resource) -> bool:
    """Whether the session is opened within an expression: ``gather(*[work(make_session()) for …])`` opens several."""
    place = opened_at(resource)
    start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
    return place is not None and bool(start <= place <= end)


def beside_the_caller(ev: Evaluation, node: ast.AST, function: Value) -> None:
    """A coroutine of the project that takes a connection of its own while the caller holds one."""
    target = ev.world.target(function)
    summary = ev.world.summary(function, ()) if target is not None and ev.now.held() else None
    if target is not None and summary is not None and summary.takes_own:
        beside(ev, node, (function.name, target.path), summary.takes_own)


def spread(ev: Evaluation, node: ast.AST, function: Value) -> None:
    """Any number of coroutines that each take a connection of their own."""
    target = ev.world.target(function)
    summary = ev.world.summary(function, ()) if target is not None else None
    if target is not None and summary is not None and summary.takes_own:
        own = summary.takes_own
        ev.now.event(Happening.SPREAD, node, own.resource, ((function.name, target.path, own.line), *own.way))


def report(ev: Evaluation, call: Call, value: Value, through: str, words: Words) -> None:
    for resource in contained(value):
        detail = Handover(words.concurrency, through, name_of(ev, resource), words.to, words.many)
        ev.now.event(Happening.HANDED_OVER, call.node, resource, detail)
    rows = [v for v in (value, *(x for x in value.extra if isinstance(x, Value))) if v.kind in (ROW, ROWS)]
    for row in rows:
        if row.resource is not None and ev.now.life(row.resource).phases != CLOSED:  # else it loads nothing any more
            detail = Handover(words.concurrency, "row", name_of_row(ev, row, words.used), words.to, words.many)
            ev.now.event(Happening.HANDED_OVER, call.node, row.resource, detail)


def closure(ev: Evaluation, call: Call, target: Value, words: Words) -> None:
    """A local function or lambda that uses a session of the function around it, or of an object that this one has."""
    node = target.extra[1] if target.kind == FUNCTION and len(target.extra) > 1 else None
    if node is None:
        return
    used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    reached = frozenset(used - {a.arg for a in node.args.args})
    by_name = [v for name, v in ev.now.names.items() if name in reached and v.kind in (SESSION, ROW, ROWS)]
    for value in (*by_name, *through_objects(ev, node)):
        report(ev, call, value, "closure", words._replace(used=reached))


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


def own_attributes(ev: Evaluation, call: Call, target: Value, words: Words) -> None:
    """``submit(self.work)`` where ``work`` uses ``self.session``; ``submit(worker.work)`` of an object made here."""
    owner = target.extra[0] if target.kind in (FUNCTION, METHOD) and target.extra else None
    if not isinstance(owner, Value) or owner.kind != OBJECT:
        return
    made_here: dict[str, Value] = dict(pair for pair in owner.extra if isinstance(pair, tuple))
    for attribute, value in ev.world.attributes_used(target):
        own = made_here.get(attribute, UNKNOWN)
        if own.kind == SESSION and own.resource is not None and own.resource.origin == OPENED:
            name = name_of(ev, own.resource, f"{words.to.rpartition('.')[0] or 'self'}.{attribute}")
            detail = Handover(words.concurrency, "object", name, words.to, words.many)
            ev.now.event(Happening.HANDED_OVER, call.node, own.resource, detail)
        elif value.kind == SESSION and value.resource is not None:
            detail = Handover(words.concurrency, "self", f"self.{attribute}", words.to, words.many)
            ev.now.event(Happening.HANDED_OVER, call.node, value.resource, detail)


def described(target: Value, call: Call, fact: HandoverFact) -> str:
    node = fact.callable.of(call.node) if fact.callable else None
    if isinstance(node, ast.Lambda):
        return "a lambda"
    if isinstance(node, ast.Call):
        node = node.func
    return ast.unparse(node) if node is not None else target.name


def is_many(call: Call, fact: HandoverFact) -> bool:
    return fact.each is not None or "ProcessPool" in fact.name or fact.name.endswith((".map", ".imap", ".starmap"))


def name_of(ev: Evaluation, resource: Resource, otherwise: str = "the session") -> str:
    """The name the session goes by here."""
    for name, value in ev.now.names.items():
        if value.kind == SESSION and value.resource == resource:
            return name
    return resource.key.removeprefix(".") if resource.origin != "opened" else otherwise


def name_of_row(ev: Evaluation, row: Value, used: frozenset[str]) -> str:
    """The name the row goes by here, one of those that are ``used`` if it has several."""
    names = [name for name, value in ev.now.names.items() if value == row]
    return next((name for name in names if name in used), next(iter(names), "the row"))
