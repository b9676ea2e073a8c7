"""What a function is given: each parameter as the function itself knows it, and what only its caller knows."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..session.body import Body
from ..session.values import (
    ENGINE,
    FACTORY,
    FUNCTION,
    OBJECT,
    PARAMETER,
    REGISTRY,
    SESSION,
    UNKNOWN,
    Resource,
    Value,
    contained,
)
from .annotations import annotated
from .module import Module

if TYPE_CHECKING:
    from .project import Project


def untold_in(
    project: Project, given: Value, known: Callable[[ast.arg], Value], parameter: ast.arg
) -> Iterator[Resource]:
    """The sessions in an argument that the function would not know of by itself."""
    sessions = contained(given)
    if not sessions or contained(known(parameter)):
        return
    told = (
        {r for n, v in given.extra if contained(project.attribute(given, n)) for r in contained(v)}
        if given.kind == OBJECT
        else set()
    )
    yield from (resource for resource in sessions if resource not in told)


def parameter_of(project: Project, module: Module, body: Body, argument: ast.arg) -> Value:
    """What a parameter is by its annotation, by what it is filled from, or by what it is asked."""
    name = argument.arg
    value = annotated(project, module.names, argument.annotation, name, body.defaults.get(name))
    if value.kind == ENGINE:
        return value.with_extra(*value.extra, ("pool", name))
    if value != UNKNOWN:
        return value
    type_name = project.asked(body, name)
    if type_name:
        return Value(SESSION, resource=Resource(PARAMETER, name, type_name))
    default = body.defaults.get(name)
    usual = project.evaluate(module, default) if isinstance(default, (ast.Name, ast.Attribute)) else UNKNOWN
    return usual if usual.kind in (FUNCTION, FACTORY, REGISTRY) else project.called(body, name)
