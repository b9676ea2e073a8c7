"""What is told of the sessions and rows that a callable is given, uses as a closure, or has on its object."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ..events import Handover, Happening
from ..expressions.call import Call
from ..functions.inside import bound_in, through_objects, unlocked
from ..state import CLOSED
from ..values import (
    FUNCTION,
    METHOD,
    OBJECT,
    OPENED,
    ROW,
    ROWS,
    SESSION,
    UNKNOWN,
    Resource,
    Value,
    contained,
)

if TYPE_CHECKING:
    from ..expressions.evaluate import Evaluation


class Words(NamedTuple):
    """What is the same for everything that one call hands over."""

    concurrency: str
    to: str
    many: bool
    used: frozenset[str] = frozenset()
    """The names that a closure uses."""


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
    functions = list(with_helpers(ev, node))
    reached = frozenset(name for each in functions for name in names_of_others(ev, each))
    by_name = [v for name, v in ev.now.names.items() if name in reached and v.kind in (SESSION, ROW, ROWS)]
    through = dict.fromkeys(value for each in functions for value in through_objects(ev, each))
    for value in (*by_name, *through):
        report(ev, call, value, "closure", words._replace(used=reached))


def with_helpers(ev: Evaluation, node: ast.AST) -> Iterator[ast.AST]:
    """A local function, and those beside it that it speaks of: ``def work(): asyncio.run(load())``."""
    waiting, seen = [node], set()
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        yield function
        beside = (ev.now.names.get(name, UNKNOWN) for name in names_of_others(ev, function))
        waiting += [f.extra[1] for f in beside if f.kind == FUNCTION and len(f.extra) > 1 and f.extra[1] is not None]


def names_of_others(ev: Evaluation, function: ast.AST) -> set[str]:
    """The names that a local function reads and neither gets as an argument nor binds itself, but for the blocks that a
    lock of the caller keeps others out of."""
    read = {n.id for n in unlocked(ev, function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return read - bound_in(function)


def own_attributes(ev: Evaluation, call: Call, target: Value, words: Words) -> None:
    """``submit(self.work)`` where ``work`` uses ``self.session``; ``submit(worker.work)`` of an object made here."""
    owner = target.extra[0] if target.kind in (FUNCTION, METHOD) and target.extra else None
    if not isinstance(owner, Value) or owner.kind != OBJECT:
        return
    made_here: dict[str, Value] = dict(pair for pair in owner.extra if isinstance(pair, tuple))
    at_once = dict(ev.world.attributes_used(target, at_once=True))
    for attribute, value in {**dict(ev.world.attributes_used(target)), **at_once}.items():
        own = made_here.get(attribute, UNKNOWN)
        if own.kind == SESSION and own.resource is not None and own.resource.origin == OPENED:
            name = name_of(ev, own.resource, f"{words.to.rpartition('.')[0] or 'self'}.{attribute}")
            detail = Handover(words.concurrency, "object", name, words.to, words.many)
            ev.now.event(Happening.HANDED_OVER, call.node, own.resource, detail)
        elif attribute in at_once and value.kind == SESSION and value.resource is not None:
            detail = Handover(words.concurrency, "self", f"self.{attribute}", words.to, words.many)
            ev.now.event(Happening.HANDED_OVER, call.node, value.resource, detail)


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
