"""What the project's own decorators do around the functions that they decorate: those that retry sleep in between."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..session.body import Body
from ..session.summary import Summary, Wait
from ..session.values import FUNCTION
from .module import Module
from .targets import Target

if TYPE_CHECKING:
    from .project import Project


class Wrapping:
    """The waits of each decorator of one project, found once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._waits: dict[str, tuple[Wait, ...]] = {}

    def wrapped(self, target: Target, summary: Summary) -> Summary:
        """A function's summary with what its decorators wait for, where the function gives no session back itself."""
        found = [wait for name in sorted(target.decorators) for wait in self.waits(name)]
        if not found:
            return summary
        lives = (*summary.normal, *summary.failed)
        released = tuple(sorted({resource for resource, life in lives if not life.may_leak}))
        line: int = getattr(target.body.node, "lineno", 0)
        waits = tuple((wait._replace(line=line), released, ()) for wait in found)
        return summary._replace(waits=(*summary.waits, *waits))

    def waits(self, decorator: str) -> tuple[Wait, ...]:
        """What the functions that a decorator puts in the place of others wait for."""
        if decorator not in self._waits:
            self._waits[decorator] = ()  # a circle ends here
            self._waits[decorator] = tuple(self._found(decorator))
        return self._waits[decorator]

    def _found(self, decorator: str) -> Iterator[Wait]:
        value = self.project.value(decorator)
        target = self.project.target(value) if value.kind == FUNCTION else None
        if target is None:
            return
        for wrapper, _ in runs(target.module, target.body):
            summary = self.project.flow(target.module, wrapper, {}).summary()
            for wait, *_ in summary.waits:
                if not wait.chain:  # how far others are followed depends on who asks
                    yield wait._replace(chain=((target.body.qualified, target.path, wait.line),))


def runs(module: Module, decorator: Body) -> Iterator[tuple[Body, ast.Call]]:
    """The calls inside a decorator of what it was given, a parameter of a function around, and where they stand."""
    for body in module.bodies.values():
        if body.name.startswith(f"{decorator.name}.<locals>."):
            given = {p.arg for each in module.around(body) for p in each.parameters} - body.local_names
            calls = (c for c in body.own(ast.Call) if isinstance(c.func, ast.Name) and c.func.id in given)
            call = next(calls, None)
            if call is not None:
                yield body, call
