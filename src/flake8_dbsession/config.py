"""The configuration of a run, as the engine and the doors see it: frozen, complete, already checked.

:mod:`flake8_dbsession.settings.reading` makes one from files and options.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from fnmatch import translate
from functools import lru_cache
from typing import NamedTuple

from .files.patterns import patterns

OPINIONS = "ORM9"
"""The family that is off unless it is selected."""
LIFECYCLE = ("ORM1", "ORM2", "ORM3")
"""The families that keep silent in test code, where what is held ends with the test."""


class Pool(NamedTuple):
    """What the user says about the database server and the processes that share it; 0 and "" mean unsaid."""

    server: str = ""
    max_connections: int = 0
    reserved: int = 0
    wait_timeout: int = 0
    processes: int = 0
    workers: tuple[tuple[str, int], ...] = ()
    """Kind of process, how many of it run."""


class Config(NamedTuple):
    """All settings. Lists of callables hold dotted names with ``*``, some followed by ``-> advice``."""

    root: str = "."
    """The folder that relative paths and patterns start from."""
    select: tuple[str, ...] = ()
    """Nothing: every rule but the opinions."""
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    extend_ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = (
        ".bzr/",
        ".direnv/",
        ".eggs/",
        ".git/",
        ".hg/",
        ".mypy_cache/",
        ".nox/",
        ".pytest_cache/",
        ".ruff_cache/",
        ".svn/",
        ".tox/",
        ".venv/",
        "__pycache__/",
        "__pypackages__/",
        "build/",
        "dist/",
        "node_modules/",
        "site-packages/",
        "venv/",
    )
    extend_exclude: tuple[str, ...] = ()
    respect_gitignore: bool = True
    src: tuple[str, ...] = (".", "src")
    test_paths: tuple[str, ...] = (
        *("tests/", "test/", "testing/", "unit_tests/", "functional_tests/", "integration_tests/"),
        *("test_*.py", "*_test.py", "conftest.py"),
    )
    session_factories: tuple[str, ...] = ()
    scoped_sessions: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    closers: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    context_managers: tuple[str, ...] = ()
    blocking_calls: tuple[str, ...] = ()
    entry_points: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    tables: str = ""
    """What the files of ``known`` say, as JSON."""
    pool: Pool = Pool()
    baseline: str = ""
    cache_dir: str = ".dbsession_cache"
    output_format: str = "full"
    unsafe_fixes: bool = False

    # -- which reports are wanted

    def selects(self, code: str, path: str, opinions: bool = False) -> bool:
        """Whether the user wants reports of ``code`` in the file at ``path``.

        Of all selected and ignored prefixes the longest decides, an ignored one where they are equally long.
        ``opinions`` says whether these need no selection of their own, because flake8 decides about them.
        """
        chosen = _longest(code, self.select + self.extend_select)
        if not self.select and (opinions or not code.startswith(OPINIONS)):
            chosen = max(chosen, 0)
        return chosen > _longest(code, self.ignore + self.extend_ignore) and self.permits(code, path)

    def permits(self, code: str, path: str) -> bool:
        """Whether nothing about the file at ``path`` silences ``code``: no per-file ignore, no life cycle in tests."""
        if code.startswith(LIFECYCLE) and self.is_test(path):
            return False
        ignored = (codes for pattern, codes in self.per_file_ignores if self._covers((pattern,), path))
        return not any(_longest(code, codes) >= 0 for codes in ignored)

    def is_test(self, path: str) -> bool:
        """Whether the file at ``path`` is test code."""
        return self._covers(self.test_paths, path)

    def excludes(self, path: str) -> bool:
        """Whether a walk through folders leaves out ``path`` (a folder ends in ``/``)."""
        return self._covers(self.exclude + self.extend_exclude, path)

    def _covers(self, lines: tuple[str, ...], path: str) -> bool:
        return _are_met(lines, path, self.root)

    # -- what names stand for

    def matches(self, setting: str, name: str) -> bool:
        """Whether the list called ``setting`` has an entry for the dotted ``name``."""
        return self.advice(setting, name) is not None

    def advice(self, setting: str, name: str) -> str | None:
        """What stands behind ``->`` in the first entry for the dotted ``name`` ("" for nothing); None without entry.

        An entry without a dot stands for the last part of a name: ``open_session`` is ``app.db.open_session``.
        """
        entries: tuple[str, ...] = getattr(self, setting)
        if not entries:
            return None
        return next((advice for pattern, advice in _compiled(entries) if pattern.fullmatch(name)), None)


@lru_cache(maxsize=100_000)
def _are_met(lines: tuple[str, ...], path: str, root: str) -> bool:
    """Whether one of the patterns covers a path: asked of each file of a project again and again."""
    return patterns(lines).matches(inside(path, root))


def inside(path: str, root: str) -> str:
    """``path`` as seen from ``root``, with ``/``; only its last part when it is somewhere else."""
    is_folder = path.endswith(("/", os.sep))
    try:
        relative = os.path.relpath(path, root).replace(os.sep, "/")
    except ValueError:  # another drive
        relative = ".."
    if relative.startswith("../") or relative == "..":
        relative = os.path.basename(path.rstrip("/" + os.sep))
    return f"{relative}/" if is_folder else relative


def _longest(code: str, prefixes: Sequence[str]) -> int:
    """The length of the longest prefix of ``code`` among ``prefixes``: 0 for ``ALL``, -1 for none."""
    fitting = ("" if prefix == "ALL" else prefix for prefix in prefixes if prefix == "ALL" or code.startswith(prefix))
    return max(map(len, fitting), default=-1)


@lru_cache(maxsize=64)
def _compiled(entries: tuple[str, ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(_entry(entry) for entry in entries)


def _entry(entry: str) -> tuple[re.Pattern[str], str]:
    name, _, advice = (part.strip() for part in entry.partition("->"))
    pattern = translate(name) if "." in name else rf"(?:.*\.)?{translate(name)}"
    return re.compile(pattern), advice
