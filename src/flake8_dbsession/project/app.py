"""Whole-application facts: who removes the session when a unit of work ends."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from ..files.declared import Declared, declared_in, project_of
from ..files.folders import in_package
from ..known import Entry
from ..session.body import Body
from ..session.values import Resource

if TYPE_CHECKING:
    from ..session.body import Body
    from .hooks import Hook
    from .module import Module
    from .project import Project

MOST_FILES = 4000
"""A project with more files is not looked through: it counts as one that does what it should."""
_FOREIGN = frozenset({"node_modules", "site-packages", "venv", "env", "build", "dist", "__pycache__"})


class Application:
    """What is true of the project as a whole."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._declared: dict[str, Declared] = {}
        self.forget()

    def forget(self) -> None:
        """Nothing is known that goes by dotted names."""
        self.removed: dict[str, bool] = {}
        """Whether a registry, by its key, is given back when a request ends: what has been found so far."""
        self.handed: dict[Body, list[tuple[str, Entry]]] = {}
        """The functions that a body hands over, with what they become there: what has been found so far."""
        self.streamed: dict[str, str] | None = None
        """The dependencies of streaming endpoints, once they have been looked for."""
        self.rolling_back: frozenset[str] | None = None
        """The packages whose sessions roll back by themselves where a commit fails, once they have been looked for."""
        self.hooks: list[Hook] | None = None
        """What runs before each request, once it has been looked for."""
        self.depending: list[tuple[Module, ast.Call]] | None = None
        """The apps and routers that bring dependencies of their own, once they have been looked for."""

    def lose(self, module: Module) -> None:
        """Forget what is known by the functions of a module that has another text, as far as it may have changed."""
        if b"rollback" in module.source.data:
            self.rolling_back = None
        if b"remove" in module.source.data:
            self.removed = {}
        if b"dependencies=" in module.source.data:
            self.depending = None
        if any(hook.module is module for hook in self.hooks or ()):
            self.hooks = None

    def holds_dependency_while_streaming(self, path: str, scope: str = "") -> bool:
        """Whether the FastAPI that is declared for the file at ``path`` leaves a dependency with ``yield`` only after
        the response has been sent; ``scope`` is what the dependency was given."""
        known = self.project.known
        release = self.declared_for(path).newest("fastapi", known.dependency_turns)
        return known.dependency_exit(release, scope) == "after-response"

    def declared_for(self, path: str) -> Declared:
        """What is declared in the nearest folder above a file that declares anything."""
        folder = project_of(path, self.project.root)
        if folder not in self._declared:
            self._declared[folder] = declared_in(folder)
        return self._declared[folder]

    def script_kind(self, path: str) -> str:
        """What kind of short-lived or foreign code a file is by its path, "" for the application.

        A project of its own in ``libs/`` is a member of a workspace and no copy of somebody else's package; a
        ``setup.py`` in a package is a module of it.
        """
        relative = os.path.relpath(os.path.abspath(path), self.project.root)
        if os.path.basename(path) in self.project.known.conventions.tool_files and in_package(path):
            relative = os.path.join(os.path.dirname(relative), "_.py")
        folders = relative.split(os.sep)[:-1]
        for end in range(2, len(folders) + 1):
            member = os.path.join(self.project.root, *folders[:end])
            if folders[end - 2] == "libs" and os.path.isfile(os.path.join(member, "pyproject.toml")):
                relative = os.path.join(*folders[end:], os.path.basename(path))
        return self.project.known.script_kind(relative)

    def is_part(self, path: str) -> bool:
        """Whether a file is a part of the running application: neither a test nor a command."""
        return not (self.project.config.is_test(path) or self.script_kind(path))

    def importing(self, module: Module, *words: bytes) -> Iterator[Module]:
        """The other modules of the application that import one and hold one of the words.

        None in a project that is too large to be looked through.
        """
        if len(self.files) > MOST_FILES:
            return
        for other, _ in self.modules_with(*words):
            if other is not module and module.name in other.imported and self.is_part(other.path):
                yield other

    def removes(self, registry: Resource, worker: Entry) -> bool:
        """Whether the application gives the registry's connection back after each run of such a worker."""
        return registry.flavour == "flask" and worker.cleans_flask_sqlalchemy

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

    @cached_property
    def stays_in_context(self) -> bool:
        """Whether a module enters an app context for good as it is imported, and no base class of tasks enters one."""
        found = [m for m, _ in self.modules_with(b"app_context()") if not self.project.config.is_test(m.path)]
        wraps = any(body.name.endswith("__call__") for module in found for body in module.bodies.values())
        return not wraps and any(map(pushes_context, (s for module in found for s in module.top.own(ast.Expr))))

    @cached_property
    def extending(self) -> dict[bytes, list[str]]:
        """The files of the project that extend a class, by the last part of its name."""
        found: dict[bytes, list[str]] = {}
        for path in self.files if len(self.files) <= MOST_FILES else ():
            for base in set(bases_in(self.project.modules.texts.at(path))):
                found.setdefault(base, []).append(path)
        return found

    @cached_property
    def defining(self) -> dict[bytes, list[str]]:
        """The files of the project outside of tests that define a function or method, by its name."""
        found: dict[bytes, list[str]] = {}
        for path in self.files if len(self.files) <= MOST_FILES else ():
            if not self.project.config.is_test(path):
                for name in set(functions_in(self.project.modules.texts.at(path))):
                    found.setdefault(name, []).append(path)
        return found

    def modules_with(self, *texts: bytes) -> Iterator[tuple[Module, bytes]]:
        """The modules of the project whose files hold one of the texts, each with its bytes; broken ones left out."""
        for path, data in self.files_with(*texts):
            module = self.project.modules.at(path)
            if module is not None:
                yield module, data

    def files_with(self, *words: bytes) -> Iterator[tuple[str, bytes]]:
        """The files of the project that hold one of the words, each with its bytes."""
        return self.project.modules.texts.holding(words, self.files[:MOST_FILES])


def pushes_context(statement: ast.Expr) -> bool:
    """``app.app_context().push()``."""
    match statement.value:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Attribute(attr="app_context")), attr="push")):
            return True
    return False


def bases_in(data: bytes) -> Iterator[bytes]:
    """The last part of each name between the brackets of ``class X(…):``, for the classes at the margin of a file."""
    start = data.find(b"class ") if data.startswith(b"class ") else data.find(b"\nclass ")
    while start >= 0:
        head = data[start : data.find(b":", start)]
        for base in head.partition(b"(")[2].rstrip(b") \t").split(b","):
            yield base.partition(b"[")[0].strip().rpartition(b".")[2]
        start = data.find(b"\nclass ", start + 1)


def functions_in(data: bytes) -> Iterator[bytes]:
    """What stands between ``def`` and the next bracket, everywhere in a file."""
    for part in data.split(b"def ")[1:]:
        yield part[: part.find(b"(")].strip()
