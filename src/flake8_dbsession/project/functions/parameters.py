"""What a function is given: each parameter as the function itself knows it, and what only its caller knows."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ...session.body import Body
from ...session.values import (
    DOUBTED,
    ENGINE,
    FACTORY,
    FUNCTION,
    OBJECT,
    PARAMETER,
    PERHAPS,
    REFUTED,
    REGISTRY,
    SESSION,
    UNKNOWN,
    Resource,
    Value,
    as_used,
    contained,
)
from ..modules.module import Module
from ..names.annotations import annotated, given_session
from ..names.evidence import may_be_session
from .filling import filled

if TYPE_CHECKING:
    from ..project import Project

_MARKS = frozenset({PERHAPS, DOUBTED, REFUTED})
"""What is known of an object beside its class and its attributes."""


def as_declared(project: Project, given: Value, declared: Value) -> Value:
    """What a function is given for a parameter with an annotation: the caller may know less of an object, that it is of
    a class which the declared one extends. Whether the object is there only he knows."""
    is_object = given.kind == declared.kind == OBJECT and all(mark in _MARKS for mark in given.extra)
    if not is_object or given.name == declared.name or not extends(project, declared.name, given.name):
        return given
    own = (mark for mark in declared.extra if mark not in (PERHAPS, REFUTED))
    return declared.with_extra(*own, *(mark for mark in given.extra if mark != DOUBTED))


def extends(project: Project, name: str, base: str) -> bool:
    """Whether a class of the project extends another one, of the project or a library."""
    return base in project.foreign_bases(name) or any(each.qualified == base for each in project.lineages.own(name))


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
        return as_used(value, body.is_async)
    handed_in = handed_in_by_decorators(project, module, body, name)
    if handed_in is not None:
        return Value(SESSION, resource=handed_in._replace(origin=PARAMETER, key=name, flavour="", pool=""))
    type_name = project.asked(body, name) or asked_elsewhere(project, module, body, name)
    if type_name:
        return Value(SESSION, resource=given_session(project, name, type_name))
    value = usual(project, module, body, name)
    return value if value != UNKNOWN else filled(project, module, body, name)


def handed_in_by_decorators(project: Project, module: Module, body: Body, name: str) -> Resource | None:
    """The session that a decorator of the project gives for a parameter."""
    place = [parameter.arg for parameter in body.parameters].index(name)
    found = (
        each for decorator in sorted(project.decorators(module, body)) for each in project.wrapping.hands_in(decorator)
    )
    return next((given.session for given in found if given.parameter in (place, name)), None)


def kept_from(project: Project, module: Module, body: Body, argument: ast.arg) -> Value:
    """What an object that keeps a parameter of its method has by that."""
    value = annotated(project, module.names, argument.annotation, argument.arg)
    return value if value != UNKNOWN else usual(project, module, body, argument.arg)


def usual(project: Project, module: Module, body: Body, name: str) -> Value:
    """What fills a parameter that says nothing of its type: a function, factory or registry that is its default, or
    what its callers give."""
    default = body.defaults.get(name)
    value = project.evaluate(module, default) if isinstance(default, (ast.Name, ast.Attribute)) else UNKNOWN
    return value if value.kind in (FUNCTION, FACTORY, REGISTRY) else project.called(body, name)


def asked_elsewhere(project: Project, module: Module, body: Body, name: str) -> str:
    """The type of session that a parameter is by what a function asks it that is passed on with it to whoever runs it:
    ``pool.submit(count, session)``, ``run_in_threadpool(self.count, session)``; "" for none."""
    for call in body.own(ast.Call) if may_be_session(name) else ():
        places = [place for place, each in enumerate(call.args) if isinstance(each, ast.Name) and each.id == name]
        for place, passed in enumerate(call.args[: places[0]]) if places else ():
            target = project.target(passed_function(project, module, body, passed))
            taken = target.body.parameters[1 if target.body.owner else 0 :] if target is not None else []
            if target is not None and places[0] - place <= len(taken):
                type_name = project.asked(target.body, taken[places[0] - place - 1].arg)
                if type_name:
                    return type_name
    return ""


def passed_function(project: Project, module: Module, body: Body, passed: ast.expr) -> Value:
    """A function of the module, or a method of the object itself, that is an argument."""
    match passed:
        case ast.Name(id=name) if name in module.bodies and name not in body.local_names:
            return project.value(f"{module.name}.{name}".lstrip("."))
        case ast.Attribute(value=ast.Name(id=me), attr=name) if me == body.me:
            return project.attribute(Value(OBJECT, f"{module.name}.{body.owner}".lstrip(".")), name)
    return UNKNOWN
