"""Functions of the project: which one a value stands for, what decorates it, and what it says that it returns."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...files.sources import Answers
from ...names import Names, bare
from ...session.body import Body
from ...session.values import ENGINE, FACTORY, NAMED, OBJECT, REGISTRY, SESSION, TUPLE, UNKNOWN, Value
from ..modules.module import Module
from ..names.annotations import annotated
from .targets import Target

if TYPE_CHECKING:
    from ..project import Project

_ITERATORS = frozenset({"AsyncGenerator", "AsyncIterable", "AsyncIterator", "Generator", "Iterable", "Iterator"})
_OPENERS = ("open", "make", "create", "new", "build", "start")


class Functions:
    """Everything about the functions of one project, each found once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._targets = Answers(project.sources, self._find)
        self._local_targets = Answers(project.sources, self._local)

    def target(self, function: Value) -> Target | None:
        """The project function a value stands for; None where it cannot be found."""
        node = function.extra[1] if len(function.extra) > 1 else None
        return self._targets(function.name) if node is None else self._local_targets((function.name, node))

    def _find(self, name: str) -> Target | None:
        module, rest = self.project.split(name)
        body = module.bodies.get(rest) if module is not None else None
        if module is None or body is None:
            return None
        return self._made(module, body)

    def _local(self, place: tuple[str, ast.AST]) -> Target | None:
        name, node = place
        module, _ = self.project.split(name.partition(".<locals>")[0]) if name else (None, "")
        body = module.body_of(node) if module is not None else None
        if module is None or body is None:
            return None
        return self._made(module, body)

    def _made(self, module: Module, body: Body) -> Target:
        return Target(module, body, self.decorators(module, body), self.project.known.conventions)

    def decorators(self, module: Module, body: Body) -> frozenset[str]:
        """The dotted names of a function's decorators, called or not."""
        found = set()
        for decorator in body.decorators:
            name = module.names.resolve(bare(decorator))
            if name:
                found.add(name)
                value = self.project.value(name) if not name.startswith("builtins.") else UNKNOWN
                if value.kind == NAMED:
                    found.add(value.name)
        return frozenset(found)

    def session_said_by(self, function: Value) -> str:
        """The type of session that a return annotation speaks of, whoever opens it; "" for none."""
        target = self.target(function)
        annotation = getattr(target.body.node, "returns", None) if target is not None else None
        value = annotated(self.project, target.module.names, annotation, "") if target is not None else UNKNOWN
        return value.resource.type if value.kind == SESSION and value.resource is not None else ""

    def returned(self, function: Value) -> Value:
        """What calling a function gives, or a generator yields, as far as its return annotation says."""
        target = self.target(function)
        annotation = getattr(target.body.node, "returns", None) if target is not None else None
        if target is None or annotation is None:
            return UNKNOWN
        if target.is_generator:
            value = annotated(self.project, target.module.names, yielded(target.module.names, annotation), "")
            return value if value.kind == OBJECT else UNKNOWN
        value = annotated(self.project, target.module.names, annotation, "")
        if value.kind == SESSION and value.resource is not None and not target.body.owner:
            opens = target.body.name.lower().startswith(_OPENERS)
            return Value("opens", value.resource.type) if opens else UNKNOWN
        return value if value.kind in (FACTORY, REGISTRY, ENGINE, OBJECT, TUPLE) else UNKNOWN


def yielded(names: Names, annotation: ast.expr) -> ast.expr | None:
    """``T`` of ``AsyncIterator[T]`` and ``Generator[T, None, None]``."""
    match annotation:
        case ast.Subscript(value=outer, slice=inner) if (names.resolve(outer) or "").rpartition(".")[2] in _ITERATORS:
            return inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
    return None
