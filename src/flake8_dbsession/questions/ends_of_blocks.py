"""Objects whose ``__exit__`` closes the session that they have opened for the block, and not on every way out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..session.flow import Flow
from ..session.state import ENTRY, State
from ..session.values import OBJECT, Resource, Value
from ..view import View
from .closing_attributes import closes
from .stored import closes_of_itself, is_left_held, ways_out

_EXITS = (".__exit__", ".__aexit__")
_OPENERS = (".__enter__", ".__aenter__", ".__init__")


def closed_at_some_ends(view: View, flow: Flow) -> Iterator[tuple[str, ast.AST, bool]]:
    """The attribute with the session, the first close, and whether only an exception passes that by."""
    if not flow.body.name.endswith(_EXITS) or flow.body.owner not in view.module.classes:
        return
    me = Value(OBJECT, f"{view.module.name}.{flow.body.owner}")
    first = dict(reversed(list(closes_of_itself(flow))))
    for attribute, close in first.items():
        resource = view.project.attribute(me, attribute).resource
        if resource is None or not is_opened_for_the_block(view, flow, attribute):
            continue
        left = [error for state, error in ways_out(flow) if is_left(flow, state, resource, error)]
        if left and not is_closed_elsewhere(view, flow, attribute):
            yield attribute, close, all(left)


def is_left(flow: Flow, state: State, resource: Resource, error: bool) -> bool:
    """Whether the session is as the block has left it, or has failed as its changes were to be committed."""
    life = state.lives.get(resource)
    is_untouched = life is None or life.phases == ENTRY
    return is_left_held(state, resource) or (is_untouched and not error and only_asks_for_the_end(flow))


def only_asks_for_the_end(flow: Flow) -> bool:
    """Whether nothing but how the block has ended decides on what the method does."""
    own = {parameter.arg for parameter in flow.body.parameters} - {flow.body.me}
    parts = (part for test in flow.body.own(ast.If) for part in ast.walk(test.test))
    return all(part.id in own for part in parts if isinstance(part, ast.Name)) and not flow.body.own(ast.While, ast.Try)


def is_opened_for_the_block(view: View, flow: Flow, attribute: str) -> bool:
    """Whether the object opens the session as it is made or entered."""
    openers = [each for each in view.flows if each.body.owner == flow.body.owner and each.body.name.endswith(_OPENERS)]
    return any(attribute in opener.scope.kept.values() for opener in openers)


def is_closed_elsewhere(view: View, flow: Flow, attribute: str) -> bool:
    """Whether another method of the class or of its bases closes it."""
    classes = [c for c in view.project.lineage(view.module.classes[flow.body.owner]) if not isinstance(c, str)]
    methods = [method for info in classes for method in info.methods.values() if method is not flow.body.node]
    return any(closes(method, attribute) for method in methods)
