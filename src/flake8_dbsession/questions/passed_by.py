"""What a context manager gives back behind its ``yield``: does what raises in the block pass it by?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..project.runs.teardown import releasing
from ..session.body import Body
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.values import AMBIENT, Resource
from ..view import View

_MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
_GIVES_BACK = frozenset({"remove", "close", "aclose", "close_all", "rollback", "reset", "invalidate"})


def passed_by(view: View, flow: Flow) -> Iterator[Event]:
    """Where a manager, or another generator that lends it, removes a plain scoped session at the good end of its block
    alone, and nobody else does."""
    if view.is_test or not (is_manager(view, flow.body) or lends(flow)):
        return
    places = list(flow.body.own(ast.Yield))
    if not places or any(is_caught(flow.body, place) for place in places):
        return
    end = max(position(place) for place in places)
    for resource, events in releases(flow).items():
        if all(position(event.node) > end for event in events) and not is_removed_by_others(view, flow.body, resource):
            yield events[0]


def is_manager(view: View, body: Body) -> bool:
    return bool(view.project.decorators(view.module, body) & _MANAGERS)


def lends(flow: Flow) -> bool:
    """Whether it is a generator that hands a session out once: a dependency, into which what fails is raised."""
    body = flow.body
    is_bare = body.is_generator and not body.decorators and not body.own(ast.For, ast.AsyncFor, ast.While)
    given = (value.resource for value, _ in flow.scope.yields)
    return is_bare and len(body.own(ast.Yield)) == 1 and any(r is not None and is_of_others_too(r) for r in given)


def releases(flow: Flow) -> dict[Resource, list[Event]]:
    """Where the function removes each plain scoped session, in order."""
    found: dict[Resource, list[Event]] = {}
    for event in sorted(flow.events(Happening.CLOSED), key=lambda event: position(event.node)):
        if event.resource is not None and is_of_others_too(event.resource):
            found.setdefault(event.resource, []).append(event)
    return found


def is_of_others_too(registry: Resource) -> bool:
    """Whether it is a plain scoped session, and not of a registry that the call makes for itself."""
    is_plain = registry.origin == AMBIENT and registry.flavour.startswith("scoped")
    return is_plain and ":" not in registry.key.removeprefix("self:")


def is_caught(body: Body, place: ast.Yield) -> bool:
    """Whether an exception at the place comes by anything that gives a session back."""
    around = (attempt for attempt in body.own(ast.Try) if any(node is place for node in inside(attempt.body)))
    ends = (node for attempt in around for node in inside([*attempt.finalbody, *attempt.handlers]))
    return any(isinstance(node, ast.Attribute) and node.attr in _GIVES_BACK for node in ends)


def inside(nodes: list[ast.stmt] | list[ast.stmt | ast.ExceptHandler]) -> Iterator[ast.AST]:
    return (node for outer in nodes for node in ast.walk(outer))


def position(node: ast.AST) -> tuple[int, int]:
    return node.lineno, node.col_offset  # type: ignore[attr-defined]


def is_removed_by_others(view: View, body: Body, registry: Resource) -> bool:
    return any(each is not body for _, each in releasing(view.project, registry))
