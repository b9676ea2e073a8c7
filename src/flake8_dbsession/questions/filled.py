"""Sessions that a function opens for the parameters of endpoints, and returns where it had to yield them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..names import bare
from ..project.modules.module import Module
from ..project.project import Project
from ..project.runs.injection import providers
from ..session.body import Body
from ..session.events import Happening
from ..session.flow import Flow
from ..session.functions.formals import Formals
from ..session.outside import summary_of, telling
from ..session.state import GIVEN, RETURNED
from ..session.values import FUNCTION, OBJECT, OPENED, SESSION, Resource, Value, contained
from ..view import View

_MOST_FILES = 60
"""What more files speak of is not looked for in them."""
_PROVIDE = b"Provide("


def returned_to_endpoints(view: View, flow: Flow) -> Iterator[tuple[ast.AST, str]]:
    """The call that opens a session for ``Depends(…)`` or ``Provide(…)``, and who leaves it with a connection.

    FastAPI and Litestar give back what a dependency yields, at its end; of what one returns they know nothing.
    """
    opened = [event for event in flow.events(Happening.OPENED) if event.resource is not None]
    if not opened or flow.body.is_generator or flow.body.owner or is_remembered(view, flow.body):
        return
    returned = only_returned(flow)
    node = next((event.node for event in opened if event.resource == returned), None)
    given = summary_of(flow).returns
    endpoint = next(endpoints_that_leave(view.project, flow.body, given), None) if node is not None else None
    if node is not None and endpoint is not None:
        yield node, endpoint.name


def is_remembered(view: View, body: Body) -> bool:
    """Whether the function opens one for all, ``@cache``, of which ORM304 speaks."""
    names = (view.names.resolve(bare(decorator)) for decorator in body.decorators)
    return any(name in view.project.known.conventions.remembering for name in names)


def only_returned(flow: Flow) -> Resource | None:
    """The session of its own that the function gives to its caller, by itself or with an object that keeps it, and to
    nobody else."""
    given = telling([state.result for state in flow.returned])
    own = {each for each in contained(given) if each.origin == OPENED} if given.kind in (SESSION, OBJECT) else set()
    others = any(isinstance(node, (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef)) for node in flow.body.own_nodes)
    if len(own) != 1 or others:
        return None
    (resource,) = own
    lives = [state.lives[resource] for state in flow.returned if resource in state.lives]
    return resource if lives and all(life.marks & GIVEN == RETURNED for life in lives) else None


def endpoints_that_leave(project: Project, provider: Body, given: Value) -> Iterator[Body]:
    """The functions that have what a provider returns for a parameter, and return with a connection of its session."""
    for body, parameter in filled_by(project, provider):
        if leaves(project, body, parameter, given):
            yield body


def filled_by(project: Project, provider: Body) -> Iterator[tuple[Body, str]]:
    """The functions of the project that have what a provider gives for a parameter, each with that."""
    modules = modules_with(project, provider.qualified.rpartition(".")[2])
    for module in modules:
        for body in module.bodies.values():
            filled = providers(project, module, body)
            yield from ((body, parameter) for parameter, value in filled if value.name == provider.qualified)
    keys = {key for module in modules if _PROVIDE in module.source.data for key in keys_of(project, module, provider)}
    for module in modules_with(project, "litestar") if keys else ():
        for body in module.bodies.values():
            decorating = ((module.names.resolve(bare(each)) or "").partition(".")[0] for each in body.decorators)
            named = [parameter.arg for parameter in body.parameters if parameter.arg in keys]
            yield from ((body, parameter) for parameter in named if "litestar" in decorating)


def modules_with(project: Project, name: str) -> list[Module]:
    """The modules of the application that speak of a name; none where they are too many."""
    found = [m for m in project.app.modules_with(name.encode()) if not project.config.is_test(m.path)]
    return found if len(found) <= _MOST_FILES else []


def keys_of(project: Project, module: Module, provider: Body) -> Iterator[str]:
    """What Litestar calls the parameters that a provider fills: ``dependencies={"db": Provide(get_db)}``."""
    for body in (module.top, *module.bodies.values()):
        for display in body.own(ast.Dict):
            for key, value in zip(display.keys, display.values, strict=True):
                match key, value:
                    case ast.Constant(value=str(name)), ast.Call(func=made, args=[given, *_]):
                        is_provided = module.names.resolve(made) == "litestar.di.Provide"
                        if is_provided and project.evaluate(module, given).name == provider.qualified:
                            yield name


def leaves(project: Project, body: Body, parameter: str, given: Value) -> bool:
    """Whether a function returns with a connection of the session that it is given for a parameter."""
    told = Formals().inside(given, parameter)
    summary = project.summary(Value(FUNCTION, body.qualified, extra=(None, None)), ((parameter, told),))
    left = dict(summary.normal) if summary is not None else {}
    return any(each in left and left[each].surely_holds for each in contained(told))
