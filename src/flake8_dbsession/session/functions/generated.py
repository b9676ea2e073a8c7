"""Generators of the project: nothing happens when one is made, and all of it where somebody goes through it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..events import Happening
from ..expressions.call import Call, place
from ..moment import Moment
from ..state import AT_ENTRY, ENTRY, GIVEN, HELD, Life
from ..summary import Summary, Target
from ..values import OPENED, SESSION, UNKNOWN, Resource, Value, contained
from .arguments import told
from .effects import apply, changed
from .formals import Formals, receiver_of

if TYPE_CHECKING:
    from ..expressions.evaluate import Evaluation


def generated(function: Value, call: Call, item: Value) -> Value:
    """The generator that a call gives: what it yields, and the call, out of sight of who asks for its sessions."""
    made = (function, call.node, call.positional, tuple(call.keywords.items()))
    return Value("generated", function.name, extra=(item, (made,)))


def returned(generator: Value, formals: Formals, call: Call) -> Value:
    """A generator that a function has made and returns, as its caller knows it; UNKNOWN where it needs what is left
    inside.
    """
    opened: list[Resource] = []
    item, ((function, _, positional, keywords),) = generator.extra
    owner, scope = function.extra if len(function.extra) == 2 else (None, None)
    if isinstance(owner, Value):
        function = function._replace(extra=(formals.outside(owner, call.node, opened), scope))
    given = tuple(formals.outside(value, call.node, opened) for value in positional)
    named = tuple((name, formals.outside(value, call.node, opened)) for name, value in keywords)
    if opened or scope is not None:
        return UNKNOWN
    return Value("generated", function.name, extra=(item, ((function, call.node, given, named),)))


def go_through(ev: Evaluation, generator: Value, node: ast.AST) -> None:
    """The effects of a generator on the caller's sessions where ``node`` takes its items.

    Whether it goes on to its end is not known, so afterwards a session is as at a ``yield`` or as at the end.
    """
    summary, formals = inside(ev, generator)
    if summary is not None:
        _apply(ev, summary, at_any_time(summary), formals, generator, node)
    go_through_given(ev, generator, node)


def go_through_given(ev: Evaluation, generator: Value, node: ast.AST) -> None:
    """Where a generator is gone through that was given others, and takes their items."""
    function, _, positional, keywords = generator.extra[1][0] if len(generator.extra) > 1 else (UNKNOWN, None, (), ())
    target = ev.world.target(function)
    for each in generators_given(target, function, positional, dict(keywords)) if target is not None else ():
        go_through(ev, each, node)


def generators_given(
    target: Target, function: Value, positional: tuple[Value, ...], keywords: dict[str, Value]
) -> list[Value]:
    """The generators among the arguments of a function that takes their items."""
    if not any(value.kind == "generated" for value in (*positional, *keywords.values())):
        return []
    bound = target.bind(function, positional, keywords)
    return [value for name, value in bound if value.kind == "generated" and name in target.goes_through]


def begin_turns(ev: Evaluation, generator: Value, node: ast.AST) -> Value:
    """As :func:`go_through`, for a loop: in some turn everything is held that is held where the generator yields, and
    what it has left alone by then is as it was.

    Gives how the sessions are now and when the generator has come to its end, for :func:`end_turns`.
    """
    summary, formals = inside(ev, generator)
    if summary is None:
        return UNKNOWN
    end = changed(ev, summary.normal, formals, generator.name)
    turns = tuple((resource, in_a_turn(summary, resource, life)) for resource, life in at_any_time(summary))
    _apply(ev, summary, turns, formals, generator, node)
    go_through_given(ev, generator, node)
    told = filter(None, (formals.of_caller(formal) for formal, _ in turns))
    return Value("end", extra=tuple((r, ev.now.life(r).phases, end[r]) for r in told if r in end))


def wait_between(ev: Evaluation, generator: Value, node: ast.expr) -> None:
    """What the generator of a loop waits for between two of its items, with whatever the loop holds by then."""
    summary, formals = inside(ev, generator)
    target = ev.world.target(generator.extra[1][0][0]) if summary is not None else None
    if summary is None or target is None:
        return
    between = tuple(h for h in summary.waits if any(first <= h[0].line <= last for first, last in target.turns))
    if between:
        apply(ev, Summary(waits=between, can_raise=False), formals, node, generator.extra[1][0][0], target.path)


def hold_in_turns(ev: Evaluation, generator: Value, loop: ast.For | ast.AsyncFor) -> Value:
    """A session that the generator of a loop has to itself, and surely holds a connection with while the loop has an
    item; UNKNOWN for none."""
    summary, _ = inside(ev, generator)
    held = (resource for resource in summary.streams if resource.origin == OPENED) if summary is not None else ()
    own = next(iter(held), None)
    if own is None:
        return UNKNOWN
    resource = own._replace(key=place(loop.iter))
    ev.now.open(resource, loop.iter, HELD)
    ev.now.mark(resource, GIVEN)
    ev.now.steps["turns", resource] = loop
    return Value(SESSION, resource=resource)


def in_a_turn(summary: Summary, resource: Resource, life: Life) -> Life:
    """How a session may be while a loop has an item of the generator."""
    between = dict(summary.between).get(resource, AT_ENTRY)
    if resource in summary.streams:
        return life._replace(phases=HELD)
    return life._replace(phases=ENTRY) if between.phases & ENTRY else life


def drop_turns(now: Moment, own: Value) -> None:
    """The loop is over, and with it the session that its generator has to itself (:func:`hold_in_turns`)."""
    if own.resource is not None:
        now.lives.pop(own.resource, None)
        now.steps.pop(("turns", own.resource), None)


def end_turns(now: Moment, end: Value) -> None:
    """The generator of a loop has come to its end: what the loop has left alone is as the generator leaves it."""
    for resource, phases, life in end.extra:
        if now.life(resource).phases == phases:
            now.lives[resource] = life


def begin_block(ev: Evaluation, manager: Value, node: ast.expr) -> Value:
    """As :func:`begin_turns`, for a ``with`` block: what the end of the block gives back, for :func:`end_block`.

    That is what a generator that serves as a context manager commits, rolls back or closes behind its ``yield``. What
    it waits for before that, the block waits for as it begins, and for what it asks others with a session of its own.
    """
    summary, formals = inside(ev, manager)
    if summary is None:
        return UNKNOWN
    wait_before_block(ev, summary, formals, manager, node)
    ends = [tuple(filter(None, map(formals.of_caller, given_back(each)))) for each in (summary.normal, summary.failed)]
    return Value("end", extra=(*ends, is_in_context(ev, manager)))


def is_in_context(ev: Evaluation, manager: Value) -> bool:
    """Whether the block runs inside of an app context of Flask, which the generator enters for it."""
    target = ev.world.target(manager.extra[1][0][0])
    return target is not None and target.yields_in_context


def wait_before_block(ev: Evaluation, summary: Summary, formals: Formals, manager: Value, node: ast.expr) -> None:
    """What the generator waits for, and asks with a session of its own, before its first ``yield``.

    Callers do not hear of a pause: one that lets in one after the other inside a function is short. What the block is
    given is opened behind the waits.
    """
    function = manager.extra[1][0][0]
    target = ev.world.target(function)
    if target is None or not (summary.waits or summary.takes_own):
        return
    own, last = summary.takes_own, target.yields_first
    lent = tuple(each for each in contained(manager.extra[0]) if each.origin == OPENED and each.key == place(node))
    before = [heard for heard in summary.waits if heard[0].line <= last]
    for what, free, _ in (heard for heard in before if heard[0].kind == "sleep"):
        released = {*map(formals.of_caller, free), *lent}
        through = what.inside((function.name, target.path), node.lineno)
        for resource in (each for each in ev.now.held() if each not in released):
            ev.now.event(Happening.WAITED, node, resource, through)
    waits = tuple(heard for heard in before if heard[0].kind != "sleep")
    is_own = own is not None and own.line <= last and not lent
    part = Summary(waits=waits, takes_own=own if is_own else None, can_raise=False)
    apply(ev, part, formals, node, function, target.path, lent)


def given_back(lives: tuple[tuple[Resource, Life], ...]) -> list[Resource]:
    """The sessions that are surely left without a connection."""
    return [resource for resource, life in lives if not life.may_leak and not life.phases & ENTRY]


def end_block(now: Moment, end: Value) -> None:
    """A ``with`` block ends, by an exception or without one."""
    if end.extra:
        for resource in end.extra[bool(now.raising)]:
            now.release(resource)
        if end.extra[2]:
            now.pop_context()


def held_between(ev: Evaluation, generator: Value) -> list[Resource]:
    """The caller's sessions that surely hold a connection at a ``yield`` of the generator."""
    summary, formals = inside(ev, generator)
    held = summary.streams if summary is not None else ()
    return [actual for formal in held if (actual := formals.of_caller(formal)) is not None]


def yields_whole(ev: Evaluation, generator: Value) -> bool:
    """Whether all that the generator does is to yield once what it is given: there is nothing to wait for."""
    if generator.kind != "generated" or len(generator.extra) < 2:
        return False
    target = ev.world.target(generator.extra[1][0][0])
    return target is not None and target.yields_whole


def _apply(
    ev: Evaluation,
    summary: Summary,
    lives: tuple[tuple[Resource, Life], ...],
    formals: Formals,
    generator: Value,
    node: ast.AST,
) -> None:
    function = generator.extra[1][0][0]
    target = ev.world.target(function)
    if target is not None:
        part = summary._replace(normal=lives, never_returns=False, makes_engine=False)
        apply(ev, part, formals, node, function, target.path)


def inside(ev: Evaluation, generator: Value) -> tuple[Summary | None, Formals]:
    """What the generator does, and what the caller's sessions are called in it."""
    if generator.kind != "generated" or len(generator.extra) < 2:
        return None, Formals()
    function, made, positional, keywords = generator.extra[1][0]
    call, target = Call(made, positional, dict(keywords)), ev.world.target(function)
    formals = Formals(receiver_of(ev, function, call))
    if target is None:
        return None, formals
    return ev.world.summary(function, told(ev, target, function, call, formals)), formals


def at_any_time(summary: Summary) -> tuple[tuple[Resource, Life], ...]:
    """How a generator leaves the caller's sessions at a ``yield`` or at its end."""
    lives = dict(summary.normal)
    for resource, life in summary.between:
        lives[resource] = lives[resource].join(life) if resource in lives else life
    return tuple(sorted(lives.items()))
