"""Objects of the project as they are made: which of their attributes are sessions, and whose those are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..bearable import light_enough
from ..expressions.changing import borrow
from ..expressions.opening import asynchronous
from ..sharing.handover import given_to_object
from ..state import ENTRY, GIVEN, HELD, IDLE, KEPT, STORED, Life
from ..summary import Summary
from ..values import (
    ENGINE,
    FACTORY,
    FUNCTION,
    NONE,
    OBJECT,
    OPENED,
    REGISTRY,
    SESSION,
    UNKNOWN,
    Resource,
    Value,
)
from ..waiting import STREAMING_RESPONSES, stream
from .arguments import given_something, told
from .effects import apply, own
from .formals import Formals

if TYPE_CHECKING:
    from ..expressions.call import Call
    from ..expressions.evaluate import Evaluation


def construct(ev: Evaluation, made: Value, call: Call) -> Value:
    """``Repository(session)``: an object that knows which of its attributes are sessions."""
    bases = ev.world.foreign_bases(made.name)
    if any(ev.world.known.sqlalchemy_type(base) == "AsyncEngine" for base in bases):
        return asynchronous(call)
    streaming = next((base for base in bases if base in STREAMING_RESPONSES), None)
    if streaming is not None:
        stream(ev, streaming, call)
    if ev.world.owns_engine(made.name):
        own(ev, call.node, made.name)
    init = ev.world.attribute(Value(OBJECT, made.name), "__init__")
    if init.kind != FUNCTION:
        return filled(ev, made, call)
    target = ev.world.target(init)
    if target is None:
        borrow(ev, call, UNKNOWN)
        return Value(OBJECT, made.name)
    formals = Formals()
    given = (*told(ev, target, init, call, formals), *given_something(ev, target, init, call))
    summary = ev.world.summary(init, given)
    if summary is None:
        borrow(ev, call, UNKNOWN)
        return Value(OBJECT, made.name)
    if ev.world.is_single(made.name):
        summary = summary._replace(makes_owner=False)
    is_made_before = ev.world.is_made_once(made.name)
    if is_made_before:
        summary = summary.untaken._replace(waits=(), takes_own=None)
    apply(ev, kept_by_the_object(summary), formals, call.node, init, target.path)
    attributes = attributes_of(ev, made, summary, formals, call) if not is_made_before else []
    return object_of(ev, made, attributes, call)


def filled(ev: Evaluation, made: Value, call: Call) -> Value:
    """``Repository(session=session)`` of a dataclass: its fields have what they are given; else who knows."""
    fields = ev.world.fields(made.name)
    given = {**dict(zip(fields, call.positional, strict=False)), **call.keywords}
    if not fields or len(call.positional) > len(fields) or not given.keys() <= set(fields):
        for value in call.values:
            ev.now.give(value)
        given = {}
    ev.now.may_raise()
    return object_of(ev, made, [item for item in given.items() if item[1] != UNKNOWN], call)


def object_of(ev: Evaluation, made: Value, attributes: list[tuple[str, Value]], call: Call) -> Value:
    """The object that a call makes, as far as it can be remembered."""
    kept = light_enough(attributes)
    for name, value in attributes:
        if name not in kept:
            ev.now.give(value)
    value = Value(OBJECT, made.name, extra=tuple(each for each in attributes if each[0] in kept))
    given_to_object(ev, value, call)
    return value


def attributes_of(
    ev: Evaluation, made: Value, summary: Summary, formals: Formals, call: Call
) -> list[tuple[str, Value]]:
    """What a constructor sets on its object; a session that it opens is open from now on."""
    opened: list[Resource] = []
    told = [(name, value if value != NONE else made_later(ev, made, name)) for name, value in summary.attributes]
    attributes = [(name, formals.outside(value, call.node, opened)) for name, value in told]
    owned = STORED if closes_as_it_goes(ev, made) else 0
    for resource, life in lives_of(opened, summary):
        ev.now.open(resource, call.node, life.phases & ~ENTRY or IDLE)
        ev.now.mark(resource, life.marks & ~(GIVEN | KEPT) | owned)
    return [(name, value) for name, value in attributes if value != UNKNOWN]


def closes_as_it_goes(ev: Evaluation, made: Value) -> bool:
    """Whether the object closes something as its last reference goes: in ``__del__``."""
    method = ev.world.attribute(Value(OBJECT, made.name), "__del__")
    target = ev.world.target(method) if method != UNKNOWN else None
    return target is not None and target.closes


def made_later(ev: Evaluation, made: Value, name: str) -> Value:
    """What a constructor sets to None as the other methods make it: a session that the object opens when it is asked.

    Nobody knows when the others set what makes sessions, or a session of their own.
    """
    kind = ev.world.attribute(Value(OBJECT, made.name), name).kind
    if kind == SESSION and ev.world.is_set_later(made.name, name):
        return ev.world.opened_when_asked(made.name, name)
    return UNKNOWN if kind in (ENGINE, FACTORY, REGISTRY) else NONE


def kept_by_the_object(summary: Summary) -> Summary:
    """A constructor's summary where what it stores on its object only is not given away: the caller has the object.

    Where the constructor raises, nobody has it.
    """

    def own(lives: tuple[tuple[Resource, Life], ...]) -> tuple[tuple[Resource, Life], ...]:
        return tuple((resource, Life(life.phases, life.marks & ~KEPT)) for resource, life in lives)

    failures = tuple((kind, own(lives)) for kind, lives in summary.failures)
    return summary._replace(normal=own(summary.normal), failures=failures)


def lives_of(opened: list[Resource], summary: Summary) -> Iterator[tuple[Resource, Life]]:
    """The sessions that a constructor has opened for its object, each as the constructor leaves it."""
    left = next((life for resource, life in summary.normal if resource.origin == OPENED), None)
    for resource in dict.fromkeys(opened):
        yield resource, left or Life(HELD if resource.is_connection else IDLE)
