"""Calls of which nobody knows what they run: abstract methods, those of an unseen object, functions from a table.

Which one it is, is decided at run time, so only what most or all of them do is taken for what happens: they wait, or
leave a session that all of them reach (a registry, an attribute of the same object) with a connection.
"""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

from ..functions.arguments import told
from ..functions.effects import apply
from ..functions.formals import SELF, Formals, receiver_of
from ..summary import Summary
from ..values import AMBIENT, ATTRIBUTE, OPENED, PARAMETER, SESSION, UNKNOWN, Resource, Value

if TYPE_CHECKING:
    from ..summary import Target
    from .call import Call
    from .evaluate import Evaluation

Method = tuple[Value, "Target"]
Waiting = tuple[Method, Summary, Formals]
"""A method with what it does, and what it calls the sessions that it is given."""
Taking = tuple[Summary, list[Resource]]
"""What a method does, and the sessions that it leaves with a connection."""
_SHARED = frozenset({AMBIENT, ATTRIBUTE})


def carry_out(ev: Evaluation, method: Value, call: Call) -> None:
    """A call of an abstract method does what no less than half of the project's classes that have the method do.

    Where a protocol leaves it open, all of them have to. Those that only refuse do not count.
    """
    able = [each for each in found(ev, ev.world.carried_out(method)) if not each[1].refuses]
    target = ev.world.target(method)
    needed = len(able) if target is not None and target.is_left_open else half(able)
    as_many_as(ev, needed, able, _SHARED, method, Formals(receiver_of(ev, method, call)), call)


def take_given(ev: Evaluation, method: Value, call: Call) -> None:
    """Leave the sessions that an abstract method is given with a connection where all that carry it out do."""
    able = [each for each in found(ev, ev.world.carried_out(method)) if not each[1].refuses]
    seen = does(ev, able, call)
    if not seen or len(seen) < len(able):
        return
    taken = [
        {f.of_caller(r) for r, life in s.normal if r.origin == PARAMETER and life.surely_holds} for _, s, f in seen
    ]
    common = set.intersection(*taken)
    (value, target), summary, formals = seen[0]
    left = Summary(normal=tuple(item for item in summary.normal if formals.of_caller(item[0]) in common))
    apply(ev, left, formals, call.node, value, target.path)


def opened_by_all(ev: Evaluation, method: Value, call: Call) -> Summary | None:
    """What a class does that carries out an abstract method, where all of them open a session and hand it out."""
    able = [each for each in found(ev, ev.world.carried_out(method)) if not each[1].refuses]
    summaries = [summary for _, summary, _ in does(ev, able, call) if opens(summary)]
    keeping = [summary for summary in summaries if summary.returns.resource.keeps_rows]  # type: ignore[union-attr]
    return (keeping or summaries)[0] if summaries and len(summaries) == len(able) else None


def opens(summary: Summary) -> bool:
    """Whether a function gives its caller a session of its own."""
    given = summary.returns
    return given.kind == SESSION and given.resource is not None and given.resource.origin == OPENED


def one_of(ev: Evaluation, functions: tuple[Value, ...], call: Call, awaited: bool) -> None:
    """A call of one of several functions, nobody knows of which, does what no less than half of them do."""
    able = [each for each in found(ev, functions) if not each[1].refuses]
    if all(target.is_async is awaited and not target.is_generator for _, target in able):
        as_many_as(ev, half(able), able, frozenset({AMBIENT}), UNKNOWN, Formals(), call)


def half(methods: list[Method]) -> int:
    """How many of some methods are no less than half of them."""
    return (len(methods) + 1) // 2


def as_many_as(
    ev: Evaluation, needed: int, able: list[Method], shared: frozenset[str], method: Value, formals: Formals, call: Call
) -> None:
    """Wait, or leave sessions of a ``shared`` origin with a connection, where as many of ``able`` do."""
    seen = does(ev, able, call)
    waiting = [each for each in seen if each[1].waits]
    if len(waiting) >= needed:
        wait_as(ev, waiting, call, method if formals.receiver == SELF else UNKNOWN)
    taking = [(s, [r for r, life in s.normal if r.origin in shared and life.may_hold]) for _, s, _ in seen]
    take_as(ev, taking, needed, method, formals, call)


def take_as(ev: Evaluation, taking: list[Taking], needed: int, method: Value, formals: Formals, call: Call) -> None:
    """Leave the sessions that as many methods as ``needed`` leave with a connection as the first of them does."""
    leaving = Counter(resource for _, taken in taking for resource in taken)
    common = {resource for resource, number in leaving.items() if number >= needed}
    if not common:
        return
    summary = next(each for each, taken in taking if not common.isdisjoint(taken))
    left = Summary(
        normal=tuple(item for item in summary.normal if item[0] in common),
        failures=tuple((kind, tuple(each for each in lives if each[0] in common)) for kind, lives in summary.failures),
        used=tuple(each for each in summary.used if each in common),
    )
    apply(ev, left, formals, call.node, method, "")


def by_name(ev: Evaluation, call: Call, awaited: bool) -> None:
    """A call of a method of something unseen does what every method in the project that has its telling name does.

    That is to wait, or to leave a registry with a connection. Half of them are enough where the project says that
    subclasses carry it out. What a library has made is none of the project's, whatever its methods are called.
    """
    function = call.node.func
    if not isinstance(function, ast.Attribute):
        return
    methods = ev.world.methods_called(function.attr)
    if not methods or ev.world.is_of_library(ev.body, function.value):
        return
    named = [each for each in found(ev, methods) if not each[1].is_left_open]
    able = [each for each in named if not each[1].refuses and not each[1].is_abstract]
    if not all(fits(target, call, awaited) for _, target in able):
        return
    needed = len(able) if len(able) == len(named) else half(able)
    seen = [(each, as_of_library(s, function.attr), formals) for each, s, formals in does(ev, able, call)]
    waiting = [each for each in seen if each[1].waits]
    if len(waiting) >= needed:
        wait_as(ev, waiting, call)
    taking = [(s, [r for r, life in s.normal if r.origin == AMBIENT and life.surely_holds]) for _, s, _ in seen]
    take_as(ev, taking, max(needed, 1), UNKNOWN, Formals(), call)


def as_of_library(summary: Summary, name: str) -> Summary:
    """What a method does; of one that waits for a library's of the same ``name`` only that, since something unseen may
    be an object of the library itself."""
    both = tuple(heard for heard in summary.waits if heard[0].name.endswith(f".{name}"))
    return summary._replace(waits=both) if both else summary


def found(ev: Evaluation, methods: tuple[Value, ...]) -> list[Method]:
    """The methods with what can be asked about them."""
    return [(each, target) for each in methods if (target := ev.world.target(each)) is not None]


def fits(target: Target, call: Call, awaited: bool) -> bool:
    """Whether a call runs the method at once, and with arguments that it takes."""
    return target.is_async is awaited and not target.is_generator and target.takes(call.node)


def does(ev: Evaluation, methods: list[Method], call: Call) -> list[Waiting]:
    """What the methods do with what the call gives them, as far as anybody knows."""
    seen = []
    for value, target in methods:
        formals = Formals()
        summary = ev.world.summary(value, told(ev, target, value, call, formals))
        if summary is not None:
            seen.append(((value, target), summary, formals))
    return seen


def wait_as(ev: Evaluation, waiting: list[Waiting], call: Call, carried_out: Value = UNKNOWN) -> None:
    """Wait as the first of them does: not for a session that it has been given and gives back before.

    Nor for one that only objects of other classes have, where a method of the same object is ``carried_out``.
    """
    for (value, target), summary, formals in waiting[:1]:
        strange = ev.world.kept_by_others(value, carried_out) if carried_out != UNKNOWN else ()
        guessed = ((what._replace(is_guessed=True), free, held) for what, free, held in summary.waits)
        waits = Summary(waits=tuple(guessed), can_raise=False)
        apply(ev, waits, formals, call.node, value, target.path, strange)
