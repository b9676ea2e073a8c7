"""Whether the jobs of an application ask its database: what the files that define them import shows it."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING

from ..names import bare, last_part
from .reached import reached
from .scopes import Function

if TYPE_CHECKING:
    from .judge import FilePool
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
    loaded = reached_by_jobs(pool.survey)
    files = {pool.path, *(path for path, _ in pool.survey.extension_files() if is_flask)}
    return not loaded or not loaded.isdisjoint(files)


@functools.lru_cache(maxsize=8)
def reached_by_jobs(survey: Survey) -> frozenset[str]:
    """The files that define jobs by decorators, and what they import, directly or not; none where nobody looks."""
    return reached(survey, tuple(path for path in survey.holding(*_WORDS) if defines_jobs(survey, path)))


def defines_jobs(survey: Survey, path: str) -> bool:
    """Whether a function of the file is decorated as a job: ``@app.task``, ``@shared_task(bind=True)``."""
    tree = survey.tree(path)
    functions = (node for node in ast.walk(tree) if isinstance(node, Function)) if tree is not None else ()
    decorators = (each for function in functions for each in function.decorator_list)
    return any(last_part(bare(d)) in _DECORATORS for d in decorators)
