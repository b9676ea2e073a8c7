"""Rows of a request's session that others have loaded before the function: dependencies, hooks, loaders of users.

They expire with the release as those do that the function has loaded itself (measured with ``current_user`` of
Flask-Login, ``g.user`` of a hook and rows of FastAPI's dependencies).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..project.modules.module import Module
from ..project.runs.injection import providers
from ..session.body import Body
from ..session.flow import Flow
from ..session.values import AMBIENT, PARAMETER, Resource
from ..view import View
from .beginning import lives_in
from .keeping import is_plain_annotation

_USER = "current_user"
_DEEPEST = 3
"""So many calls are followed to what reads such a row."""


def given_rows(view: View, flow: Flow, resource: Resource) -> frozenset[str]:
    """What may be a row of before, as the function writes it: ``member``, ``current_user``, ``g.user``, and functions
    that read one."""
    if resource.origin == PARAMETER:
        return filled_with_rows(view, flow, resource)
    if resource.origin == AMBIENT:
        return frozenset(rows_of_the_request(view, view.module, flow.body, _DEEPEST))
    return frozenset()


def filled_with_rows(view: View, flow: Flow, resource: Resource) -> frozenset[str]:
    """The parameters that may be rows of the session, since the dependencies that fill them have it too."""
    filled = dict(providers(view.project, view.module, flow.body))
    provider = filled.pop(resource.key, None)
    if provider is None:
        return frozenset()
    plain = {p.arg for p in flow.body.parameters if p.annotation is not None and is_plain_annotation(p.annotation)}
    having = (
        n for n, dependency in filled.items() if any(True for _ in lives_in(view.project, dependency, provider.name))
    )
    return frozenset(having) - plain


def rows_of_the_request(view: View, module: Module, body: Body, depth: int) -> Iterator[str]:
    """The names of a function for the request's user, attributes of Flask's ``g``, and functions that read them."""
    for node in body.own(ast.Name, ast.Attribute):
        if is_of_the_request(module, node):
            yield ast.unparse(node)
    for call in body.own(ast.Call) if depth else ():
        target = view.project.target(view.project.evaluate(module, call.func))
        if target is not None and any(rows_of_the_request(view, target.module, target.body, depth - 1)):
            yield ast.unparse(call.func)


def is_of_the_request(module: Module, node: ast.Name | ast.Attribute) -> bool:
    """``current_user``, ``self.current_user``, ``g.user``, ``flask.g.user``; not where it is bound."""
    if not isinstance(node.ctx, ast.Load):
        return False
    last = node.id if isinstance(node, ast.Name) else node.attr
    return last == _USER or (module.names.resolve(node) or "").startswith("flask.g.")
