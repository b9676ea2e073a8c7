"""What the expressions at the level of a module stand for, and the names that its functions find there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...files.sources import Settled
from ...session.body import Body
from ...session.expressions.evaluate import Evaluation
from ...session.scope import Scope
from ...session.state import State
from ...session.values import NAMED, UNKNOWN, Value
from ..modules.module import Module

if TYPE_CHECKING:
    from ..project import Project


class OfModules:
    """The answers for the modules of one project, each found once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._free = Settled(project.sources, self._find_free)
        self._values = Settled(project.sources, self._find_value)

    def free(self, module: Module, name: str) -> Value:
        """What a name stands for that is free in a function of the module."""
        return self._free((module, name))

    def value(self, module: Module, expression: ast.expr, names: dict[str, Value] | None = None) -> Value:
        """What an expression (with ``names`` bound) stands for; nothing is done with its effects."""
        if names:
            return self._evaluated(module, expression, self._scope(module), names)
        return self._values((module, expression))

    def makes_engine(self, module: Module, expression: ast.expr) -> bool:
        """Whether evaluating an expression makes an engine, or an object with one of its own."""
        scope = self._scope(module)
        self._evaluated(module, expression, scope, {})
        return bool(scope.engines or scope.owners)

    def _find_free(self, free: tuple[Module, str]) -> Value:
        module, name = free
        if name in module.names.bindings or module.names.stars:
            value = self.project.value(f"{module.name}.{name}".lstrip("."))
            if value != UNKNOWN:
                return value
        qualified = module.names.qualify(name)
        return Value(NAMED, qualified) if qualified and qualified.startswith("builtins.") else UNKNOWN

    def _find_value(self, place: tuple[Module, ast.expr]) -> Value:
        module, expression = place
        return self._evaluated(module, expression, self._scope(module), {})

    def _scope(self, module: Module) -> Scope:
        scope = Scope(module.top, lambda name: self.free(module, name))
        scope.local_names = frozenset()
        return scope

    def _evaluated(self, module: Module, expression: ast.expr, scope: Scope, names: dict[str, Value]) -> Value:
        body = Body(module.name, "<value>", None, [], is_package=module.is_package)
        try:
            with self.project.apart():  # it is remembered, whoever asked first
                return Evaluation(body, self.project, scope, State(names, {}), {}).value(expression)
        except RecursionError:
            return UNKNOWN
