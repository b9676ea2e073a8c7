"""The folders that imports start from: where a dotted name is looked for, and which one those of a file start from.

A project inside a repository (``server/app/api/routes/users.py`` with ``from app.database import …``) need not have an
``__init__.py`` in every folder, so the packages around a file do not tell where its dotted name begins.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator, Sequence


class Roots:
    """Folders that imports start from, in the order in which they are looked into.

    A repository of examples may have hundreds, so a name is looked for only where something is called like its first
    part.
    """

    def __init__(self) -> None:
        self._folders: list[str] = []
        self._inside: dict[str, frozenset[str]] = {}
        self._holding: dict[str, list[str]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._folders)

    def __len__(self) -> int:
        return len(self._folders)

    def add(self, folder: str) -> None:
        """Look into a folder last, if it is there and not known yet."""
        if folder not in self._folders and os.path.isdir(folder):
            self._folders.append(folder)
            for top in self._tops(folder):
                self._holding.setdefault(top, []).append(folder)

    def put_first(self, folder: str) -> None:
        """Look into a folder, which is there, before all others."""
        tops = self._tops(folder)
        if folder in self._folders:
            self._folders.remove(folder)
            for top in tops:
                self._holding[top].remove(folder)
        self._folders.insert(0, folder)
        for top in tops:
            self._holding.setdefault(top, []).insert(0, folder)

    def shared(self, folder: str) -> frozenset[str]:
        """The names inside a folder that other folders hold too."""
        return frozenset(top for top in self._tops(folder) if any(f != folder for f in self._holding.get(top, ())))

    def holding(self, name: str) -> Sequence[str]:
        """The folders in which a dotted name may begin."""
        return self._holding.get(name.partition(".")[0], ())

    def _tops(self, folder: str) -> frozenset[str]:
        """The packages and modules that can be imported by their bare name where imports start from ``folder``."""
        if folder not in self._inside:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(".py") or entry.is_dir()]
            self._inside[folder] = frozenset(name.removesuffix(".py") for name in names if not name.startswith("."))
        return self._inside[folder]


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
