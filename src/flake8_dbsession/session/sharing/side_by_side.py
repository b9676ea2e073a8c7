"""Coroutines that go on side by side: those of ``gather()`` and its like, and lists of them that may go there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...known import Handover as HandoverFact
from ...names import all_given
from ..events import Handover, Happening
from ..expressions.call import Call
from ..functions.effects import beside
from ..values import (
    ATTRIBUTE,
    COROUTINE,
    FUNCTION,
    LIST,
    OPENED,
    SESSION,
    TUPLE,
    UNKNOWN,
    Resource,
    Value,
    contained,
)
from .telling import name_of

if TYPE_CHECKING:
    from ..expressions.evaluate import Evaluation

_DISPLAYS = (ast.List, ast.Tuple)
_MOST_ALIKE = 4
"""Coroutines of one function in a list: more tell nothing new, and each may know of the list as it was before."""


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
