"""Sessions whose engine ends with the function that opens them: they take nothing out of a pool that others have."""

from __future__ import annotations

import ast

from ..session.flow import Flow
from ..session.made_anew import caches
from ..session.values import ENGINE, FACTORY, OBJECT, REGISTRY, Resource
from ..view import View
from .lasting import makes

_HANDLES = frozenset({ENGINE, FACTORY, REGISTRY, OBJECT})


def ends_with_its_engine(view: View, flow: Flow, session: Resource) -> bool:
    """Whether each call of the function makes an object with the engine of the session and keeps it nowhere, or makes
    the engine and disposes of it.

    What a worker runs itself, time after time, still leaves a connection behind until the garbage is collected.
    """
    if flow.body.node is None or hands_out(flow) or view.units.entries(flow.body):
        return False
    if session.pool.startswith(f"{flow.body.qualified}."):
        return any(attribute.attr == "dispose" for attribute in flow.body.own(ast.Attribute))
    owner = session.pool.rpartition(".")[0]
    made = [
        call
        for call in flow.scope.owners
        if isinstance(call, ast.Call) and makes(view.project, view.module, call, owner)
    ]
    return bool(made) and not caches(flow, flow.scope.owners) and all(is_local(flow, call) for call in made)


def is_local(flow: Flow, made: ast.Call) -> bool:
    """``store = Store(url)``: what is made has only a name of the function's own."""
    targets = [target for target, value in flow.body.assigned() if value is made]
    return all(isinstance(target, ast.Name) and target.id in flow.body.local_names for target in targets)


def hands_out(flow: Flow) -> bool:
    """Whether the function gives an engine, or what may have one, to whoever calls it."""
    given = [state.result for state in flow.returned] + [value for value, _ in flow.scope.yields]
    return any(value.kind in _HANDLES for value in given)
