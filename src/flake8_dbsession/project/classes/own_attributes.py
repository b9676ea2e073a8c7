"""What one class of the project sets its attributes to, in its body and in its methods."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...names import Function, is_none
from ...session.one_connection import rather_of_many
from ...session.values import (
    AMBIENT,
    ATTRIBUTE,
    CLASS,
    CONSTANT,
    EMPTY,
    FACTORY,
    FUNCTION,
    MAPPING,
    NONE,
    OBJECT,
    REGISTRY,
    SESSION,
    TUPLE,
    UNKNOWN,
    Resource,
    Value,
    contained,
    known_by,
    late,
)
from ..functions.parameters import kept_from
from ..modules.module import ClassInfo
from ..names.annotations import annotated
from ..names.evidence import may_be_session, session_type
from ..names.meanings import named_after
from .kept_objects import as_kept_by
from .model_classes import queries

if TYPE_CHECKING:
    from ..project import Project


def own_attribute(project: Project, info: ClassInfo, name: str) -> Value:
    """An attribute of a class as the class itself sets it, in its body or in a method; UNKNOWN where it does not."""
    if name in info.methods:
        return Value(FUNCTION, f"{info.qualified}.{name}", extra=("method", None))
    plain = UNKNOWN
    if name in info.values:
        plain = as_attribute(project, in_body(project, info, info.values[name]), name, info)
        if plain.kind not in ("unknown", CONSTANT) and plain != EMPTY:
            return plain
    assigned = info.attribute_values.get(name, ())
    values = [in_method(project, info, expression, method) for expression, method in assigned]
    other = next((v for v in values if v.kind == OBJECT and project.known.is_look_alike(v.name)), None)
    if other is not None:  # then a factory of the same attribute makes the like
        return other
    set_to = (as_attribute(project, of_the_object(each, name), name, info) for each in values)
    known = (value for value in set_to if value.kind not in ("unknown", CONSTANT) and value != EMPTY)
    first = next(known, None)
    if first is not None:
        is_late = plain == NONE or any(is_none(expression) for expression, _ in assigned)
        kept = rather_of_many(first, known)
        return late(kept) if is_late else kept
    if name in info.annotations:
        return as_attribute(project, declared(project, info, name), name, info)
    if name in info.said:
        kept = annotated(project, info.module.names, info.said[name], name)
        if kept.kind in (OBJECT, MAPPING, TUPLE):
            return as_attribute(project, kept, name, info)
    return plain if plain != UNKNOWN or not assigned else asked(project, info, name)


def asked(project: Project, info: ClassInfo, name: str) -> Value:
    """A session by what the methods ask it, where the class stores under ``name`` what it is given."""
    is_given = any(is_parameter(expression, method) for expression, method in info.attribute_values[name])
    if not is_given or not may_be_session(name):
        return UNKNOWN
    names, module = info.module.names, info.module
    for method in info.methods.values():
        body = module.body_of(method)
        me = body.parameters[0].arg if body is not None and body.parameters else ""
        type_name = session_type(names, f"{me}.{name}", body.own_nodes) if body is not None else ""
        if type_name:
            return Value(SESSION, resource=Resource(ATTRIBUTE, f"self.{name}", type_name))
    return UNKNOWN


def declared(project: Project, info: ClassInfo, name: str) -> Value:
    """What a class says an attribute is; ``session: ClassVar[scoped_session]`` is one registry for all models.

    Whether its scope is the thread stands where it is made.
    """
    value = annotated(project, info.module.names, info.annotations[name], name, info.values.get(name))
    if value.kind == REGISTRY and value.resource is not None:
        key = f"{info.module.name.partition('.')[0]}.{name}"
        return value._replace(resource=value.resource._replace(origin=AMBIENT, key=key, flavour=""))
    return value


def in_body(project: Project, info: ClassInfo, expression: ast.expr) -> Value:
    """The value of an expression in the body of a class, which knows the names that are bound there before it."""
    read = {part.id for part in ast.walk(expression) if isinstance(part, ast.Name)}
    before = {name: value for name, value in info.values.items() if name in read and value.lineno < expression.lineno}
    return project.evaluate(info.module, expression, {name: in_body(project, info, v) for name, v in before.items()})


def in_method(project: Project, info: ClassInfo, expression: ast.expr, method: Function) -> Value:
    """The value of an expression inside a method, its parameters as annotated and simple locals followed."""
    body = info.module.body_of(method) or info.module.top
    parameters = (*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs)
    names = {p.arg: kept_from(project, info.module, body, p) for p in parameters}
    if method.name == "__init__" and isinstance(expression, ast.Name) and is_untold(names.get(expression.id)):
        given = project.makers.given(info, expression.id)
        names[expression.id] = given if given != UNKNOWN else names[expression.id]
    if method.args.args:
        names[method.args.args[0].arg] = Value(CLASS if is_classmethod(method) else OBJECT, info.qualified)
    for statement in method.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=local)], value=value)
                | ast.AnnAssign(target=ast.Name(id=local), value=ast.expr() as value)
            ) if value is not expression:
                names[local] = project.evaluate(info.module, value, names)
    return project.evaluate(info.module, expression, names)


def is_untold(parameter: Value | None) -> bool:
    """Whether a parameter says nothing of what it is, or its name alone does."""
    return parameter == UNKNOWN or (parameter is not None and parameter.kind in (FACTORY, REGISTRY))


def as_attribute(project: Project, value: Value, name: str, info: ClassInfo) -> Value:
    """What a class sets an attribute to, as its objects know it."""
    if value.resource is not None and value.resource.origin != AMBIENT and value.kind == SESSION:
        return value._replace(resource=value.resource._replace(origin=ATTRIBUTE, key=f"self.{name}"))
    if value.kind == OBJECT and contained(value):
        return as_kept_by(project, info, value)
    return known_by(value, f"{info.qualified}.{name}")


def set_from_outside(project: Project, qualified: str, name: str) -> Value:
    """A registry that the module of a class sets on it, or its query: ``Base.query = Session.query_property()``.

    So is the query that Flask-SQLAlchemy sets on it.
    """
    module, rest = project.split(qualified)
    if module is None or not rest:
        return UNKNOWN
    for expression in module.stored.get(f"{rest}.{name}", ()):
        value = named_after(project.evaluate(module, expression), f"{qualified}.{name}")
        if value.resource is not None and value.resource.origin == AMBIENT:
            return value
    return project.once(queries).get(qualified, UNKNOWN) if name == "query" else UNKNOWN


def is_parameter(expression: ast.expr, method: Function) -> bool:
    """Whether an expression is just a parameter of the method."""
    arguments = (*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs)
    return isinstance(expression, ast.Name) and any(argument.arg == expression.id for argument in arguments)


def is_classmethod(method: Function) -> bool:
    """Whether a method is one of the class."""
    return any(isinstance(d, ast.Name) and d.id == "classmethod" for d in method.decorator_list)


def of_the_object(value: Value, attribute: str) -> Value:
    """A registry that a method makes for its object is known by the attribute, in all methods alike."""
    resource = value.resource
    if value.kind != REGISTRY or resource is None or ":" not in resource.key:
        return value
    return value._replace(resource=resource._replace(key=f"self:{attribute}"))
