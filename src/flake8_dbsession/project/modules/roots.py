"""The folders that imports start from: where a dotted name is looked for, and which one those of a file start from.

A project inside a repository (``server/app/api/routes/users.py`` with ``from app.database import …``) need not have an
``__init__.py`` in every folder, so the packages around a file do not tell where its dotted name begins.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterable, Iterator, Sequence


class Roots:
    """Folders that imports start from, in the order in which they are looked into.

    First come the ``own`` ones of the file that is analysed, then those of the project. What other files start from is
    no concern of it: what is said of a file must not depend on which were analysed before.
    """

    def __init__(self) -> None:
        self.own: tuple[str, ...] = ()
        self.of_project: list[str] = []
        self._inside: dict[str, frozenset[str]] = {}
        self._holding: dict[str, list[str]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self.own, *self.of_project)))

    def add(self, folder: str) -> None:
        """Look into a folder of the project last, if it is there and not known yet."""
        if folder not in self.of_project and os.path.isdir(folder):
            self.of_project.append(folder)
            self._holding.clear()

    def begin(self, *own: str) -> frozenset[str]:
        """Look into the ``own`` folders of a file, which are there, before those of the project.

        Returns the first parts of the dotted names that are looked for elsewhere from here on.
        """
        before, self.own = self.own, tuple(dict.fromkeys(own))
        if before == self.own:
            return frozenset()
        self._holding.clear()
        tops = {top for folder in (*before, *self.own) for top in self.tops(folder)}
        then = (*before, *self.of_project)
        return frozenset(top for top in tops if self.holding(top) != self._among(then, top))

    def holding(self, name: str) -> Sequence[str]:
        """The folders in which a dotted name may begin."""
        top = name.partition(".")[0]
        if top not in self._holding:
            self._holding[top] = self._among(self, top)
        return self._holding[top]

    def _among(self, folders: Iterable[str], top: str) -> list[str]:
        return [folder for folder in dict.fromkeys(folders) if top in self.tops(folder)]

    def tops(self, folder: str) -> frozenset[str]:
        """The packages and modules that can be imported by their bare name where imports start from ``folder``."""
        if folder not in self._inside:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(".py") or entry.is_dir()]
            self._inside[folder] = frozenset(name.removesuffix(".py") for name in names if not name.startswith("."))
        return self._inside[folder]


def folders_between(above: str, folder: str) -> list[str]:
    """The names of the folders that lead from ``above`` to a folder below it; none where it is not below."""
    return folder[len(above) + 1 :].split(os.sep) if folder.startswith(above + os.sep) else []


def root_of(
    path: str, above: str, tree: ast.Module, isfile: Callable[[str], bool], projects: tuple[str, ...] = ()
) -> str | None:
    """The outermost folder, ``above`` or below it, from which ``path`` imports a module of the package it stands in.

    Where it imports none of these by its full name, the outermost that holds a package it imports beside its own.
    A folder with one of the files called ``projects`` is a project of its own.
    """
    inner = os.path.relpath(os.path.dirname(path), above).split(os.sep)
    names = list(imported(tree)) if inner[0] != os.pardir else []
    own = [name for name in names if name.partition(".")[0] in inner]
    for depth, package in enumerate(inner if own else ()):
        folder = os.path.join(above, *inner[:depth])
        if any(name.startswith(f"{package}.") and is_module(folder, name, isfile) for name in own):
            return os.path.normpath(folder)
    others = [name for name in names if "." in name and not is_module(above, name, isfile)]
    for depth in range(1, len(inner) + 1 if others else 1):
        folder = os.path.join(above, *inner[:depth])
        is_start = not isfile(os.path.join(folder, "__init__.py"))
        is_start = is_start or any(isfile(os.path.join(folder, name)) for name in projects)
        if is_start and any(is_module(folder, name, isfile) for name in others):
            return os.path.normpath(folder)
    return None


def imported(tree: ast.Module) -> Iterator[str]:
    """The dotted names that the file's first statements take modules by, absolute ones only."""
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.level == 0 and statement.module:
            yield statement.module
        elif isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)


def is_module(folder: str, name: str, isfile: Callable[[str], bool]) -> bool:
    path = os.path.join(folder, *name.split("."))
    return isfile(f"{path}.py") or isfile(os.path.join(path, "__init__.py"))
