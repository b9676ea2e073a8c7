"""What runs before each request of a Flask application: hooks, and loaders of users."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from ...names import bare
from ...session.body import Body
from ...session.values import Value
from ..modules.module import Module
from ..project import Project

_EVERY = frozenset({"before_request", "before_app_request"})
_SOME = frozenset(
    {"before_first_request", "before_app_first_request", "user_loader", "request_loader", "url_value_preprocessor"}
    | {"app_url_value_preprocessor", "verify_password", "verify_token"}
)


class Hook(NamedTuple):
    """A function that runs before requests; ``kind`` is the method that takes it, ``taker`` what that is asked of."""

    module: Module
    body: Body
    kind: str
    taker: ast.expr

    @property
    def runs_always(self) -> bool:
        """Whether it runs before every request of the application or blueprint."""
        return self.kind in _EVERY


def hooks(project: Project) -> list[Hook]:
    """What runs before each request of the project's Flask applications, as far as it can be seen."""
    return project.once(_hooks)


def _hooks(project: Project) -> list[Hook]:
    return list(_found(project))


def _found(project: Project) -> Iterator[Hook]:
    kinds = _EVERY | _SOME
    for module in project.app.modules_with(*(name.encode() for name in kinds)):
        for body in module.bodies.values():
            for taker, kind in map(method_of, body.decorators):
                if kind in kinds and taker is not None:
                    yield Hook(module, body, kind, taker)
        for body in (module.top, *module.bodies.values()):
            for call in body.own(ast.Call):
                taker, kind = method_of(call)
                target = project.target(handed(project, module, call)) if kind in kinds else None
                if target is not None and taker is not None:
                    yield Hook(target.module, target.body, kind, taker)


def handed(project: Project, module: Module, call: ast.Call) -> Value:
    """The function of ``app.before_request(load_user)``."""
    return project.evaluate(module, call.args[0] if call.args else call.func)


def method_of(node: ast.expr) -> tuple[ast.expr | None, str]:
    """``app`` and ``before_request`` of ``app.before_request`` and of a call of it."""
    inner = bare(node)
    return (inner.value, inner.attr) if isinstance(inner, ast.Attribute) else (None, "")


def runs_before(project: Project, hook: Hook, module: Module, view: Body) -> bool:
    """Whether a hook runs before each request of a view: that of a blueprint only before the blueprint's own."""
    if not hook.runs_always:
        return False
    blueprint = blueprint_of(project, hook.module, hook.taker) if hook.kind == "before_request" else ""
    takers = (taker for taker, _ in map(method_of, view.decorators) if taker is not None)
    return not blueprint or any(blueprint_of(project, module, taker) == blueprint for taker in takers)


def blueprint_of(project: Project, module: Module, taker: ast.expr) -> str:
    """The dotted name of a blueprint at module level; "" for anything else."""
    qualified = module.names.resolve(taker) or ""
    owner, name = project.split(qualified)
    binding = owner.names.bindings.get(name) if owner is not None else None
    if owner is None or binding is None:
        return ""
    made = (owner.names.resolve(value.func) or "" for value in binding.values if isinstance(value, ast.Call))
    return qualified if any(name.endswith("Blueprint") for name in made) else ""
