"""Dependencies of a library that load the user of a request with a session of the application's."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ...names import Names
from ...session.body import Body
from ...session.values import FUNCTION, SESSION, Value
from ..modules.module import Module
from ..project import Project
from .injection import DEEPEST, bound_to, depends_of, providers


def used_by_libraries(project: Project, module: Module, body: Body) -> Iterator[tuple[str, Value]]:
    """The providers whose session such a dependency has used before the endpoint, each with the function that the
    application gives the library for it.

    ``users = FastAPIUsers(get_user_manager, …)``, ``Depends(users.current_user())``: fastapi-users reads the user with
    what ``get_user_manager`` gives (its documentation, "Get current user"). ``optional=True`` may read nobody.
    """
    for parameter in body.parameters:
        for names, call in depends_of(project, module, body, parameter):
            for asked, owner in made_by(project, names, call.args[0], DEEPEST):
                given = manager_of(project, asked, owner)
                if given is not None and given.kind == FUNCTION:
                    yield from ((provider, given) for provider in sessions_behind(project, given, DEEPEST))


def made_by(project: Project, names: Names, expression: ast.expr, depth: int) -> Iterator[tuple[Names, ast.Call]]:
    """The call that makes what is written, here or where its name is bound, and where that stands."""
    if isinstance(expression, ast.Call):
        yield names, expression
    elif depth:
        for where, value in bound_to(project, names.resolve(expression) or "", depth):
            yield from made_by(project, where, value, depth - 1)


def manager_of(project: Project, names: Names, made: ast.Call) -> Value | None:
    """What the library was given to load users with, where ``made`` is such a dependency of it."""
    if not isinstance(made.func, ast.Attribute) or any(keyword.arg == "optional" for keyword in made.keywords):
        return None
    for where, owner in made_by(project, names, made.func.value, DEEPEST):
        written = owner.func.value if isinstance(owner.func, ast.Subscript) else owner.func
        method = f"{where.resolve(written)}.{made.func.attr}"
        if method in project.known.conventions.loading_users and owner.args:
            return project.evaluate_in(where, owner.args[0])
    return None


def sessions_behind(project: Project, function: Value, depth: int) -> Iterator[str]:
    """The providers of sessions that a dependency needs, directly or not."""
    target = project.target(function)
    for _, provider in providers(project, target.module, target.body) if target is not None and depth else ():
        summary = project.summary(provider, ())
        given = (summary.yields.kind, summary.returns.kind) if summary is not None else ()
        if SESSION in given:
            yield provider.name
        else:
            yield from sessions_behind(project, provider, depth - 1)
