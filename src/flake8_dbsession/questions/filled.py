"""Sessions that a function opens for the parameters of endpoints, and returns where it had to yield them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..project.modules.module import Module
from ..project.project import Project
from ..project.runs.injection import left_by, providers
from ..session.body import Body
from ..session.events import Happening
from ..session.flow import Flow
from ..session.outside import summary_of
from ..session.state import GIVEN, RETURNED
from ..session.values import FUNCTION, OPENED, SESSION, Value
from ..view import View

_MOST_FILES = 60
"""What more files speak of is not looked for in them."""


def returned_to_endpoints(view: View, flow: Flow) -> Iterator[tuple[ast.AST, str]]:
    """The call that opens a session for ``Depends(…)``, and an endpoint that leaves it with a connection.

    FastAPI gives back what a dependency yields, at its end; of what one returns it knows nothing.
    """
    opened = [event for event in flow.events(Happening.OPENED) if event.resource is not None]
    if not opened or flow.body.is_generator or flow.body.owner or not is_only_returned(flow):
        return
    returned = summary_of(flow).returns.resource
    node = next((event.node for event in opened if event.resource == returned), None)
    endpoint = next(endpoints_that_leave(view.project, flow.body), None) if node is not None else None
    if node is not None and endpoint is not None:
        yield node, endpoint.name


def is_only_returned(flow: Flow) -> bool:
    """Whether the function gives a session of its own to its caller and to nobody else."""
    given = summary_of(flow).returns
    resource = given.resource if given.kind == SESSION else None
    lives = [state.lives[resource] for state in flow.returned if resource is not None and resource in state.lives]
    others = any(isinstance(node, (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef)) for node in flow.body.own_nodes)
    is_own = resource is not None and resource.origin == OPENED and not others
    return is_own and bool(lives) and all(life.marks & GIVEN == RETURNED for life in lives)


def endpoints_that_leave(project: Project, provider: Body) -> Iterator[Body]:
    """The functions that have the session of a provider for a parameter, and return with a connection."""
    name = provider.qualified.rpartition(".")[2].encode()
    modules = [module for module in project.app.modules_with(name) if not project.config.is_test(module.path)]
    for module in modules if len(modules) <= _MOST_FILES else ():
        for body in module.bodies.values():
            if is_filled_by(project, module, body, provider.qualified) and leaves(project, body, provider.qualified):
                yield body


def is_filled_by(project: Project, module: Module, body: Body, provider: str) -> bool:
    return any(value.name == provider for _, value in providers(project, module, body))


def leaves(project: Project, body: Body, provider: str) -> bool:
    """Whether a function returns with a connection of the session that the provider has opened for it."""
    left = left_by(project, Value(FUNCTION, body.qualified, extra=(None, None)))
    return any(name == provider and life.surely_holds for name, life in left)
