"""What a module's name stands for that a function sets: ``global store; store = Store()``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...names import imports_of
from ...session.body import Body
from ...session.values import SESSION, UNKNOWN, Value
from ..modules.module import Module

if TYPE_CHECKING:
    from ..project import Project


def as_set_later(project: Project, module: Module, expression: ast.expr) -> Value:
    """The value as the function knows it that sets a name of the module to it; UNKNOWN where none does.

    The module itself does not know what the function imports, or has made before.
    """
    body = module.setters.get(expression)
    return as_known_in(project, module, body, expression) if body is not None else UNKNOWN


def as_known_in(project: Project, module: Module, body: Body, expression: ast.expr) -> Value:
    """What a value that a function assigns stands for, by what the function has imported and made before."""
    names = imported_by(project, module, body)
    for target, value in body.assigned():
        if value is expression:
            break
        if isinstance(target, ast.Name) and target.id in body.local_names:
            names[target.id] = project.evaluate(module, value, names)
    return project.evaluate(module, expression, names)


def session_in_context(project: Project, module: Module, name: str) -> Value:
    """The session that a function of the module puts into one of its context variables: ``current.set(session)``."""
    for body in module.bodies.values():
        for call in body.own(ast.Call):
            match call:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=variable), attr="set"), args=[put]):
                    value = as_given(project, module, body, put) if variable == name else UNKNOWN
                    if value.kind == SESSION:
                        return value
    return UNKNOWN


def as_given(project: Project, module: Module, body: Body, put: ast.expr) -> Value:
    """What a function puts somewhere: what a ``with`` block gives it, or what it has made before."""
    for item in body.own(ast.withitem) if isinstance(put, ast.Name) else ():
        if isinstance(item.optional_vars, ast.Name) and item.optional_vars.id == put.id:  # type: ignore[attr-defined]
            return as_known_in(project, module, body, item.context_expr)
    return as_known_in(project, module, body, put)


def imported_by(project: Project, module: Module, body: Body) -> dict[str, Value]:
    """What the imports inside a function bring."""
    statements = body.own(ast.Import, ast.ImportFrom)
    pairs = (pair for each in statements for pair in imports_of(each, module.name, module.is_package))
    return {name: project.value(dotted) for name, dotted in pairs if name != "*"}
