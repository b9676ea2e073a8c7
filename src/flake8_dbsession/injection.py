"""What the dependencies of a FastAPI endpoint have done with the request's session before the endpoint starts.

FastAPI calls each dependency once for a request, so an endpoint and its dependencies that ask for the same provider
share one session (FastAPI's documentation, "Dependencies", on using one dependency several times).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .modules import Module
from .names import Names
from .project import Project
from .session.body import Body
from .session.values import FUNCTION, PARAMETER, UNKNOWN, Value
from .session.waiting import STREAMING_RESPONSES

_STREAMERS = (b"StreamingResponse", b"EventSourceResponse")
_DEEPEST = 4
"""How many dependencies of dependencies are followed."""


def providers(project: Project, module: Module, body: Body) -> Iterator[tuple[str, Value]]:
    """The parameters that are filled by ``Depends(…)``, each with the function of the project that fills it."""
    for parameter in body.parameters:
        for expression in (body.defaults.get(parameter.arg), parameter.annotation):
            provider = _depended_on(project, module.names, expression, 3) if expression is not None else UNKNOWN
            if provider.kind == FUNCTION:
                yield parameter.arg, provider
                break


def _depended_on(project: Project, names: Names, expression: ast.expr, depth: int) -> Value:
    """The function in ``Depends(f)``, ``Annotated[T, Depends(f)]`` or an alias of that."""
    match expression:
        case ast.Call(func=function, args=[provider, *_]):
            last = (names.resolve(function) or "").rpartition(".")[2]
            return project.evaluate_in(names, provider) if last in ("Depends", "Security") else UNKNOWN
        case ast.Subscript(slice=ast.Tuple(elts=parts)):
            found = (_depended_on(project, names, part, depth) for part in parts[1:])
            return next((value for value in found if value.kind == FUNCTION), UNKNOWN)
        case ast.Name() | ast.Attribute() if depth:
            return _alias(project, names.resolve(expression) or "", depth - 1)
    return UNKNOWN


def _alias(project: Project, qualified: str, depth: int) -> Value:
    """``SessionDep = Annotated[Session, Depends(f)]``, here or where it is imported from."""
    module, name = project.split(qualified)
    binding = module.names.bindings.get(name) if module is not None else None
    if module is None or binding is None:
        return UNKNOWN
    if binding.values:
        return _depended_on(project, module.names, binding.values[-1], depth)
    return _alias(project, binding.imported, depth - 1) if binding.imported and depth else UNKNOWN


def dependencies_of_streams(project: Project) -> dict[str, str]:
    """The dependencies of endpoints that make a streaming response, by dotted name, each with one such endpoint."""
    if project.app.streamed is None:
        project.app.streamed = dict(_found_in_streams(project))
    return project.app.streamed


def _found_in_streams(project: Project) -> Iterator[tuple[str, str]]:
    for module, _ in project.app.modules_with(*_STREAMERS):
        for body in module.bodies.values():
            made = (module.names.resolve(call.func) for call in body.own(ast.Call))
            if any(name in STREAMING_RESPONSES for name in made):
                yield from ((dependency, body.qualified) for dependency in dependencies(project, module, body))


def dependencies(project: Project, module: Module, body: Body, depth: int = _DEEPEST) -> Iterator[str]:
    """The dotted names of everything an endpoint depends on, directly or not."""
    for _, dependency in providers(project, module, body) if depth else ():
        yield dependency.name
        target = project.target(dependency)
        if target is not None:
            yield from dependencies(project, target.module, target.body, depth - 1)


def held_at_entry(project: Project, module: Module, body: Body, depth: int = _DEEPEST) -> dict[str, Value]:
    """The providers whose session a dependency has left holding a connection, each with that dependency."""
    held: dict[str, Value] = {}
    for _, dependency in providers(project, module, body) if depth else ():
        target = project.target(dependency)
        if target is None:
            continue
        held.update(held_at_entry(project, target.module, target.body, depth - 1))
        filled = dict(providers(project, target.module, target.body))
        summary = project.summary(dependency, ())
        for resource, life in summary.normal if summary is not None else ():
            if resource.origin == PARAMETER and resource.key in filled and life.may_hold:
                held.setdefault(filled[resource.key].name, dependency)
    return held
