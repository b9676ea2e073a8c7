"""Calls of the project's own functions: the caller's sessions go in as formals, the summary comes back out."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..expressions.call import place
from ..expressions.changing import borrow
from ..expressions.ending import end_what_is_kept
from ..expressions.implementations import carry_out, opened_by_all, take_given
from ..expressions.opening import opened
from ..expressions.storing import is_kept_by_its_object
from ..sharing.handing_on import hand_on
from ..sharing.side_by_side import gathered_by_ours
from ..state import ENTRY, GIVEN, GUESSED, HELD, HOLDING, IDLE, KEPT, RETURNED, STORED, UNSURE, Life
from ..summary import Summary, Target
from ..values import (
    AMBIENT,
    CLASS,
    COMMITS,
    COROUTINE,
    FUNCTION,
    GENERATOR,
    JOINED,
    MANAGER,
    OBJECT,
    OPENED,
    REGISTRY,
    SESSION,
    TRANSACTION,
    TUPLE,
    UNKNOWN,
    Resource,
    Value,
    contained,
    made_at,
)
from ..waiting import stream_as_inside
from .arguments import is_always_the_same, told
from .constructing import lives_of
from .coroutines import begun, how_begun
from .effects import apply
from .formals import Formals, receiver_of
from .generated import generated, generators_given, go_through, returned
from .lending import is_log

if TYPE_CHECKING:
    from ..expressions.call import Call
    from ..expressions.evaluate import Evaluation


def run(ev: Evaluation, function: Value, call: Call, awaited: bool) -> Value:
    """A call of a function of the project."""
    target = ev.world.target(function)
    if target is None:
        return borrow(ev, call, by_annotation(ev, function, call))
    if target.is_async and not awaited and not target.is_generator:
        return begun(ev, function, call)
    if target.is_put_off:
        return borrow(ev, call, UNKNOWN)
    handed_on = awaited and end_what_is_handed_on(ev, call)
    if target.is_abstract:
        carry_out(ev, function, call)
        end_what_is_kept(ev, function, receiver_of(ev, function, call))
        value = borrow(ev, call, by_annotation(ev, function, call))
        take_given(ev, function, call)
        opening = opened_by_all(ev, function, call)
        return result(ev, opening, Formals(), call.node, False, False, False) if opening is not None else value
    if target.gathers:
        gathered_by_ours(ev, call, target.gathers)
    hand_on(ev, target, function, call, awaited)
    formals = Formals(receiver_of(ev, function, call))
    summary = ev.world.summary(function, told(ev, target, function, call, formals))
    if summary is None:
        return borrow(ev, call, by_annotation(ev, function, call))
    if target.gathers and any(map(is_coroutine, call.values)):  # they are seen where they are given
        summary = summary._replace(waits=tuple(w for w in summary.waits if w[0].name != target.gathers))
    if handed_on:  # it waits for nothing but that
        summary = summary._replace(waits=tuple(w for w in summary.waits if w[0].chain or w[0].name not in _UNTIL_DONE))
    if target.is_cached:
        summary = summary.untaken._replace(makes_engine=False, makes_owner=False)
    if target.runs_once or (target.remembers and is_always_the_same(ev, call)):
        summary = summary._replace(waits=(), takes_own=None)
    if is_log(ev, call.node.func):
        summary = summary._replace(can_raise=False)
    if not (target.is_generator and not target.is_fixture):
        apply(ev, summary, formals, call.node, function, target.path, ended_by_given(ev, call))
        end_what_is_kept(
            ev, function, formals.receiver, filter(None, (formals.of_caller(r) for r, _ in summary.normal))
        )
        for each in generators_given(target, function, call.positional, call.keywords):
            go_through(ev, each, call.node)
    elif target.is_manager:
        release_before_block(ev, summary, formals)
    if summary.answers:
        stream_as_inside(ev, summary.answers, call, given_to(target, function, call))
    if summary.attributes and function.name.endswith(".__init__"):
        inherit(ev, summary, formals, call.node)
    elif summary.attributes and formals.receiver in ev.scope.local_names - {p.arg for p in ev.body.parameters}:
        begin(ev, summary, formals, call.node)
    value = result(ev, summary, formals, call.node, target.is_generator, target.is_manager, target.is_cached)
    if target.is_cached and target.runs_once:
        value = remembered_by(value, function.name)
    if value.kind == SESSION and value.resource is not None and is_kept_by_its_object(ev, summary, function):
        ev.now.mark(value.resource, STORED)
    receive(ev, value)
    if value.kind == "generated":
        item = value.extra[0]
        given = returned(value, formals, call) if not target.is_generator and len(value.extra) > 1 else UNKNOWN
        if given != UNKNOWN:
            return given
        return generated(function, call, item if item != UNKNOWN else ev.world.returned(function))
    return value if value != UNKNOWN else by_annotation(ev, function, call)


_UNTIL_DONE = frozenset({"asyncio.shield", "asyncio.wait", "asyncio.wait_for"})


def end_what_is_handed_on(ev: Evaluation, call: Call) -> bool:
    """``await undisturbed(session.close())``: whoever is given a release, or a function that closes, awaits it.

    Whether there was something of that kind.
    """
    ended = False
    for coroutine in dict.fromkeys(filter(is_coroutine, call.values)):
        resource = coroutine.resource
        effect = ev.world.known.effect(resource.type, coroutine.name) if resource is not None else None
        if effect is not None and effect.word in ("release", "dispose"):
            ev.awaited_later(coroutine, call.node)
            ended = True
        elif "<locals>" in coroutine.name:
            function, begun_by = how_begun(coroutine, call.node)
            target = ev.world.target(function)
            inside = told(ev, target, function, begun_by, Formals()) if target is not None else ()
            summary = ev.world.summary(function, inside) if any(v.kind == SESSION for _, v in inside) else None
            if summary is not None and summary.closes:
                run(ev, function, begun_by, awaited=True)
                ended = True
    return ended


def ended_by_given(ev: Evaluation, call: Call) -> tuple[Resource, ...]:
    """The sessions that a function of ours rolls back or closes, which the callee is given: ``retry(5, commit)``.

    It sleeps between two calls of it, if at all, and then nothing of them is held.
    """
    given = [value for value in call.values if value.kind == FUNCTION and "<locals>" in value.name]
    names = {name for target in filter(None, map(ev.world.target, given)) for name in target.ends}
    ended = (ev.now.names.get(name, UNKNOWN) for name in sorted(names))
    return tuple(each.resource for each in ended if each.kind == SESSION and each.resource is not None)


def release_before_block(ev: Evaluation, summary: Summary, formals: Formals) -> None:
    """A context manager of the project gives back what sessions of the caller hold before its block begins."""
    for formal, life in summary.between:
        actual = formals.of_caller(formal)
        if actual is not None and not life.may_hold and not life.phases & (ENTRY | UNSURE):
            ev.now.release(actual)


_ARGUMENT = "argument"  # extra: (expression, value)


def given_to(target: Target, function: Value, call: Call) -> dict[str, tuple[ast.expr, Value]]:
    """The parameters with the arguments given for them, as they are written and what they stand for."""
    pairs = zip(call.node.args, call.positional, strict=False)
    positional = tuple(Value(_ARGUMENT, extra=pair) for pair in pairs)
    named = {k.arg: (k.value, call.keywords[k.arg]) for k in call.node.keywords if k.arg is not None}
    keywords = {name: Value(_ARGUMENT, extra=pair) for name, pair in named.items()}
    bound = target.bind(function, positional, keywords)
    return {name: value.extra for name, value in bound if value.kind == _ARGUMENT}


def is_coroutine(value: Value) -> bool:
    """A coroutine, or several; what a dictionary has under its keys counts only where it is taken out."""
    are_several = value.kind == TUPLE and value.name != "dict"
    return value.kind == COROUTINE or (are_several and any(map(is_coroutine, value.extra)))


def receive(ev: Evaluation, value: Value) -> None:
    """What the callee has handed out is the caller's again; out of sight it may be anybody's."""
    returned = [(resource, life) for resource, life in ev.now.lives.items() if life.marks & RETURNED]
    found = contained(value) if returned else ()
    for resource, life in returned:
        ev.now.lives[resource] = Life(life.phases, life.marks & ~RETURNED | (0 if resource in found else STORED))


def inherit(ev: Evaluation, summary: Summary, formals: Formals, node: ast.AST) -> None:
    """``super().__init__(session)``: what the inherited constructor keeps, given or opened there, the object has."""
    opened: list[Resource] = []
    for name, value in summary.attributes:
        kept = formals.outside(value, node, opened)
        if kept != UNKNOWN:
            ev.scope.attributes.setdefault(name, kept)
            ev.now.names[f"self.{name}"] = kept
    for resource, life in lives_of(opened, summary):
        ev.now.open(resource, node, life.phases & ~ENTRY or IDLE)
        ev.now.mark(resource, life.marks & ~(GIVEN | KEPT) | STORED)


def begin(ev: Evaluation, summary: Summary, formals: Formals, node: ast.AST) -> None:
    """``manager.start()``: an object of this function's own has the session from now on that its method opens."""
    owner = ev.now.names.get(formals.receiver, UNKNOWN)
    opened: list[Resource] = []
    kept = {name: formals.outside(value, node, opened) for name, value in summary.attributes}
    sessions = {name: value for name, value in kept.items() if value.kind == SESSION and value.resource in opened}
    if owner.kind != OBJECT or not sessions:
        return
    rest = tuple(pair for pair in owner.extra if not isinstance(pair, tuple) or pair[0] not in sessions)
    ev.now.names[formals.receiver] = owner._replace(extra=(*rest, *sessions.items()))
    for resource, life in lives_of(opened, summary):
        ev.now.open(resource, node, life.phases & ~ENTRY or IDLE)
        ev.now.mark(resource, life.marks & ~(GIVEN | KEPT))


def by_annotation(ev: Evaluation, function: Value, call: Call) -> Value:
    """What the return annotation says; ``def open_session() -> Session`` opens one."""
    value = ev.world.returned(function)
    return opened(ev, value, call.node) if value.kind == "opens" else value


def result(
    ev: Evaluation, summary: Summary, formals: Formals, node: ast.AST, generator: bool, manager: bool, cached: bool
) -> Value:
    """What the call gives; a session opened inside now belongs to the caller."""
    opened: list[Resource] = []
    if generator:
        value = formals.outside(summary.yields, node, opened)
        if value.kind == "session" and value.resource is not None:
            kind = MANAGER if manager else GENERATOR
            owned = value.resource if value.resource in opened else None
            return Value(
                kind,
                value.resource.type,
                owned or value.resource,
                extra=(COMMITS,) * summary.commits if owned else ("borrowed", *summary.gives_back),
            )
        saved = formals.of_caller(summary.saves[0]) if manager and summary.saves else None
        return Value(TRANSACTION, "nested", saved) if saved is not None else Value("generated", extra=(value,))
    value = of_its_object(ev, summary.returns, formals.outside(summary.returns, node, opened), node, opened)
    if value.kind in (MANAGER, GENERATOR):
        return value
    is_new = summary.makes_engine and not cached and ev.body.node is not None
    value = made_at(value, ev.body.qualified if is_new else "", place(node))
    if not cached:
        begin_anew(ev, value)
    for resource in opened:
        life = summary.returned_life or Life(HELD if resource.is_connection else IDLE)
        ev.now.open(resource, node, (life.phases & ~ENTRY) or IDLE)
        ev.now.mark(resource, life.marks & GUESSED)  # code that cannot be seen may close it for them
        if life.phases & HOLDING:
            ev.now.steps[resource] = node
        if cached or resource.flavour == JOINED:  # who made the connection closes it
            ev.now.mark(resource, GIVEN if cached else STORED)
    return value


def of_its_object(ev: Evaluation, returned: Value, value: Value, node: ast.AST, opened: list[Resource]) -> Value:
    """``Manager().session()``: the registry of an object that is made for this one call has a session for it alone."""
    inside, resource = returned.resource, value.resource
    if value.kind != SESSION or inside is None or resource is None or resource.origin != AMBIENT:
        return value
    attribute = inside.key.removeprefix("self").lstrip(".:") if inside.key.startswith("self") else ""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=(ast.Name() | ast.Attribute()) as called))) if attribute:
            made = ev.value(called)
            if made.kind == CLASS and ev.world.makes_registry(made.name, attribute):
                opened.append(resource._replace(origin=OPENED, key=place(node), flavour=""))
                return value._replace(resource=opened[-1])
    return value


def remembered_by(value: Value, function: str) -> Value:
    """A registry that a function makes once and gives to whoever asks is known by it: ``registry()``."""
    resource = value.resource
    if value.kind != REGISTRY or resource is None or ":" not in resource.key or resource.key.startswith("self:"):
        return value
    return value._replace(name=f"{function}()", resource=resource._replace(key=f"{function}()"))


def begin_anew(ev: Evaluation, made: Value) -> None:
    """A registry that the callee has made at this call has a session of its own: not that of the call before."""
    resource = made.resource if made.kind == REGISTRY else None
    if resource is not None and ":" in resource.key and not resource.key.startswith("self:"):
        ev.now.lives.pop(resource, None)
        ev.now.steps.pop(resource, None)
