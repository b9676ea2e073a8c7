"""What a condition teaches about the names in it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...names import dotted, is_none
from ..body import Body
from ..liveness import CAUGHT
from ..state import CLOSED, ENTRY, FAILED, IDLE, UNSURE, State
from ..steps.exceptions import takes
from ..values import (
    FALSE,
    NONE,
    OBJECT,
    OPENED,
    REGISTRY,
    SESSION,
    SOMETHING,
    TRUE,
    UNKNOWN,
    Value,
    found_to_be,
    found_to_be_there,
    is_there,
    truth,
)
from .only_in_tests import asks_for_tests

if TYPE_CHECKING:
    from .evaluate import Evaluation


_ENDING = frozenset({"close", "rollback", "remove"})


TRUE_NODE, FALSE_NODE = ast.Constant(True), ast.Constant(False)


def assume(ev: Evaluation, condition: ast.expr, wanted: bool) -> bool:
    """Take ``condition`` to be ``wanted``; False where the state cannot be like that, or is only in tests."""
    in_tests = asks_for_tests(ev.world.known.conventions, condition)
    if in_tests is not None:
        return in_tests is not wanted
    match condition:
        case ast.UnaryOp(op=ast.Not()):
            return assume(ev, condition.operand, not wanted)
        case ast.BoolOp():
            if isinstance(condition.op, ast.And) is wanted:
                return all(assume(ev, part, wanted) for part in condition.values)
            return True
        case ast.Compare(ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=None)]):
            return assume_none(ev, condition.left, wanted)
        case ast.Compare(ops=[ast.IsNot() | ast.NotEq()], comparators=[ast.Constant(value=None)]):
            return assume_none(ev, condition.left, not wanted)
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as operator], comparators=[other]):
            if not (dotted(left) and dotted(other)):  # a call happens once, when the condition is evaluated
                return True
            same = are_same_session(ev.value(left), ev.value(other))
            return same is None or same is (isinstance(operator, ast.Is) is wanted)
        case ast.Compare(left=ast.Name(), comparators=[ast.Constant()]):
            known = truth(ev.value(condition))
            return known is None or known is wanted
        case ast.NamedExpr():
            return assume(ev, condition.target, wanted)
        case ast.Name():
            return assume_name(ev, condition.id, wanted)
        case ast.Attribute() if ev.is_self(condition.value):
            return assume_own(ev, condition, wanted)
        case ast.Attribute(value=ast.Name() | ast.Attribute(), attr="is_active"):
            may_be = wanted or not ends_if_active(ev, condition)
            return assume_active(ev, ev.value(condition.value), wanted, may_be)
        case ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute() as asked, attr="in_transaction"), args=[]):
            return assume_in_transaction(ev, ev.value(asked), wanted)
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), types]):
            return assume_caught(ev, name, types.elts if isinstance(types, ast.Tuple) else [types], wanted)
    return True


def assume_caught(ev: Evaluation, name: str, types: list[ast.expr], wanted: bool) -> bool:
    """``if isinstance(error, SQLAlchemyError):``, in the handler that has caught the error."""
    caught = ev.now.names.get(CAUGHT, UNKNOWN)
    if caught == UNKNOWN or caught.extra != (name,):
        return True
    may_be, may_be_another = takes(types, caught.name)
    return may_be if wanted else may_be_another


def assume_name(ev: Evaluation, name: str, wanted: bool) -> bool:
    value = ev.now.names.get(name, UNKNOWN)
    known = truth(value)
    if known is not None:
        return known is wanted
    default = ev.body.defaults.get(name)
    if value == UNKNOWN and isinstance(default, ast.Constant) and default.value is None and not wanted:
        remember(ev, name, NONE)
    elif value == UNKNOWN and name in ev.body.flag_names:
        remember(ev, name, TRUE if wanted else FALSE)
    elif value.kind == OBJECT:
        remember(ev, name, found_to_be(value, wanted))
    return True


def assume_own(ev: Evaluation, attribute: ast.Attribute, wanted: bool) -> bool:
    """``if self.courier:``, an attribute of the object whose method this is."""
    value = ev.value(attribute)
    known = truth(value)
    if known is None and value.kind == OBJECT:
        remember(ev, f"self.{attribute.attr}", found_to_be(value, wanted))
    return known is None or known is wanted


def assume_none(ev: Evaluation, subject: ast.expr, wanted: bool) -> bool:
    if not isinstance(subject, (ast.Name, ast.Attribute, ast.NamedExpr)):
        return True
    value = ev.value(subject if not isinstance(subject, ast.NamedExpr) else subject.target)
    if value == NONE:
        return wanted
    if is_there(value):
        return not wanted
    place = place_of(ev, subject)
    if value.kind == OBJECT and place:
        remember(ev, place, NONE if wanted else found_to_be_there(value))
    if value == UNKNOWN and wanted and isinstance(subject, ast.Name) and subject.id in ev.body.flag_names:
        remember(ev, subject.id, NONE)
    return True


def place_of(ev: Evaluation, subject: ast.expr) -> str:
    """Under which name what is known of a variable or of an attribute of one's own is kept; "" for anything else."""
    match subject:
        case ast.Name(id=name) if name in ev.body.local_names:
            return name
        case ast.NamedExpr(target=ast.Name(id=name)):
            return name
        case ast.Attribute(value=owner, attr=name) if ev.is_self(owner):
            return f"self.{name}"
    return ""


def assume_active(ev: Evaluation, session: Value, wanted: bool, may_be: bool) -> bool:
    """A session is inactive after a failed flush or commit, and only then (measured on 1.3 to 2.1); ``may_be``: whether
    one that is not known here is taken to be like that."""
    resource = session.resource if session.kind in (SESSION, REGISTRY) else None
    if resource is None or resource.is_connection:
        return True
    if resource not in ev.now.lives:
        return may_be
    life = ev.now.lives[resource]
    phases = life.phases & (~FAILED if wanted else FAILED | ENTRY | UNSURE)
    ev.now.lives[resource] = life._replace(phases=phases)
    return bool(phases)


def assume_in_transaction(ev: Evaluation, session: Value, wanted: bool) -> bool:
    """A session that is in no transaction holds nothing (``Session.in_transaction``), unlike a connection."""
    resource = session.resource if session.kind in (SESSION, REGISTRY) else None
    if resource is None or resource.is_connection:
        return True
    life = ev.now.life(resource)
    phases = life.phases & ~(IDLE | CLOSED)
    if not wanted:
        phases = life.phases & (IDLE | CLOSED) | (IDLE if life.phases & (ENTRY | UNSURE) else 0)
    ev.now.lives[resource] = life._replace(phases=phases)
    return bool(phases)


def ends_if_active(ev: Evaluation, condition: ast.Attribute) -> bool:
    """``if session.is_active: session.close()`` without an ``else``: who writes that gives back what is there."""
    asking = (each for each in ev.body.own(ast.If) if each.test is condition and not each.orelse)
    inside = (part for each in asking for statement in each.body for part in ast.walk(statement))
    ends = (part for part in inside if isinstance(part, ast.Attribute) and part.attr in _ENDING)
    return any(ast.dump(part.value) == ast.dump(condition.value) for part in ends)


def is_left_to_others(ev: Evaluation, condition: ast.expr) -> bool:
    """``if is_reclaimed(session): return`` in a helper that closes its session: then somebody else has closed it."""
    match condition:
        case ast.Call(func=ast.Name(), args=[ast.Name(id=name) as asked], keywords=[]):
            parameters = {parameter.arg for parameter in ev.body.parameters}
            if name in parameters and ev.value(asked).kind == SESSION:
                leaving = (each.body[-1] for each in ev.body.own(ast.If) if each.test is condition and not each.orelse)
                closing = (part for part in ev.body.own(ast.Attribute) if part.attr == "close")
                ends = any(isinstance(last, ast.Return) and last.value is None for last in leaving)
                return ends and any(dotted(part.value) == name for part in closing)
    return False


def asked_for_missing(test: ast.expr) -> tuple[str, bool] | None:
    """The name in ``session is None``, ``not session`` and the like, and whether the test is true where it is None."""
    match test:
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Is() | ast.IsNot() as how], comparators=[none]):
            return (name, isinstance(how, ast.Is)) if is_none(none) else None
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=name)):
            return name, True
    return None


def is_flag_of_missing(body: Body, state: State, statement: ast.Assign) -> bool:
    """``own = session is None`` of a parameter that may be left out and of which nothing else is known."""
    asked = asked_for_missing(statement.value)
    targets = [t.id for t in statement.targets if isinstance(t, ast.Name)]
    if asked is None or len(targets) != 1 or targets[0] not in body.flag_names:
        return False
    return is_none(body.defaults.get(asked[0])) and state.names.get(asked[0], UNKNOWN) == UNKNOWN


def take_as_missing(ev: Evaluation, test: ast.expr, wanted: bool) -> bool:
    """Take the test for a missing parameter to be ``wanted``; False where that cannot be."""
    asked = asked_for_missing(test)
    if asked is None or not assume(ev, test, wanted):
        return False
    name, when_missing = asked
    remember(ev, name, NONE if when_missing is wanted else SOMETHING)
    return True


def are_same_session(left: Value, right: Value) -> bool | None:
    """Whether two names are one session; None where that cannot be told: a parameter may be any of the others."""
    if left.kind != SESSION or right.kind != SESSION or left.resource is None or right.resource is None:
        return None
    if left.resource == right.resource:
        return None if left.resource.origin == OPENED else True  # each turn of a loop opens another
    return False if OPENED in (left.resource.origin, right.resource.origin) else None


def remember(ev: Evaluation, name: str, value: Value) -> None:
    """A flag keeps its value until it is bound again, so both tests of ``if own: …`` agree."""
    ev.now.names[name] = value
