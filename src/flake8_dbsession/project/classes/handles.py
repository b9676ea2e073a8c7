"""Factories and registries that objects keep which nobody tells the class of: ``app.state.SessionLocal``.

The name of the attribute says what it is. What that may be, the project tells where it sets an attribute of that name;
where it never does, only a file that works with SQLAlchemy is taken at its word.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...files.sources import Answers
from ...names import dotted
from ...session.body import Body
from ...session.values import CONSTANT, FACTORY, OBJECT, REGISTRY, UNKNOWN, Value
from ..modules.module import Module
from ..names.naming import attribute_called
from .implementations import MOST_EXTENDING

if TYPE_CHECKING:
    from ..project import Project


class Handles:
    """What the attributes of one project keep under the telling names; each name is looked for once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._kept = Answers(project.sources, self._find, lambda _: ())
        self._of_applications = Answers(project.sources, self._find_of_applications, lambda _: ())

    def called(self, body: Body, node: ast.Attribute) -> Value:
        """The factory or registry that an attribute of something unseen is, where a function reads it."""
        name = node.attr
        of_application = agreed(self._of_applications(name)) if is_of_application(node) else UNKNOWN
        if of_application != UNKNOWN:
            return of_application
        if not self.project.known.conventions.is_handle(name):
            return UNKNOWN
        kept = self._kept(name)
        return agreed(kept) if kept else attribute_called(self.project, body, node)

    def _find_of_applications(self, name: str) -> tuple[Value, ...]:
        """What the project sets under the name on its application: ``app.state.make = sessionmaker(…)``."""
        paths = [p for p in self.project.app.files_with(f".{name} =".encode()) if not self.project.config.is_test(p)]
        modules = [self.project.modules.at(path) for path in paths] if len(paths) <= MOST_EXTENDING else []
        return tuple(
            self.project.evaluate(module, expression)
            for module in modules
            if module is not None
            for text, expressions in module.stored.items()
            if text.endswith((f"app.{name}", f".state.{name}"))
            for expression in expressions
        )

    def _find(self, name: str) -> tuple[Value, ...]:
        return tuple(dict.fromkeys(self._values(name)))

    def _values(self, name: str) -> Iterator[Value]:
        """What is kept under the name, or under it without its underscores, as far as it is known."""
        names = tuple(dict.fromkeys((name, name.lstrip("_"))))
        setting = (text for each in names for text in settings_of(each))
        paths = self.project.app.files_with(*(text.encode() for text in setting))
        ours = [path for path in paths if not self.project.config.is_test(path)]
        for path in ours if len(ours) <= MOST_EXTENDING else ():
            module = self.project.modules.at(path)
            values = (value for each in names if module is not None for value in self._set_in(module, each))
            yield from (value for value in values if value.kind not in ("unknown", CONSTANT))

    def _set_in(self, module: Module, name: str) -> Iterator[Value]:
        for info in module.classes.values():
            if name in info.methods or name in info.values or name in info.annotations or name in info.attribute_values:
                yield self.project.attribute(Value(OBJECT, info.qualified), name)
        for text, expressions in module.stored.items():
            if text.endswith(f".{name}"):
                yield from (self.project.evaluate(module, expression) for expression in expressions)


def is_of_application(node: ast.Attribute) -> bool:
    """``current_app.make``, ``request.app.state.make``: what an application has, which another file may have set."""
    owner = dotted(node.value) or ""
    return owner in ("app.state", "current_app", "flask.current_app") or owner.endswith(".app.state")


def settings_of(name: str) -> tuple[str, ...]:
    """How a file is written that sets an attribute of that name."""
    return f".{name} =", f".{name}:", f"def {name}(", f"    {name} =", f"    {name}:"


def agreed(values: tuple[Value, ...]) -> Value:
    """The one factory or registry that all of the values are; UNKNOWN where they differ, or are something else too."""
    kinds = {(value.kind, value.name if value.kind == FACTORY else value.resource) for value in values}
    return values[0] if len(kinds) == 1 and values[0].kind in (FACTORY, REGISTRY) else UNKNOWN
