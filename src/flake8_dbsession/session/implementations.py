"""Calls of methods that other classes carry out: abstract ones, and those of an object that nobody tells the class of.

Which class it is, is decided at run time, so only what most or all of them do is taken for what happens: they wait.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .arguments import TOLD
from .effects import apply
from .formals import Formals
from .summary import Summary
from .values import Value, contained

if TYPE_CHECKING:
    from .call import Call
    from .evaluate import Evaluation
    from .summary import Target

Method = tuple[Value, "Target"]


def carry_out(ev: Evaluation, method: Value, call: Call) -> None:
    """A call of an abstract method waits where no less than half of the project's classes that have the method do.

    Those that only refuse do not count.
    """
    able = [each for each in found(ev, ev.world.carried_out(method)) if not each[1].refuses]
    waiting = [(each, summary) for each in able if (summary := waits(ev, each, call)) is not None]
    if 2 * len(waiting) >= len(able):
        wait_as(ev, waiting, call)


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
    waiting = [(each, summary) for each in able if (summary := waits(ev, each, call)) is not None]
    if len(waiting) >= needed:
        wait_as(ev, waiting, call)


def found(ev: Evaluation, methods: tuple[Value, ...]) -> list[Method]:
    """The methods with what can be asked about them."""
    return [(each, target) for each in methods if (target := ev.world.target(each)) is not None]


def fits(target: Target, call: Call, awaited: bool) -> bool:
    """Whether a call runs the method at once, and with arguments that it takes."""
    return target.is_async is awaited and not target.is_generator and target.takes(call.node)


def waits(ev: Evaluation, method: Method, call: Call) -> Summary | None:
    """What the method does where it waits; None where it does not, or nobody knows."""
    value, target = method
    given = target.bind(value, call.positional, call.keywords)
    summary = ev.world.summary(value, tuple((n, v) for n, v in given if v.kind in TOLD and not contained(v)))
    return summary if summary is not None and summary.waits else None


def wait_as(ev: Evaluation, waiting: list[tuple[Method, Summary]], call: Call) -> None:
    """Wait as the first of them does."""
    for (value, target), summary in waiting[:1]:
        apply(ev, Summary(waits=summary.waits, can_raise=False), Formals(), call.node, value, target.path)
