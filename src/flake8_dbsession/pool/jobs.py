"""Whether the jobs of an application ask its database: what the files that define them import shows it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

from ..names import bare, imports_of, last_part
from ..project.app import MOST_FILES
from .judge import FilePool
from .scopes import Function
from .survey import Survey

_DECORATORS = frozenset({"task", "shared_task", "periodic_task", "actor", "job"})
"""The last parts of the names of what makes a function a job."""
_WORDS = tuple(word.encode() for word in sorted(_DECORATORS))


def may_ask(pool: FilePool, package: str, is_flask: bool) -> bool:
    """Whether jobs may use the engine of the file; no where no file speaks of the package that runs them, or the files
    that define them import, directly or not, neither it nor Flask-SQLAlchemy's extension, which an application gets
    elsewhere."""
    if not any(pool.survey.holding(package.replace("-", "_").encode())):
        return False
    reached = reached_by_jobs(pool.survey)
    files = {pool.path, *(path for path, _ in pool.survey.extension_files() if is_flask)}
    return not reached or not reached.isdisjoint(files)


@functools.lru_cache(maxsize=8)
def reached_by_jobs(survey: Survey) -> frozenset[str]:
    """The files that define jobs by decorators, and what they import, directly or not; none where nobody looks."""
    if len(survey.python) > MOST_FILES:
        return frozenset()
    named: dict[str, list[str]] = {}
    for path in survey.python:
        for name in possible_names(survey.file_names.of(path).name):
            named.setdefault(name, []).append(path)
    waiting = [path for path in survey.holding(*_WORDS) if defines_jobs(survey, path)]
    seen = set(waiting)
    for path in waiting:
        for name in imported(survey, path):
            new = [found for found in named.get(name, ()) if found not in seen]
            seen.update(new)
            waiting.extend(new)
    return frozenset(seen)


def possible_names(name: str) -> Iterator[str]:
    """A dotted name, and what is left of it where imports start from a folder further inside."""
    while name:
        yield name
        name = name.partition(".")[2]


def defines_jobs(survey: Survey, path: str) -> bool:
    """Whether a function of the file is decorated as a job: ``@app.task``, ``@shared_task(bind=True)``."""
    tree = survey.tree(path)
    functions = (node for node in ast.walk(tree) if isinstance(node, Function)) if tree is not None else ()
    decorators = (each for function in functions for each in function.decorator_list)
    return any(last_part(bare(d)) in _DECORATORS for d in decorators)


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
