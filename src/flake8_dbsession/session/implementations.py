"""Calls of methods that other classes carry out: abstract ones, and those of an object that nobody tells the class of.

Which class it is, is decided at run time, so only what most or all of them do is taken for what happens: they wait, or
leave a session that all of them reach (a registry, an attribute of the same object) with a connection.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .arguments import TOLD
from .effects import apply
from .formals import Formals, receiver_of
from .state import Life
from .summary import Summary
from .values import AMBIENT, ATTRIBUTE, Resource, Value, contained

if TYPE_CHECKING:
    from .call import Call
    from .evaluate import Evaluation
    from .summary import Target

Method = tuple[Value, "Target"]


def carry_out(ev: Evaluation, method: Value, call: Call) -> None:
    """A call of an abstract method does what no less than half of the project's classes that have the method do.

    Those that only refuse do not count.
    """
    able = [each for each in found(ev, ev.world.carried_out(method)) if not each[1].refuses]
    seen = [(each, summary) for each in able if (summary := does(ev, each, call)) is not None]
    waiting = [(each, summary) for each, summary in seen if summary.waits]
    if 2 * len(waiting) >= len(able):
        wait_as(ev, waiting, call)
    taking = [summary for _, summary in seen if taken(summary.normal)]
    common = {r for summary in taking for r in taken(summary.normal) if 2 * among(r, taking) >= len(able)}
    if common:
        take_as(ev, next(each for each in taking if common & taken(each.normal)), common, method, call)


def take_as(ev: Evaluation, summary: Summary, common: set[Resource], method: Value, call: Call) -> None:
    """Leave the sessions that most reach as one of the methods leaves them."""
    left = Summary(
        normal=tuple(item for item in summary.normal if item[0] in common),
        failures=tuple((kind, tuple(each for each in lives if each[0] in common)) for kind, lives in summary.failures),
        used=tuple(each for each in summary.used if each in common),
    )
    apply(ev, left, Formals(receiver_of(ev, method, call)), call.node, method, "")


def taken(lives: tuple[tuple[Resource, Life], ...]) -> set[Resource]:
    """The sessions of everybody, or of the object, that are left with a connection."""
    return {resource for resource, life in lives if resource.origin in (AMBIENT, ATTRIBUTE) and life.may_hold}


def among(resource: Resource, summaries: list[Summary]) -> int:
    return sum(resource in taken(summary.normal) for summary in summaries)


def by_name(ev: Evaluation, call: Call, awaited: bool) -> None:
    """A call of a method of something unseen waits where every method in the project that has its telling name does.

    Half of them are enough where the project says that classes carry it out.
    """
    if not isinstance(call.node.func, ast.Attribute):
        return
    named = found(ev, ev.world.methods_called(call.node.func.attr))
    able = [each for each in named if not each[1].refuses and not each[1].is_abstract]
    if not all(fits(target, call, awaited) for _, target in able):
        return
    needed = len(able) if len(able) == len(named) else (len(able) + 1) // 2
    waiting = [(each, what) for each in able if (what := does(ev, each, call)) is not None and what.waits]
    if len(waiting) >= needed:
        wait_as(ev, waiting, call)


def found(ev: Evaluation, methods: tuple[Value, ...]) -> list[Method]:
    """The methods with what can be asked about them."""
    return [(each, target) for each in methods if (target := ev.world.target(each)) is not None]


def fits(target: Target, call: Call, awaited: bool) -> bool:
    """Whether a call runs the method at once, and with arguments that it takes."""
    return target.is_async is awaited and not target.is_generator and target.takes(call.node)


def does(ev: Evaluation, method: Method, call: Call) -> Summary | None:
    """What the method does; None where nobody knows."""
    value, target = method
    given = target.bind(value, call.positional, call.keywords)
    return ev.world.summary(value, tuple((n, v) for n, v in given if v.kind in TOLD and not contained(v)))


def wait_as(ev: Evaluation, waiting: list[tuple[Method, Summary]], call: Call) -> None:
    """Wait as the first of them does."""
    for (value, target), summary in waiting[:1]:
        apply(ev, Summary(waits=summary.waits, can_raise=False), Formals(), call.node, value, target.path)
