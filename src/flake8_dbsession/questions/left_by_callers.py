"""Whether those that a function hands its session out to leave it as it is: ``db().query(…)`` in a view."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..project.modules.module import Module
from ..session.body import Body
from ..session.values import FUNCTION
from ..view import View

_ENDINGS = (b".close(", b".remove(", b".rollback(", b".invalidate(", b"closing(", b"teardown")
"""What a file says that may end a session, or have it ended."""
_MOST_FILES = 400
"""A project in which more files speak of the function is not looked through."""


def is_left_by_callers(view: View, opener: Body) -> bool:
    """Whether functions of the project only call the one that hands out the session, one of them asks what it gives and
    does not commit, and no file of theirs speaks of closing anything."""
    name = opener.name.rpartition(".")[2]
    found = [m for m in view.project.app.modules_with(name.encode()) if not view.config.is_test(m.path)]
    if len(found) > _MOST_FILES:
        return False
    spoken = [
        (m, body, each) for m in found for body in (m.top, *m.bodies.values()) for each in meant(view, m, body, opener)
    ]
    if any(end in module.source.data for module in {m.path: m for m, _, _ in spoken}.values() for end in _ENDINGS):
        return False
    calls = {call.func: call for _, body, _ in spoken for call in body.own(ast.Call)}
    return all(each in calls for _, _, each in spoken) and any(asks(body, calls[each]) for _, body, each in spoken)


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


def asks(body: Body, call: ast.Call) -> bool:
    """Whether a function asks what a call gives for something, ``db().query(…)``, and commits nothing."""
    asked = body.own(ast.Attribute)
    bound = {target.id for target, value in body.assigned() if value is call and isinstance(target, ast.Name)}
    is_asked = any(a.value is call or (isinstance(a.value, ast.Name) and a.value.id in bound) for a in asked)
    return is_asked and all(a.attr != "commit" for a in asked)
