"""Sessions that a function opens as a property of each request, which Pyramid keeps and nobody closes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import FUNCTION
from ..view import View
from .filled import only_returned

_ADDS = frozenset({"add_request_method", "set_request_property"})
_ENDS = (b".close(", b".remove(", b".rollback(", b".invalidate(")
_MOST_FILES = 400
"""A project in which more files speak of what a property is called is not looked through."""


def kept_with_requests(view: View, flow: Flow) -> Iterator[tuple[ast.AST, str]]:
    """The call that opens a session for ``request.db``, and that name, where others use it and nobody closes it."""
    if not any(view.mentions(name.encode()) for name in _ADDS) or flow.body.is_generator:
        return
    returned = only_returned(flow)
    opened = (event.node for event in flow.events(Happening.OPENED) if event.resource == returned)
    node, name = next(opened, None), property_of(view, flow)
    if node is not None and name and is_used_and_never_closed(view, name):
        yield node, name


def property_of(view: View, flow: Flow) -> str:
    """The name under which requests have what the function returns, where ``reify`` keeps it; "" for none.

    ``config.add_request_method(get_db, "db", reify=True)``.
    """
    for body in (view.module.top, *view.module.bodies.values()):
        for call in body.own(ast.Call):
            if isinstance(call.func, ast.Attribute) and call.func.attr in _ADDS and call.args:
                words = {word.arg: word.value for word in call.keywords}
                kept = words.get("reify")
                if isinstance(kept, ast.Constant) and kept.value is True and is_function(view, call.args[0], flow):
                    return name_in(call.args[1] if len(call.args) > 1 else words.get("name"), flow)
    return ""


def is_function(view: View, given: ast.expr, flow: Flow) -> bool:
    """Whether the expression stands for the function."""
    if given is flow.body.node:
        return True
    value = view.project.evaluate(view.module, given)
    return value.kind == FUNCTION and value.name == flow.body.qualified


def name_in(given: ast.expr | None, flow: Flow) -> str:
    if given is None:
        return flow.body.name.rpartition(".")[2]
    return given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else ""


def is_used_and_never_closed(view: View, name: str) -> bool:
    """Whether files of the project use ``request.db``, and none gives back what is called like that."""
    used, closed = b"request." + name.encode() + b".", tuple(name.encode() + end for end in _ENDS)
    speaking = [m for m in view.project.app.modules_with(name.encode()) if not view.config.is_test(m.path)]
    if len(speaking) > _MOST_FILES or any(end in module.source.data for module in speaking for end in closed):
        return False
    return any(used in module.source.data for module in speaking)
