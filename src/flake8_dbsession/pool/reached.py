"""What is loaded with some files of a project: they, and what they import, directly or not."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..names import imports_of
from ..project.app import MOST_FILES

if TYPE_CHECKING:
    from .survey import Survey


@functools.lru_cache(maxsize=32)
def reached(survey: Survey, begins: tuple[str, ...]) -> frozenset[str]:
    """The files ``begins``, and what they import, directly or not; none where nobody looks."""
    if len(survey.python) > MOST_FILES:
        return frozenset()
    named = files_by_name(survey)
    waiting = list(begins)
    seen = set(waiting)
    for path in waiting:
        for name in imported(survey, path):
            new = [found for found in named.get(name, ()) if found not in seen]
            seen.update(new)
            waiting.extend(new)
    return frozenset(seen)


@functools.lru_cache(maxsize=8)
def files_by_name(survey: Survey) -> dict[str, list[str]]:
    """The files of the project by all dotted names that an import may give them."""
    named: dict[str, list[str]] = {}
    for path in survey.python:
        for name in possible_names(survey.file_names.of(path).name):
            named.setdefault(name, []).append(path)
    return named


def possible_names(name: str) -> Iterator[str]:
    """A dotted name, and what is left of it where imports start from a folder further inside."""
    while name:
        yield name
        name = name.partition(".")[2]


def imported(survey: Survey, path: str) -> Iterator[str]:
    """The dotted names that any statement of the file imports, and the packages that they stand in."""
    tree = survey.tree(path)
    module, _, is_package = survey.file_names.of(path)
    for statement in ast.walk(tree) if tree is not None else ():
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            names = [name for _, name in imports_of(statement, module, is_package)]
            names += [alias.name for alias in statement.names] if isinstance(statement, ast.Import) else []
            for name in names:
                parts = name.split(".")
                yield from (".".join(parts[:end]) for end in range(len(parts), 0, -1))
