"""Whether the jobs of an application ask its database: what they import shows it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..project.module import Module
from ..project.teardown import MOST_MODULES, reached_from
from ..view import View
from .judge import FilePool
from .scopes import last_part

_DECORATORS = frozenset({"task", "shared_task", "periodic_task", "actor", "job"})
"""The last parts of the names of what makes a function a job."""
_WORDS = tuple(word.encode() for word in sorted(_DECORATORS))


def may_ask(view: View, pool: FilePool, is_flask: bool) -> bool:
    """Whether jobs may use the engine of the file; no where the files that define them import, directly or not, neither
    it nor Flask-SQLAlchemy's extension, which an application gets elsewhere."""
    files = {pool.path, *(path for path, _ in pool.survey.extension_files() if is_flask)}
    jobs = list(modules_with_jobs(view, pool))
    reached = list(reached_from(view.project, *jobs))
    is_seen_whole = bool(jobs) and len(reached) <= MOST_MODULES
    return not is_seen_whole or any(module.file in files for module in reached)


def modules_with_jobs(view: View, pool: FilePool) -> Iterator[Module]:
    """The modules of the project that define jobs by decorators."""
    for path in pool.survey.holding(*_WORDS):
        module = view.project.modules.at(path)
        decorators = (d for body in module.bodies.values() for d in body.decorators) if module is not None else ()
        if module is not None and any(is_job(decorator) for decorator in decorators):
            yield module


def is_job(decorator: ast.expr) -> bool:
    """``@app.task``, ``@shared_task(bind=True)``."""
    return last_part(decorator.func if isinstance(decorator, ast.Call) else decorator) in _DECORATORS
