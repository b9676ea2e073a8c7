"""Streams of Flask views: what keeps the app context for them, and what has used its sessions before the view."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from ..project.runs.hooks import Hook, hooks, runs_before
from ..project.runs.teardown import reached_from
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.values import AMBIENT, Resource
from ..view import View

KEEPER = "stream_with_context"
"""Keeps the app context, and so the sessions that are removed at its end, until the stream is over (measured)."""


class Used(NamedTuple):
    """A session that a hook may leave holding a connection for the view whose stream begins at ``start``."""

    resource: Resource
    hook: Hook
    start: ast.AST


def used_before_stream(view: View, flow: Flow) -> Iterator[Used]:
    """The sessions of registries that a hook has used, and that the view gives back nowhere, each once."""
    answers = [event for event in flow.events(Happening.ANSWERED) if keeps_context(view, flow, event)]
    served = any((e.framework, e.kind) == ("flask", "request") for e in view.units.entries(flow.body))
    released = {e.resource for e in flow.events(Happening.CLOSED, Happening.COMMITTED)}
    for hook in hooks(view.project) if answers and served else ():
        if runs_before(view.project, hook, view.module, flow.body):
            for resource in sorted(left_by(view, hook) - released):
                released.add(resource)
                if is_of_same_application(view, resource):
                    yield Used(resource, hook, answers[0].node)


def is_of_same_application(view: View, registry: Resource) -> bool:
    """Whether the file reaches the module of the registry by its imports: a project may have several applications."""
    owner, _ = view.project.split(registry.key)
    return owner is not None and any(module is owner for module in reached_from(view.project, view.module))


def left_by(view: View, hook: Hook) -> set[Resource]:
    """The registries that a hook may leave with a connection where it lets the request go on."""
    states = view.project.flow(hook.module, hook.body, {}, {}).returned
    lives = ((resource, life) for state in states for resource, life in state.lives.items())
    return {r for r, life in lives if r.origin == AMBIENT and not r.is_async and life.may_hold}


def keeps_context(view: View, flow: Flow, event: Event) -> bool:
    """``stream_with_context(lines())``, and ``Response(lines())`` where ``lines`` is decorated with it."""
    if event.detail.endswith(KEEPER):
        return True
    match event.node:
        case ast.Call(args=[ast.Call(func=ast.Name(id=name)), *_]):
            names = (f"{flow.body.name}.<locals>.{name}", name)
            found = next((view.module.bodies[each] for each in names if each in view.module.bodies), None)
            decorators = view.project.decorators(view.module, found) if found is not None else ()
            return any(each.endswith(KEEPER) for each in decorators)
    return False
