"""What the project's own decorators do around the functions that they decorate: those that retry sleep in between."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..session.body import Body
from ..session.summary import Summary, Wait
from ..session.values import FUNCTION
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
        for wrapper in wrappers(target) if target is not None else ():
            assert target is not None
            summary = self.project.flow(target.module, wrapper, {}).summary()
            for wait, *_ in summary.waits:
                if not wait.chain:  # how far others are followed depends on who asks
                    yield wait._replace(chain=((target.body.qualified, target.path, wait.line),))


def wrappers(target: Target) -> Iterator[Body]:
    """The functions inside a decorator that call what it was given: a parameter of a function around them."""
    inside = f"{target.body.name}.<locals>."
    for body in target.module.bodies.values():
        if body.name.startswith(inside):
            names = body.name.split(".<locals>.")
            around = [target.module.bodies.get(".<locals>.".join(names[:count])) for count in range(1, len(names))]
            given = {p.arg for each in around if each is not None for p in each.parameters} - body.local_names
            if any(isinstance(call.func, ast.Name) and call.func.id in given for call in body.own(ast.Call)):
                yield body
