"""Calls of the project's own functions: the caller's sessions go in as formals, the summary comes back out."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .events import Happening, Swallowed
from .formals import SELF, Formals, receiver_of
from .generated import generated
from .handover import gathered_by_ours, given_to_object
from .lending import reads
from .state import ENTRY, GIVEN, GUESSED, HELD, HOLDING, IDLE, KEPT, RETURNED, STORED, SWALLOWED, UNSURE, Life
from .summary import Steps, Summary, Target, Wait
from .values import (
    CONSTANT,
    COROUTINE,
    FUNCTION,
    GENERATOR,
    MANAGER,
    METHOD,
    NONE,
    OBJECT,
    OPENED,
    SESSION,
    TUPLE,
    UNKNOWN,
    Resource,
    Value,
    contained,
)
from .waiting import STREAMING_RESPONSES, stream

if TYPE_CHECKING:
    from .call import Call
    from .evaluate import Evaluation

_TOLD = frozenset(
    {"session", "registry", "statement", "query", "row", "rows", "result", "object", "factory", "engine", "manager"}
    | {"generator", "function", "class", "partial", "flask_db", "tuple", "transaction", CONSTANT}
)


_REACHED = _TOLD - {CONSTANT}


def run(ev: Evaluation, function: Value, call: Call, awaited: bool) -> Value:
    """A call of a function of the project."""
    target = ev.world.target(function)
    if target is None:
        return unseen(ev, call, by_annotation(ev, function, call))
    if target.is_async and not awaited and not target.is_generator:
        return Value("coroutine", function.name, extra=(*call.values, *reached(ev, function)))
    if target.is_abstract:
        carry_out(ev, function, call)
        return unseen(ev, call, by_annotation(ev, function, call))
    if target.gathers:
        gathered_by_ours(ev, call, target.gathers)
    formals = Formals(receiver_of(ev, function, call))
    summary = ev.world.summary(function, told(ev, target, function, call, formals))
    if summary is None:
        return unseen(ev, call, by_annotation(ev, function, call))
    if target.gathers and any(map(is_coroutine, call.values)):  # they are seen where they are given
        summary = summary._replace(waits=tuple(w for w in summary.waits if w[0].name != target.gathers))
    if target.is_cached:
        summary = summary._replace(makes_engine=False, makes_owner=False)
    if target.runs_once:
        summary = summary._replace(waits=(), takes_own=None)
    if not (target.is_generator and not target.is_fixture):
        apply(ev, summary, formals, call.node, function, target.path)
    if summary.attributes and function.name.endswith(".__init__"):
        inherit(ev, summary, formals, call.node)
    value = result(ev, summary, formals, call.node, target.is_generator, target.is_manager, target.is_cached)
    receive(ev, value)
    if value.kind == "generated":
        return generated(function, call, value.extra[0])
    return value if value != UNKNOWN else by_annotation(ev, function, call)


def is_coroutine(value: Value) -> bool:
    """A coroutine, or several."""
    return value.kind == COROUTINE or (value.kind == TUPLE and any(map(is_coroutine, value.extra)))


def told(
    ev: Evaluation, target: Target, function: Value, call: Call, formals: Formals
) -> tuple[tuple[str, Value], ...]:
    """The parameters with what is known of the arguments, and of the defaults of those that the call leaves out."""
    method = knowing(ev, function) if formals.receiver == SELF else function
    given = (*captured(ev, function), *target.bind(method, call.positional, call.keywords))
    names = {name for name, _ in given}
    unpacked = "**" in call.keywords or any(isinstance(argument, ast.Starred) for argument in call.node.args)
    left_out = () if unpacked else tuple(item for item in target.defaults if item[0] not in names)
    telling = [(name, value) for name, value in (*given, *left_out) if value.kind in _TOLD or asks(value)]
    return tuple((name, formals.inside(value, name)) for name, value in telling)


def asks(value: Value) -> bool:
    """``query.one``, ``session.commit``: a method of a session that a helper will call."""
    return value.kind == METHOD and value.extra[0].kind in ("session", "registry", "query", "result")


def knowing(ev: Evaluation, method: Value) -> Value:
    """A method of the object whose method this is, which knows what sessions have been set on it by now."""
    owner = method.extra[0] if method.extra else None
    if not isinstance(owner, Value) or owner.kind != OBJECT:
        return method
    known = {name[5:]: value for name, value in ev.now.names.items() if name.startswith("self.")}
    telling = {name: value for name, value in known.items() if value == NONE or contained(value)}
    extra = (*(pair for pair in owner.extra if pair[0] not in telling), *telling.items())
    return method._replace(extra=(owner._replace(extra=extra), *method.extra[1:])) if telling else method


def receive(ev: Evaluation, value: Value) -> None:
    """What the callee has handed out is the caller's again; out of sight it may be anybody's."""
    returned = [(resource, life) for resource, life in ev.now.lives.items() if life.marks & RETURNED]
    found = contained(value) if returned else ()
    for resource, life in returned:
        ev.now.lives[resource] = Life(life.phases, life.marks & ~RETURNED | (0 if resource in found else STORED))


def inherit(ev: Evaluation, summary: Summary, formals: Formals, node: ast.AST) -> None:
    """``super().__init__(session)``: what the inherited constructor keeps of what it is given, the object has."""
    for name, value in summary.attributes:
        opened: list[Resource] = []
        kept = formals.outside(value, node, opened)
        if kept != UNKNOWN and not opened:
            ev.scope.attributes.setdefault(name, kept)
            ev.now.names[f"self.{name}"] = kept


def carry_out(ev: Evaluation, method: Value, call: Call) -> None:
    """A call of an abstract method waits where no less than half of the project's classes that have the method do.

    Those that only refuse do not count.
    """
    able, waiting = 0, []
    for each in ev.world.carried_out(method):
        target = ev.world.target(each)
        if target is None or target.refuses:
            continue
        given = target.bind(each, call.positional, call.keywords)
        summary = ev.world.summary(each, tuple((n, v) for n, v in given if v.kind in _TOLD and not contained(v)))
        able += 1
        if summary is not None and summary.waits:
            waiting.append((each, target, summary))
    if waiting and 2 * len(waiting) >= able:
        each, target, summary = waiting[0]
        apply(ev, Summary(waits=summary.waits, can_raise=False), Formals(), call.node, each, target.path)


def by_annotation(ev: Evaluation, function: Value, call: Call) -> Value:
    """What the return annotation says; ``def open_session() -> Session`` opens one."""
    from .opening import opened

    value = ev.world.returned(function)
    return opened(ev, value, call.node) if value.kind == "opens" else value


def unseen(ev: Evaluation, call: Call, returned: Value) -> Value:
    """A function of the project that is too deep or recursive: it borrows what it gets."""
    from .lending import pass_on

    pass_on(ev, call)
    ev.now.may_raise()
    return returned


def reached(ev: Evaluation, function: Value) -> list[Value]:
    """The sessions that a function finds without being given them: of the function around it, or on its object."""
    values = [value for _, value in captured(ev, function)]
    owner = function.extra[0] if function.extra else None
    if isinstance(owner, Value) and owner.kind == OBJECT:
        values += [pair[1] for pair in owner.extra if isinstance(pair, tuple) and pair[1].kind == SESSION]
        values += [value for _, value in ev.world.attributes_used(function) if value.kind == SESSION]
    return values


def captured(ev: Evaluation, function: Value) -> list[tuple[str, Value]]:
    """What a function defined inside the caller reaches by name: its sessions, and what it works with."""
    node = function.extra[1] if len(function.extra) > 1 else None
    telling = [(n, v) for n, v in ev.now.names.items() if v.kind in _REACHED] if node is not None else []
    if node is None or not telling:
        return []
    used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return [(name, value) for name, value in telling if name in used]


def apply(ev: Evaluation, summary: Summary, formals: Formals, node: ast.AST, function: Value, path: str) -> None:
    """The callee's effects on the caller's sessions."""
    for what, free, held in summary.waits:
        step = (function.name or "<lambda>", path, what.line)
        through = what._replace(chain=(step, *what.chain)[:4], line=node.lineno)  # type: ignore[attr-defined]
        released = {known for known in map(formals.of_caller, free) if known is not None}
        report(ev, through, node, released, {known for known in map(formals.of_caller, held) if known is not None})
    if summary.takes_own:
        beside(ev, node, (function.name, path), *summary.takes_own)
    if summary.can_raise:
        for kind, lives in summary.failures or (("other", ()),):
            after = changed(ev, tuple((r, unswallowed(life)) for r, life in lives), formals) if lives else None
            ev.now.may_raise(kind, after)
    if summary.makes_engine:
        ev.now.event(Happening.ENGINE_MADE, node, None, function.name)
        ev.scope.engines.append(node)
    if summary.makes_owner:
        own(ev, node, function.name)
    for formal, life in summary.normal:
        actual = formals.of_caller(formal) if life.phases == IDLE else None
        if actual is not None:
            ev.now.cut(actual, node)
    for actual in filter(None, map(formals.of_caller, summary.used)):
        ev.now.after_failure(actual, node)
    if summary.never_returns and summary.can_raise:
        ev.now.is_dead = True
    if not summary.normal:
        return
    before = dict(ev.now.lives)
    ev.now.lives = changed(ev, summary.normal, formals, function.name)
    for formal, handler in summary.swallows:
        ev.now.steps["caught", formals.of_caller(formal)] = Swallowed(node, handler, formal)
    for resource, life in list(ev.now.lives.items()):
        old = before.get(resource, Life(ENTRY))
        if life.may_hold and not old.may_hold:
            ev.now.lives, now = before, ev.now.lives
            ev.now._second(resource, node)
            ev.now.lives = now
            ev.now.event(Happening.TAKEN, node, resource)
            ev.now.steps[resource] = node
        elif not life.may_hold:
            ev.now.steps.pop(resource, None)
            if old.may_hold:
                ev.now.expire(resource) if not resource.keeps_rows else None


def unswallowed(life: Life) -> Life:
    """The life as an exception takes it out of the callee: whoever catches that is the one who swallows."""
    return Life(life.phases, life.marks & ~SWALLOWED)


def own(ev: Evaluation, node: ast.AST, name: str) -> None:
    """An object with an engine of its own is made."""
    ev.now.event(Happening.OWNER_MADE, node, None, name)
    ev.scope.owners.append(node)


def beside(ev: Evaluation, node: ast.AST, callee: tuple[str, str], line: int, own: Resource, way: Steps) -> None:
    """The callee (its name and path) takes a connection of its own while the caller holds one."""
    way = ((*callee, line), *way)[:4]
    ev.now.own = ev.now.own or (node, own, way)
    for resource in ev.now.held():
        if own.is_apart_from(resource) and resource != own:
            ev.now.event(Happening.SECOND, node, resource, way)


def report(ev: Evaluation, what: Wait, node: ast.AST, released: set[Resource], inside: set[Resource]) -> None:
    from .waiting import report_wait

    report_wait(ev, what, node, tuple(sorted(released)), tuple(sorted(inside)))


def changed(
    ev: Evaluation, lives: Iterable[tuple[Resource, Life]], formals: Formals, name: str = ""
) -> dict[Resource, Life]:
    """The caller's lives after the callee left its formals as ``lives`` say (ENTRY: as they were).

    What the callee only passes on to unknown code comes back to the caller, who still has to close it. What a callee
    does whose ``name`` says that it reads ends no transaction.
    """
    after = dict(ev.now.lives)
    for formal, life in lives:
        actual = formals.of_caller(formal)
        if actual is None:
            continue
        old = ev.now.life(actual)
        phases = (life.phases & ~ENTRY) | old.phases if life.phases & ENTRY else life.phases
        if life.phases & HELD and not life.phases & ~(HOLDING | IDLE | ENTRY):
            phases = life.phases & HOLDING  # on the way inside on which it is taken and not given back
        if life.phases & UNSURE and old.surely_holds and not life.phases & ~(UNSURE | ENTRY | HELD) and reads(name):
            phases = old.phases
        stored = STORED if life.marks & KEPT else 0
        after[actual] = Life(phases, old.marks | stored | life.marks & ~(GUESSED | KEPT))
    return after


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
                extra=() if owned else ("borrowed", releases(summary)),
            )
        return Value("generated", extra=(value,))
    value = formals.outside(summary.returns, node, opened)
    if value.kind in (MANAGER, GENERATOR):
        return value
    for resource in opened:
        life = summary.returned_life or Life(HELD if resource.is_connection else IDLE)
        ev.now.open(resource, node, (life.phases & ~ENTRY) or IDLE)
        if life.phases & HOLDING:
            ev.now.steps[resource] = node
        if cached:
            ev.now.mark(resource, GIVEN)
    return value


def releases(summary: Summary) -> bool:
    """Whether a context manager that hands out a session it was given leaves it without a connection."""
    resource = summary.yields.resource
    life = dict(summary.normal).get(resource) if resource is not None else None
    return life is not None and not life.may_leak and not life.phases & ENTRY


def construct(ev: Evaluation, made: Value, call: Call) -> Value:
    """``Repository(session)``: an object that knows which of its attributes are sessions."""
    streaming = next((b for b in ev.world.foreign_bases(made.name) if b in STREAMING_RESPONSES), None)
    if streaming is not None:
        stream(ev, streaming, call)
    if ev.world.owns_engine(made.name):
        own(ev, call.node, made.name)
    init = ev.world.attribute(Value(OBJECT, made.name), "__init__")
    if init.kind != FUNCTION:
        return filled(ev, made, call)
    target = ev.world.target(init)
    if target is None:
        unseen(ev, call, UNKNOWN)
        return Value(OBJECT, made.name)
    formals = Formals()
    summary = ev.world.summary(init, told(ev, target, init, call, formals))
    if summary is None:
        unseen(ev, call, UNKNOWN)
        return Value(OBJECT, made.name)
    if ev.world.is_single(made.name):
        summary = summary._replace(makes_owner=False)
    apply(ev, kept_by_the_object(summary), formals, call.node, init, target.path)
    value = Value(OBJECT, made.name, extra=tuple(attributes_of(ev, summary, formals, call)))
    given_to_object(ev, value, call)
    return value


def filled(ev: Evaluation, made: Value, call: Call) -> Value:
    """``Repository(session=session)`` of a dataclass: its fields have what they are given; else who knows."""
    fields = ev.world.fields(made.name)
    given = {**dict(zip(fields, call.positional, strict=False)), **call.keywords}
    if not fields or len(call.positional) > len(fields) or not given.keys() <= set(fields):
        for value in call.values:
            ev.now.give(value)
        given = {}
    ev.now.may_raise()
    value = Value(OBJECT, made.name, extra=tuple(item for item in given.items() if item[1] != UNKNOWN))
    given_to_object(ev, value, call)
    return value


def attributes_of(ev: Evaluation, summary: Summary, formals: Formals, call: Call) -> list[tuple[str, Value]]:
    """What a constructor sets on its object; a session that it opens is open from now on."""
    opened: list[Resource] = []
    attributes = [(name, formals.outside(value, call.node, opened)) for name, value in summary.attributes]
    held = {r.key: life for r, life in summary.normal if r.origin == OPENED}
    for resource in opened:
        life = next(iter(held.values()), Life(HELD if resource.is_connection else IDLE))
        ev.now.open(resource, call.node, life.phases & ~ENTRY or IDLE)
        ev.now.mark(resource, life.marks & ~(GIVEN | KEPT))
    return [(name, value) for name, value in attributes if value != UNKNOWN]


def kept_by_the_object(summary: Summary) -> Summary:
    """A constructor's summary where what it stores on its object only is not given away: the caller has the object.

    Where the constructor raises, nobody has it.
    """

    def own(lives: tuple[tuple[Resource, Life], ...]) -> tuple[tuple[Resource, Life], ...]:
        return tuple((resource, Life(life.phases, life.marks & ~KEPT)) for resource, life in lives)

    failures = tuple((kind, own(lives)) for kind, lives in summary.failures)
    return summary._replace(normal=own(summary.normal), failures=failures)
