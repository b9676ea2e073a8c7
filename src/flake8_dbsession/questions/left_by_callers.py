"""Whether those that a function hands its session out to leave it as it is: ``db().query(…)`` in a view."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..names import all_given, last_part
from ..project.modules.module import Module
from ..session.body import Body
from ..session.values import FUNCTION, Value
from ..view import View
from .filled import endpoints_that_leave, filled_by

_ENDS = frozenset({"aclose", "close", "closing", "invalidate", "remove", "rollback"})
_ENDINGS = (b".close(", b".remove(", b".rollback(", b".invalidate(", b"closing(", b"teardown")
"""What a file says that may end a session, or have it ended."""
_MOST_FILES = 400
"""A project in which more files speak of the function is not looked through."""
Spoken = tuple[Module, Body, ast.expr]
"""What stands for the function, where it stands."""


def is_left_by_callers(view: View, opener: Body, session: Value) -> bool:
    """Whether functions of the project only call the one that hands out the session, or have it for a parameter,
    one of them asks it and does not commit, and none may end it."""
    name = opener.name.rpartition(".")[2]
    found = [m for m in view.project.app.modules_with(name.encode()) if not view.config.is_test(m.path)]
    if len(found) > _MOST_FILES:
        return False
    bodies = [(m, body) for m in found for body in (m.top, *m.bodies.values())]
    spoken: list[Spoken] = [(m, body, each) for m, body in bodies for each in meant(view, m, body, opener)]
    called = [(m, body, call) for m, body, each in spoken for call in body.own(ast.Call) if call.func is each]
    if len(called) + sum(map(is_of_parameter, spoken)) < len(spoken) or any(may_end(*each) for each in called):
        return False
    if any(words_of(body) & _ENDS for body, _ in filled_by(view.project, opener)):
        return False
    asking = any(asks(body, call) for _, body, call in called)
    return asking or any(True for _ in endpoints_that_leave(view.project, opener, session))


def meant(view: View, module: Module, body: Body, opener: Body) -> Iterator[ast.expr]:
    """The expressions of a function that stand for the one that hands out the session, imported inside as well."""
    name = opener.name.rpartition(".")[2]
    brought = {alias.asname or alias.name for each in body.own(ast.ImportFrom) for alias in each.names}
    for each in body.own(ast.Name, ast.Attribute):
        if (each.id if isinstance(each, ast.Name) else each.attr) != name:
            continue
        value = view.project.evaluate(module, each)
        if name in brought or (value.kind == FUNCTION and value.name == opener.qualified):
            yield each


def is_of_parameter(spoken: Spoken) -> bool:
    """``Depends(get_db)``: FastAPI calls it, for a parameter."""
    _, body, each = spoken
    return any(last_part(call.func) == "Depends" and each in all_given(call) for call in body.own(ast.Call))


def may_end(module: Module, body: Body, call: ast.Call) -> bool:
    """Whether a function may end what a call gives: it speaks of ending anything, has a block over it, or hands it on
    in a file that speaks of that."""
    if words_of(body) & _ENDS or any(item.context_expr is call for item in body.own(ast.withitem)):
        return True
    given = {each for other in body.own(ast.Call) for each in all_given(other)}
    names = bound_to(body, call)
    is_handed_on = call in given or any(isinstance(each, ast.Name) and each.id in names for each in given)
    return is_handed_on and any(end in module.source.data for end in _ENDINGS)


def words_of(body: Body) -> set[str]:
    """The names and attributes that a function speaks of."""
    return {each.id for each in body.own(ast.Name)} | {each.attr for each in body.own(ast.Attribute)}


def bound_to(body: Body, call: ast.Call) -> set[str]:
    return {target.id for target, value in body.assigned() if value is call and isinstance(target, ast.Name)}


def asks(body: Body, call: ast.Call) -> bool:
    """Whether a function asks what a call gives for something, ``db().query(…)``, and commits nothing."""
    asked, bound = body.own(ast.Attribute), bound_to(body, call)
    is_asked = any(a.value is call or (isinstance(a.value, ast.Name) and a.value.id in bound) for a in asked)
    return is_asked and all(a.attr != "commit" for a in asked)
