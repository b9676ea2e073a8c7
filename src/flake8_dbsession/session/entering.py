"""What objects of the project give to a ``with`` block: ``with DbSession(factory) as session:``, or another object."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .arguments import told
from .call import Call
from .formals import Formals
from .project_calls import run
from .values import FUNCTION, MANAGER, OBJECT, SESSION, UNKNOWN, Value, contained

if TYPE_CHECKING:
    from .evaluate import Evaluation


def entered_object(ev: Evaluation, owner: Value, node: ast.expr, is_async: bool) -> tuple[Value, Value]:
    """What an object of the project that is made in the head of a block gives back at its end, and what ``as`` binds.

    That is the object itself, unless its ``__enter__`` gives a session. One that is opened there is closed by the end
    of the block where ``__exit__`` closes anything, and is taken to end its transaction otherwise.
    """
    enter = ev.world.attribute(owner, "__aenter__" if is_async else "__enter__")
    if not isinstance(node, ast.Call) or enter.kind != FUNCTION or not gives_session(ev, enter, node):
        return owner, owner
    session = run(ev, enter, Call(node, (), {}), is_async)
    if session.kind != SESSION or session.resource is None:
        return owner, owner
    if session.resource in contained(owner):
        return owner, session
    leave = ev.world.attribute(owner, "__aexit__" if is_async else "__exit__")
    target = ev.world.target(leave) if leave.kind == FUNCTION else None
    extra = () if target is not None and target.closes else ("borrowed", True, True)
    return Value(MANAGER, session.resource.type, session.resource, extra), session


def gives_session(ev: Evaluation, enter: Value, node: ast.Call) -> bool:
    """Whether the method hands a session out."""
    target = ev.world.target(enter)
    if target is None:
        return False
    summary = ev.world.summary(enter, told(ev, target, enter, Call(node, (), {}), Formals()))
    return summary is not None and summary.returns.kind == SESSION


def lent_by(ev: Evaluation, manager: Value, is_async: bool) -> Value | None:
    """What an object of the project says that it gives to a ``with`` block, where that is another one."""
    enter = ev.world.attribute(manager, "__aenter__" if is_async else "__enter__")
    given = ev.world.returned(enter) if enter.kind == FUNCTION else UNKNOWN
    return given if given.kind == OBJECT and given.name != manager.name else None
