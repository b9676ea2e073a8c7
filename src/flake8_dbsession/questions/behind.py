"""Generators that end with the function that has asked them for a session, while the session goes on without them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import Resource, contained


def left_behind(flow: Flow) -> Iterator[tuple[ast.AST, str]]:
    """``db = next(sessions)`` and ``db = block.__enter__()``, each with the name of its generator.

    Nobody else has the generator, and the session is returned or kept on the object: as the name goes, it is closed.
    """
    for event in dict.fromkeys(flow.events(Happening.KEPT_GENERATOR)):
        asked = asked_by(event.node)
        if asked is not None and leaves(flow, event.resource) and is_only_asked(flow, asked.id):
            yield event.node, asked.id


def asked_by(call: ast.AST) -> ast.Name | None:
    """The name of what ``next(sessions)`` or ``block.__enter__()`` asks."""
    match call:
        case ast.Call(func=ast.Name(), args=[ast.Name() as name, *_]):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name() as name), args=[]):
            return name
    return None


def leaves(flow: Flow, resource: Resource | None) -> bool:
    """Whether the session is returned, by itself or inside of something else, or kept on the object of a method."""
    return resource in flow.scope.kept or any(resource in contained(state.result) for state in flow.returned)


def is_only_asked(flow: Flow, name: str) -> bool:
    """Whether a name of the function stands for a generator that is made here, and is named again where it is asked."""
    nodes = [part for part in ast.walk(flow.body.node) if isinstance(part, ast.Name)] if flow.body.node else []
    loads = [part for part in nodes if part.id == name and isinstance(part.ctx, ast.Load)]
    asked = {asked_by(call) for call in flow.body.own(ast.Call)}
    made = [value for target, value in flow.body.assigned() if getattr(target, "id", "") == name]
    return len(made) == 1 and is_generator(made[0]) and all(load in asked for load in loads)


def is_generator(made: ast.expr) -> bool:
    """Whether a call makes something that closes what it gives; ``engine.connect()`` of an AsyncEngine gives itself."""
    return isinstance(made, ast.Call) and not (isinstance(made.func, ast.Attribute) and made.func.attr == "connect")
