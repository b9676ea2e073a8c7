"""Whole-application facts: who removes the session when a unit of work ends."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ..files.declared import PROJECT_FILES, Declared, declared_in, project_of
from ..files.folders import in_package
from ..files.imports import starts_in, words_in
from ..files.installed import holds_packages
from ..files.questions import Question, bases_in, functions_in
from ..files.scripts import scripts_above
from ..known import Entry
from ..session.values import Resource

if TYPE_CHECKING:
    from .modules.module import Module
    from .project import Project

MOST_FILES = 4000
"""A project with more files is not looked through: it counts as one that does what it should."""
_FOREIGN = frozenset({"node_modules", "site-packages", "venv", "env", "build", "dist", "__pycache__"})


class Application:
    """What is true of the project as a whole."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._declared: dict[str, Declared] = {}
        self._installed: dict[str, frozenset[str]] = {}

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

    def installed_for(self, path: str) -> frozenset[str]:
        """The dotted names of the functions that the project around the file at ``path`` installs as commands."""
        folder = os.path.dirname(path)
        if folder not in self._installed:
            self._installed[folder] = scripts_above(path, self.project.root)
        return self._installed[folder]

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
        for other in self.modules_with(*words):
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
            if folder != self.project.root and holds_packages(folder, inner):
                inner.clear()
                continue
            inner[:] = sorted(name for name in inner if name not in _FOREIGN and not name.startswith("."))
            found.extend(os.path.join(folder, name) for name in sorted(names) if name.endswith(".py"))
            if len(found) > MOST_FILES:
                break
        return found

    @cached_property
    def packages_beside(self) -> dict[str, str]:
        """The packages of the projects that the repository has inside, each with the folder that its imports start
        from; none of those that two of them have."""
        found: dict[str, set[str]] = {}
        for path in self.files if len(self.files) <= MOST_FILES else ():
            package, base = os.path.split(path)
            start, name = os.path.split(package)
            if base == "__init__.py" and start.startswith(self.project.root + os.sep) and is_start(start):
                found.setdefault(name, set()).add(start)
        return {name: starts.pop() for name, starts in found.items() if len(starts) == 1}

    def extending(self, name: bytes) -> Sequence[str]:
        """The files of the project that extend a class, by the last part of its name."""
        return self._answering(Question("extends", (name,)), self._extending)

    def defining(self, name: bytes) -> Sequence[str]:
        """The files of the project that define a function or method, by its name."""
        return self._answering(Question("defines", (name,)), self._defining)

    def naming(self, name: bytes) -> Sequence[str]:
        """The files of the project that have a name somewhere in what they import."""
        return self._answering(Question("imports", (name,)), self._naming)

    def starting_with(self, top: bytes) -> Mapping[str, Sequence[str]]:
        """The files of the project that import a top package or module by its full name, or something of it, by the
        first two parts of what they import."""
        imported = self._starting_with.get(top, {})
        for name, files in {top.decode(): [], **imported}.items():
            self.project.sources.meet_question(Question("starts with", (name.encode(),)), files)
        return imported

    def _answering(self, question: Question, index: Mapping[bytes, list[str]]) -> Sequence[str]:
        found = index.get(question.words[0], ())
        self.project.sources.meet_question(question, found)
        return found

    @cached_property
    def _extending(self) -> dict[bytes, list[str]]:
        return self._indexed(bases_in)

    @cached_property
    def _defining(self) -> dict[bytes, list[str]]:
        return self._indexed(functions_in)

    @cached_property
    def _naming(self) -> dict[bytes, list[str]]:
        return self._indexed(words_in)

    @cached_property
    def _starting_with(self) -> dict[bytes, dict[str, list[str]]]:
        found: dict[bytes, dict[str, list[str]]] = {}
        for name, paths in self._indexed(starts_in).items():
            found.setdefault(name.partition(b".")[0], {})[name.decode("utf-8", "replace")] = paths
        return found

    def _indexed(self, names_in: Callable[[bytes], Iterator[bytes]]) -> dict[bytes, list[str]]:
        """The files by the names that stand in them; none of a project that is too large to be looked through."""
        found: dict[bytes, list[str]] = {}
        for path in self.files if len(self.files) <= MOST_FILES else ():
            for name in set(names_in(self.project.modules.texts.at(path))):
                found.setdefault(name, []).append(path)
        return found

    def modules_with(self, *words: bytes) -> Iterator[Module]:
        """The modules of the project whose files hold one of the words; broken ones left out."""
        return filter(None, map(self.project.modules.at, self.files_with(*words)))

    def files_with(self, *words: bytes, beside: tuple[bytes, ...] = ()) -> Iterator[str]:
        """The files of the project that hold one of the words, and all of those ``beside``."""
        texts, question = self.project.modules.texts, Question("holds", words, beside)
        return texts.answering(question, self.files[:MOST_FILES], self.project.sources)

    def narrowed(self, words: tuple[bytes, ...], *beside: bytes) -> list[str]:
        """The same, where much is asked of the files that hold one of the same words."""
        files = self.project.modules.texts
        found = [path for path in self.files_with(*words) if all(word in files.at(path) for word in beside)]
        self.project.sources.meet_question(Question("holds", words, beside), found)
        return found


def stays_in_context(project: Project) -> bool:
    """Whether a module enters an app context for good as it is imported, and no base class of tasks enters one, which
    the Celery of another library may bring along."""
    found = [m for m in project.app.modules_with(b"app_context()") if not project.config.is_test(m.path)]
    wraps = any(body.name.endswith("__call__") for module in found for body in module.bodies.values())
    pushes = not wraps and any(map(pushes_context, (s for module in found for s in module.top.own(ast.Expr))))
    return pushes and not any(brings_its_celery(project, m) for m in project.app.modules_with(b"Celery"))


def brings_its_celery(project: Project, module: Module) -> bool:
    """``from toolbox.celery import ShopCelery``: a Celery of neither the project nor Celery itself."""
    imported = [binding.imported for binding in module.names.bindings.values() if binding.imported.endswith("Celery")]
    foreign = (name for name in imported if not name.startswith("celery."))
    return any(not project.modules.is_first_party(name) for name in foreign)


def feeds_its_bots(project: Project) -> bool:
    """Whether the application gives its bots what a request of it brings, and their handlers run inside of that."""
    known, app = project.known.conventions, project.app
    feeds = all(any(app.files_with(word)) for word in known.feeding_bots)
    return feeds and not any(app.files_with(*known.not_feeding_bots))


def is_start(folder: str) -> bool:
    """Whether the packages of a project stand in a folder: beside its ``pyproject.toml`` or ``setup.py``, or in the
    ``src`` folder beside that."""
    project = os.path.dirname(folder) if os.path.basename(folder) == "src" else folder
    return any(os.path.isfile(os.path.join(project, name)) for name in PROJECT_FILES)


def pushes_context(statement: ast.Expr) -> bool:
    """``app.app_context().push()``."""
    match statement.value:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Attribute(attr="app_context")), attr="push")):
            return True
    return False
