"""The registry's session in views whose decorators have used it: ``row = Row.query.get(key)``, ``return view(row)``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..project.module import Module
from ..project.project import Project
from ..project.wrapping import runs
from ..session.body import Body
from ..session.values import AMBIENT, FUNCTION, Resource
from ..story import registry_name
from ..view import View
from .asking import within
from .held import Held


def held_by_decorators(view: View, body: Body) -> Iterator[Held]:
    """What surely holds a connection where the decorators of a view, functions of the project, call it."""
    for decorator in body.decorators if not view.is_test else ():
        inner = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = view.names.resolve(inner)
        for registry in sorted(view.project.once(held_before, name)) if name else ():
            known_as = registry_name(registry)
            remedy = f"end the transaction of {known_as!r} before the wait"
            called = str(name).rpartition(".")[2]
            yield Held(known_as, called, frozenset({registry.key}), frozenset(), remedy, registry)


def held_before(project: Project, decorator: str) -> frozenset[Resource]:
    """The registries whose session surely holds a connection wherever a decorator calls the function it is given."""
    value = project.value(decorator)
    target = project.target(value) if value.kind == FUNCTION else None
    calls = list(runs(target.module, target.body)) if target is not None else []
    held = [held_at(project, target.module, wrapper, call) for wrapper, call in calls if target is not None]
    return frozenset.intersection(*held) if held else frozenset()


def held_at(project: Project, module: Module, wrapper: Body, call: ast.Call) -> frozenset[Resource]:
    """The registries that surely hold a connection before a statement of a function in which the call stands."""
    flow = project.flow(module, wrapper, {})
    nodes = [node for node in flow.graph.nodes if node.syntax is not None and within(node.syntax, call)]
    states = [state for node in nodes for state in flow.at(node)]
    held = [{r for r, life in state.lives.items() if r.origin == AMBIENT and life.surely_holds} for state in states]
    return frozenset(set.intersection(*held)) if held else frozenset()
