"""Whole-application facts: who removes the session when a unit of work ends."""

from __future__ import annotations

import ast
import contextlib
import os
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from .declared import Declared, declared_in, project_of
from .known import Entry
from .session.body import Body
from .session.values import REGISTRY, Resource

if TYPE_CHECKING:
    from .modules import Module
    from .project import Project

MOST_FILES = 4000
"""A project with more files is not looked through: it counts as one that does what it should."""
_FOREIGN = frozenset({"node_modules", "site-packages", "venv", "env", "build", "dist", "__pycache__"})
_VIEWS = frozenset(
    {"route", "get", "post", "put", "patch", "delete", "errorhandler", "app_errorhandler", "register_error_handler"}
)


class Application:
    """What is true of the project as a whole."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._removed: dict[str, bool] = {}
        self._declared: dict[str, Declared] = {}

    def holds_dependency_while_streaming(self, path: str) -> bool:
        """Whether the FastAPI that is declared for the file at ``path`` leaves a dependency with ``yield`` only after
        the response has been sent."""
        known = self.project.known
        release = self.declared_for(path).newest("fastapi", known.dependency_turns)
        return known.dependency_exit(release) == "after-response"

    def declared_for(self, path: str) -> Declared:
        """What is declared in the nearest folder above a file that declares anything."""
        folder = project_of(path, self.project.root)
        if folder not in self._declared:
            self._declared[folder] = declared_in(folder)
        return self._declared[folder]

    def removes(self, registry: Resource, worker: Entry) -> bool:
        """Whether the application gives the registry's connection back after each run of such a worker."""
        return registry.flavour == "flask" and worker.cleans_flask_sqlalchemy

    def mentions(self, *texts: str) -> bool:
        """Whether any file of the project holds one of the texts; a project too large to look through counts as one."""
        wanted = [text.encode() for text in texts]
        if len(self.files) > MOST_FILES:
            return True
        for path in self.files:
            with contextlib.suppress(OSError), open(path, "rb") as file:
                data = file.read()
                if any(text in data for text in wanted):
                    return True
        return False

    def is_removed(self, registry: Resource) -> bool:
        """Whether anything but a view or error handler of the project removes or closes the registry's session."""
        if registry.key not in self._removed:
            self._removed[registry.key] = len(self.files) > MOST_FILES or any(self._releases(registry))
        return self._removed[registry.key]

    @cached_property
    def files(self) -> list[str]:
        """The Python files below the root that belong to the project, at most a few more than :data:`MOST_FILES`."""
        found: list[str] = []
        for folder, inner, names in os.walk(self.project.root):
            inner[:] = sorted(name for name in inner if name not in _FOREIGN and not name.startswith("."))
            found.extend(os.path.join(folder, name) for name in sorted(names) if name.endswith(".py"))
            if len(found) > MOST_FILES:
                break
        return found

    def _releases(self, registry: Resource) -> Iterator[bool]:
        """For each release of the registry whether it may run at the end of every request."""
        last = registry.key.rpartition(".")[2].encode()
        for path in self.files:
            with open(path, "rb") as file:
                data = file.read()
            if (b"remove" not in data and b"close" not in data) or (last not in data and b"import" not in data):
                continue
            module = self.project.modules.find(self.project.modules.name_of(path)[0])
            if module is None:
                continue
            for body in (module.top, *module.bodies.values()):
                if not is_view(body) and gives_back(self.project, module, body, registry):
                    yield True


def is_view(body: Body) -> bool:
    """Whether the function answers requests or errors."""
    inner = (d.func if isinstance(d, ast.Call) else d for d in body.decorators)
    return any(isinstance(d, ast.Attribute) and d.attr in _VIEWS for d in inner)


def gives_back(project: Project, module: Module, body: Body, registry: Resource) -> bool:
    """Whether the function, or a lambda in it, says ``Session.remove`` or ``Session.close``, called or passed on."""
    for node in body.own_nodes:
        inside = ast.walk(node) if isinstance(node, ast.Lambda) else (node,)
        for part in inside:
            if isinstance(part, ast.Attribute) and part.attr in ("remove", "close"):
                value = project.evaluate(module, part.value)
                if value.kind == REGISTRY and value.resource is not None and value.resource.key == registry.key:
                    return True
    return False
