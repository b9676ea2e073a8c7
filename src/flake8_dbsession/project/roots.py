"""The folder that the imports of a file start from, told by how the file itself imports.

A project inside a repository (``server/app/api/routes/users.py`` with ``from app.database import …``) need not have an
``__init__.py`` in every folder, so the packages around a file do not tell where its dotted name begins.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator


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
