"""Scripts that take the application from its factory to work with it, beside the file that a server is told."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator

from ..files import reading
from ..project.modules.module import Module
from ..project.runs.importers import text_of
from ..session.values import FUNCTION
from ..view import View
from .asking import Asking
from .judge import FilePool

_CONTEXTS = frozenset({"app_context", "test_request_context"})
_FOR_SERVERS = frozenset({"asgi", "wsgi"})


def is_run_beside(view: View, asking: Asking, pool: FilePool) -> bool:
    """Whether the file is run to do its work, and no server is told it: all that it has of the application is its
    context, the deployment names no application in it, and another file is there to be served."""
    factories = dict(taken_from_factories(view, asking))
    if not factories or not all(map(is_context, uses(view, set(factories)))) or is_told(view, pool):
        return False
    return any(is_another_served(view, module, factory) for factory, module in factories.values())


def taken_from_factories(view: View, asking: Asking) -> Iterator[tuple[str, tuple[str, Module]]]:
    """The names of the file for applications that functions of other modules make, with those."""
    for target, value in view.module.top.assigned():
        if isinstance(target, ast.Name) and isinstance(value, ast.Call):
            function = view.project.evaluate(view.module, value.func)
            made = view.project.target(function) if function.kind == FUNCTION else None
            if made and made.module is not view.module and asking.makes_application(made.body, made.module):
                yield target.id, (made.body.name, made.module)


def uses(view: View, names: set[str]) -> Iterator[ast.Name | ast.Attribute]:
    """Where the file reads one of the names, each with the attribute that it is read for."""
    parts = list(ast.walk(view.source.tree))
    attributes = {id(part.value): part for part in parts if isinstance(part, ast.Attribute)}
    for part in parts:
        if isinstance(part, ast.Name) and part.id in names and isinstance(part.ctx, ast.Load):
            yield attributes.get(id(part), part)


def is_context(use: ast.Name | ast.Attribute) -> bool:
    return isinstance(use, ast.Attribute) and use.attr in _CONTEXTS


def is_told(view: View, pool: FilePool) -> bool:
    """Whether the deployment names an application in the file: ``gunicorn desk:app``."""
    stem, _ = os.path.splitext(os.path.basename(view.source.path))
    return stem in _FOR_SERVERS or any(f"{stem}:" in reading.text_of(path) for path in pool.survey.deployment_files)


def is_another_served(view: View, module: Module, factory: str) -> bool:
    """Whether the module of the factory, or another file that takes the application from there, is for a server by its
    name, or starts one."""
    app = view.project.app
    files = {os.path.abspath(path) for path in (module.path, *app.naming(factory.encode())) if app.is_part(path)}
    for path in sorted(files - {os.path.abspath(view.source.path)}):
        stem, _ = os.path.splitext(os.path.basename(path))
        if stem in _FOR_SERVERS or b".run(" in text_of(view.project, path):
            return True
    return False
