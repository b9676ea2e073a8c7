"""What the dependencies of a FastAPI endpoint have done with the request's session before the endpoint starts.

FastAPI calls each dependency once for a request, so an endpoint and its dependencies that ask for the same provider
share one session (FastAPI's documentation, "Dependencies", on using one dependency several times).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ...names import Names
from ...session.body import Body
from ...session.state import ENTRY, Life
from ...session.values import FUNCTION, PARAMETER, UNKNOWN, Value
from ...session.waiting import STREAMING_RESPONSES, is_finished
from ..modules.module import Module
from ..names.foreign import is_name_of_library
from ..project import Project

_STREAMERS = (b"StreamingResponse", b"EventSourceResponse")
DEEPEST = 4
"""How many dependencies of dependencies are followed."""


def providers(project: Project, module: Module, body: Body) -> Iterator[tuple[str, Value]]:
    """The parameters that are filled by ``Depends(…)``, each with the function of the project that fills it."""
    for parameter in body.parameters:
        for names, call in depends_of(project, module, body, parameter):
            provider = project.evaluate_in(names, call.args[0])
            if provider.kind == FUNCTION:
                yield parameter.arg, provider
                break


def is_unseen(project: Project, module: Module, body: Body, depth: int = DEEPEST) -> bool:
    """Whether a parameter is filled by what cannot be seen: neither a function of the project nor something of a
    library, which knows no provider of the project; the same of the functions that fill the others."""
    for parameter in body.parameters:
        for names, call in depends_of(project, module, body, parameter):
            target = project.target(project.evaluate_in(names, call.args[0]))
            if target is None and not is_name_of_library(project, names, call.args[0]):
                return True
            if target is not None and depth and is_unseen(project, target.module, target.body, depth - 1):
                return True
    return False


def is_filled(project: Project, module: Module, body: Body, name: str) -> bool:
    """Whether a parameter is filled by ``Depends(…)``, by a function or by a class."""
    named = (parameter for parameter in body.parameters if parameter.arg == name)
    return any(True for parameter in named for _ in depends_of(project, module, body, parameter))


def scope_of(project: Project, module: Module, body: Body, name: str) -> str:
    """What ``Depends(…, scope="function")`` says for a parameter; "" where it says nothing."""
    for parameter in body.parameters:
        for _, call in depends_of(project, module, body, parameter) if parameter.arg == name else ():
            given = {keyword.arg: keyword.value for keyword in call.keywords}.get("scope")
            return str(given.value) if isinstance(given, ast.Constant) else ""
    return ""


def depends_of(project: Project, module: Module, body: Body, parameter: ast.arg) -> Iterator[tuple[Names, ast.Call]]:
    """The ``Depends(…)`` that fill a parameter, each with the names of the file in which it stands."""
    for expression in (body.defaults.get(parameter.arg), parameter.annotation):
        if expression is not None:
            yield from _depends(project, module.names, expression, 3)


def _depends(project: Project, names: Names, expression: ast.expr, depth: int) -> Iterator[tuple[Names, ast.Call]]:
    """``Depends(f)`` as it is, in ``Annotated[T, Depends(f)]`` or behind an alias of that, with where it stands."""
    match expression:
        case ast.Call(func=function, args=[_, *_]):
            if (names.resolve(function) or "").rpartition(".")[2] in ("Depends", "Security"):
                yield names, expression
        case ast.Subscript(slice=ast.Tuple(elts=parts)):
            for part in parts[1:]:
                yield from _depends(project, names, part, depth)
        case ast.Name() | ast.Attribute() if depth:
            yield from _alias(project, names.resolve(expression) or "", depth - 1)


def _alias(project: Project, qualified: str, depth: int) -> Iterator[tuple[Names, ast.Call]]:
    """``SessionDep = Annotated[Session, Depends(f)]``, here or where it is imported from."""
    for names, value in bound_to(project, qualified, depth):
        yield from _depends(project, names, value, depth)


def bound_to(project: Project, qualified: str, depth: int) -> Iterator[tuple[Names, ast.expr]]:
    """What a module binds to a name, here or where it is imported from, with the names of the file; nothing for a
    function or class."""
    module, name = project.split(qualified)
    binding = module.names.bindings.get(name) if module is not None else None
    if module is None or binding is None:
        return
    if binding.values:
        yield module.names, binding.values[-1]
    elif binding.imported and depth:
        yield from bound_to(project, binding.imported, depth - 1)


def added(project: Project, module: Module, body: Body) -> Iterator[Value]:
    """What runs before an endpoint without a parameter of its own: ``dependencies=[Depends(f)]`` of its decorators, and
    of any app or router of the project; UNKNOWN for what cannot be seen."""
    own = [(module.names, decorator) for decorator in body.decorators if isinstance(decorator, ast.Call)]
    for names, call in (*own, *project.once(_depending)):
        yield from _asked_by(project, names, call)


def before_parameters(project: Project, module: Module, body: Body) -> Iterator[Value]:
    """What surely runs before the parameters of an endpoint are filled: ``dependencies=[Depends(f)]`` of the call that
    includes its router, of the router, and of its decorator, in this order."""
    for decorator in body.decorators:
        match decorator:
            case ast.Call(func=ast.Attribute(value=owner)):
                router = module.names.resolve(owner) or ""
                making = ((names, call) for names, call in bound_to(project, router, 3) if isinstance(call, ast.Call))
                for names, call in (*_including(project, router), *making, (module.names, decorator)):
                    yield from (value for value in _asked_by(project, names, call) if value.kind == FUNCTION)


def _including(project: Project, router: str) -> Iterator[tuple[Names, ast.Call]]:
    """``app.include_router(router, dependencies=[…])``."""
    for names, call in project.once(_depending):
        match call:
            case ast.Call(func=ast.Attribute(attr="include_router"), args=[included, *_]):
                if names.resolve(included) == router:
                    yield names, call


def _depending(project: Project) -> list[tuple[Names, ast.Call]]:
    """The calls with ``dependencies=`` that decorate no function: those of a decorator are for its function only."""
    return list(_found_depending(project))


def _found_depending(project: Project) -> Iterator[tuple[Names, ast.Call]]:
    for module in project.app.modules_with(b"dependencies="):
        bodies = list(module.bodies.values())
        decorating = {decorator for body in bodies for decorator in body.decorators}
        for call in (call for body in (module.top, *bodies) for call in body.own(ast.Call)):
            if call not in decorating and any(keyword.arg == "dependencies" for keyword in call.keywords):
                yield module.names, call


def _asked_by(project: Project, names: Names, call: ast.Call) -> Iterator[Value]:
    """The functions in ``dependencies=[Depends(f)]`` of a call; UNKNOWN for what cannot be seen."""
    for keyword in call.keywords:
        if keyword.arg == "dependencies":
            yield from _listed(project, names, keyword.value)


def _listed(project: Project, names: Names, value: ast.expr) -> Iterator[Value]:
    match value:
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            for part in parts:
                found = next(_depends(project, names, part, 3), None)
                yield UNKNOWN if found is None else project.evaluate_in(found[0], found[1].args[0])
        case ast.Dict() | ast.Constant():
            return  # not FastAPI's, or None
        case _:
            yield UNKNOWN


def streams_that_need(project: Project, dependency: str) -> list[str]:
    """The endpoints that make a streaming response and have a dependency, all by their dotted names.

    What only tests put together is no part of the application.
    """
    return project.once(_streamed).get(dependency, [])


def _streamed(project: Project) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for dependency, endpoint in _found_in_streams(project):
        found.setdefault(dependency, []).append(endpoint)
    return found


def _found_in_streams(project: Project) -> Iterator[tuple[str, str]]:
    for module in project.app.modules_with(*_STREAMERS):
        for body in () if project.config.is_test(module.path) else module.bodies.values():
            made = (call for call in body.own(ast.Call) if module.names.resolve(call.func) in STREAMING_RESPONSES)
            if not all(is_of_finished_data(body, call) for call in made):
                yield from ((dependency, body.qualified) for dependency in dependencies(project, module, body))


def is_of_finished_data(body: Body, made: ast.Call) -> bool:
    """Whether all that a streaming response sends is there before: ``StreamingResponse(iter([text]))``."""
    given = next((keyword.value for keyword in made.keywords if keyword.arg == "content"), None)
    content = made.args[0] if made.args else given
    if isinstance(content, ast.Name):
        bound = [value for target, value in body.assigned() if ast.unparse(target) == content.id]
        return bool(bound) and all(map(is_finished, bound))
    return content is not None and is_finished(content)


def dependencies(project: Project, module: Module, body: Body, depth: int = DEEPEST) -> Iterator[str]:
    """The dotted names of everything an endpoint depends on, directly or not."""
    for _, dependency in providers(project, module, body) if depth else ():
        yield dependency.name
        target = project.target(dependency)
        if target is not None:
            yield from dependencies(project, target.module, target.body, depth - 1)


def held_at_entry(project: Project, module: Module, body: Body, depth: int = DEEPEST) -> dict[str, Value]:
    """The providers whose session a dependency has left holding a connection, and no later one has given back, each
    with that dependency."""
    held: dict[str, Value] = {}
    first = before_parameters(project, module, body) if depth == DEEPEST else ()
    filled = (dependency for _, dependency in providers(project, module, body)) if depth else ()
    for dependency in (*first, *filled):
        target = project.target(dependency)
        if target is None:
            continue
        held.update(held_at_entry(project, target.module, target.body, depth - 1))
        for provider, life in left_by(project, dependency):
            if life.may_hold:
                held.setdefault(provider, dependency)
            elif not life.phases & ENTRY:
                held.pop(provider, None)
    return held


def given_back_by(project: Project, endpoint: str) -> set[str]:
    """The providers whose session an endpoint, given by its dotted name, gives back before it returns."""
    left = left_by(project, Value(FUNCTION, endpoint, extra=(None, None)))
    return {name for name, life in left if not life.may_hold and not life.phases & ENTRY}


def left_by(project: Project, function: Value) -> Iterator[tuple[str, Life]]:
    """How an endpoint or a dependency leaves the sessions that providers fill its parameters with."""
    target, summary = project.target(function), project.summary(function, ())
    filled = dict(providers(project, target.module, target.body)) if target is not None else {}
    for resource, life in summary.normal if summary is not None else ():
        if resource.origin == PARAMETER and resource.key in filled:
            yield filled[resource.key].name, life
