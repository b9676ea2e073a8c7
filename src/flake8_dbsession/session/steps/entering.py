"""What objects of the project give to a ``with`` block: ``with DbSession(factory) as session:``, or another object."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..expressions.call import Call
from ..expressions.implementations import found
from ..expressions.refine import place_of, remember
from ..functions.arguments import told
from ..functions.constructing import lives_of
from ..functions.effects import apply, wait_as_inside
from ..functions.formals import Formals
from ..functions.project_calls import run
from ..state import ENTRY, GIVEN, IDLE, KEPT
from ..values import ATTRIBUTE, FUNCTION, MANAGER, OBJECT, SESSION, UNKNOWN, Resource, Value, contained

if TYPE_CHECKING:
    from ..expressions.evaluate import Evaluation


def entered_object(ev: Evaluation, owner: Value, node: ast.expr, is_async: bool) -> tuple[Value, Value]:
    """What an object of the project over which a block stands gives back at its end, and what ``as`` binds.

    That is the object itself, unless its ``__enter__`` gives a session. One that is opened there is closed by the end
    of the block where ``__exit__`` closes anything, and is taken to end its transaction otherwise.
    """
    name = "__aenter__" if is_async else "__enter__"
    enter = the_only_one(ev, ev.world.attribute(owner, name))
    if enter.kind != FUNCTION:
        return owner, owner
    call = node if isinstance(node, ast.Call) else ev.scope.inlined.setdefault(node, method_call(node, name))
    if not gives_session(ev, enter, call):
        begun = with_what_it_opens(ev, owner, enter, node)
        return begun, begun
    session = run(ev, enter, Call(call, (), {}), is_async)
    if session.kind != SESSION or session.resource is None:
        return owner, owner
    if session.resource in contained(owner):
        return owner, session
    leave = ev.world.attribute(owner, "__aexit__" if is_async else "__exit__")
    target = ev.world.target(leave) if leave.kind == FUNCTION else None
    extra = () if target is not None and target.closes else ("borrowed", True, True)
    return Value(MANAGER, session.resource.type, session.resource, extra), session


def method_call(owner: ast.expr, name: str) -> ast.Call:
    """``owner.name()``, in the place of ``owner``."""
    method = ast.copy_location(ast.Attribute(owner, name, ast.Load()), owner)
    return ast.copy_location(ast.Call(method, [], []), owner)


def gives_session(ev: Evaluation, enter: Value, node: ast.Call) -> bool:
    """Whether the method hands a session out."""
    target = ev.world.target(enter)
    if target is None:
        return False
    summary = ev.world.summary(enter, told(ev, target, enter, Call(node, (), {}), Formals()))
    return summary is not None and summary.returns.kind == SESSION


def the_only_one(ev: Evaluation, method: Value) -> Value:
    """A method, or the only one of the project that carries it out where its class leaves it to others."""
    target = ev.world.target(method) if method.kind == FUNCTION else None
    if target is None or not target.is_abstract:
        return method
    able = found(ev, ev.world.carried_out(method))
    return able[0][0] if len(able) == 1 else UNKNOWN


def with_what_it_opens(ev: Evaluation, owner: Value, enter: Value, node: ast.expr) -> Value:
    """An object with the connections that its ``__enter__`` takes and keeps on it, or in the objects that it keeps.

    Sessions, which have nothing yet, are known by the attributes that they are asked by.
    """
    target, formals = ev.world.target(enter), Formals()
    call = Call(ast.copy_location(ast.Call(node, [], []), node), (), {})
    method = enter._replace(extra=(of_its_class(owner, enter), *enter.extra[1:]))
    summary = ev.world.summary(method, told(ev, target, method, call, formals)) if target is not None else None
    if target is None or summary is None:
        return owner
    opened: list[Resource] = []
    set_there = {name: formals.outside(value, node, opened) for name, value in summary.attributes}
    taken = {resource for resource in opened if resource.is_connection}
    kept = {name: value for name, value in set_there.items() if not taken.isdisjoint(contained(value))}
    if not kept:
        wait_as_inside(ev, summary, formals, node, (method.name, target.path))
        return owner
    apply(ev, summary, formals, call.node, method, target.path)
    for resource, life in lives_of(opened, summary):
        ev.now.open(resource, node, life.phases & ~ENTRY or IDLE)
        ev.now.mark(resource, life.marks & ~(GIVEN | KEPT))
    rest = tuple(pair for pair in owner.extra if not isinstance(pair, tuple) or pair[0] not in kept)
    begun = Value(OBJECT, method.extra[0].name, extra=(*rest, *kept.items()))
    if place_of(ev, node):
        remember(ev, place_of(ev, node), begun)
    return begun


def wait_at_the_end(ev: Evaluation, owner: Value, item: ast.withitem, is_async: bool) -> None:
    """What the ``__exit__`` of an object of the project waits for, after it may have given back what is its own."""
    node, formals = item.context_expr, Formals()
    leave = the_only_one(ev, ev.world.attribute(owner, "__aexit__" if is_async else "__exit__"))
    target = ev.world.target(leave) if leave.kind == FUNCTION else None
    if target is not None:
        call = Call(ast.copy_location(ast.Call(node, [], []), node), (UNKNOWN,) * 3, {})
        summary = ev.world.summary(leave, told(ev, target, leave, call, formals))
        if summary is not None:
            own = (*contained(owner), *asked_by(ev, item.optional_vars or node))
            wait_as_inside(ev, summary, formals, node, (leave.name, target.path), own)


def rolls_back(ev: Evaluation, owner: Value, is_async: bool) -> bool:
    """Whether the ``__exit__`` of an object of the project rolls something back or closes what may be a session, by
    itself or by another method of the object."""
    leave = the_only_one(ev, ev.world.attribute(owner, "__aexit__" if is_async else "__exit__"))
    target = ev.world.target(leave) if leave.kind == FUNCTION else None
    if target is None or target.rolls_back:
        return target is not None
    asked = (ev.world.attribute(of_its_class(owner, leave), name) for name in sorted(target.asks_itself))
    methods = (ev.world.target(method) for method in asked if method.kind == FUNCTION)
    return any(method is not None and method.rolls_back for method in methods)


def asked_by(ev: Evaluation, owner: ast.expr) -> Iterator[Resource]:
    """The sessions that are known as attributes of an object: ``job.session``."""
    within = f".{ast.unparse(owner)}."
    yield from (
        resource for resource in ev.now.lives if resource.origin == ATTRIBUTE and resource.key.startswith(within)
    )


def of_its_class(owner: Value, method: Value) -> Value:
    """The object, as one of the class that carries out the method where its own leaves it to others."""
    by = method.extra[0] if method.extra else None
    return owner._replace(name=by.name) if isinstance(by, Value) and by.kind == OBJECT else owner


def lent_by(ev: Evaluation, manager: Value, is_async: bool) -> Value | None:
    """What an object of the project says that it gives to a ``with`` block, where that is another one."""
    enter = ev.world.attribute(manager, "__aenter__" if is_async else "__enter__")
    given = ev.world.returned(enter) if enter.kind == FUNCTION else UNKNOWN
    return given if given.kind == OBJECT and given.name != manager.name else None
