"""Sessions that a function opens and returns, and that a decorator gives again to whoever asks next."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..session.events import Happening
from ..session.flow import Flow
from ..view import View
from .closing_attributes import closes, is_attribute
from .filled import only_returned
from .lasting import keeper_of
from .stored import is_closed_from_outside

_DEPTH = 2
"""As for what constructors keep: an object of the process, or one that such an object holds."""


def remembered_by_caches(view: View, flow: Flow) -> Iterator[tuple[str, ast.AST]]:
    """``@lru_cache`` over ``return make()``: how the function is called, and the call that opens the session."""
    caches = view.project.known.conventions.remembering
    if flow.body.owner or not is_decorated(view, flow, caches):
        return
    for opened in returned(flow):
        yield f"{flow.body.name}()", opened


def remembered_by_objects(view: View, flow: Flow) -> Iterator[tuple[str, ast.AST, str]]:
    """``@cached_property`` over ``return make()``: attribute, the call that opens the session, what keeps the object.

    Of an object that lives as long as the process, where methods use the session and nobody closes it.
    """
    properties = view.project.known.conventions.remembering_on_objects
    if flow.body.owner not in view.module.classes or not is_decorated(view, flow, properties):
        return
    name, attribute = f"{view.module.name}.{flow.body.owner}", flow.body.name.rpartition(".")[2]
    methods = [m for m in view.module.classes[flow.body.owner].methods.values() if m is not flow.body.node]
    is_used = any(is_attribute(part, attribute) for method in methods for part in ast.walk(method))
    if not is_used or any(closes(method, attribute) for method in methods):
        return
    for opened in returned(flow):
        keeper = keeper_of(view.project, name, _DEPTH)
        if keeper and not is_closed_from_outside(view.project, name, attribute):
            yield attribute, opened, keeper


def is_decorated(view: View, flow: Flow, names: frozenset[str]) -> bool:
    return bool(flow.body.decorators) and bool(view.project.decorators(view.module, flow.body) & names)


def returned(flow: Flow) -> Iterator[ast.AST]:
    """The call that opens the session which the function gives to its caller and to nobody else."""
    given = only_returned(flow)
    yield from (event.node for event in flow.events(Happening.OPENED) if event.resource == given and given is not None)
