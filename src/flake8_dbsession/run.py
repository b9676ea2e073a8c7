"""From files to outcomes: read, analyse, select, suppress, in one process or in several."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple

from .config import Config
from .files.sources import RestsOn
from .model import Diagnostic
from .parallel.workers import available, in_order
from .relevance import may_matter
from .render import Problem
from .source import Source, Unreadable
from .suppress import Unused, suppress

if TYPE_CHECKING:
    from .project.project import Project

STDIN = "-"
_FILES_WORTH_A_WORKER = 20
"""Starting a worker costs as much as checking about this many files."""


class Outcome(NamedTuple):
    """What came of one file: the reports that are wanted and not silenced, or what kept it from being checked."""

    path: str
    diagnostics: tuple[Diagnostic, ...] = ()
    problem: Problem | None = None
    silenced: int = 0
    unused: tuple[Unused, ...] = ()
    """Codes in ``# noqa`` comments that silence nothing."""
    rests_on: RestsOn = RestsOn()
    """What was read of other files, and asked of all; on its own content it rests anyway."""


def check_files(
    paths: Sequence[str],
    config: Config,
    jobs: int = 0,
    debug: bool = False,
    progress: Callable[[int], None] = lambda done: None,
    named: frozenset[str] = frozenset(),
) -> list[Outcome]:
    """The outcome of every file, in the order of ``paths``, whatever the number of ``jobs`` (0: as fits).

    A file of ``named``, those that the user names one by one, is parsed even when it cannot touch a session, so that
    its errors are heard of.
    """
    jobs = jobs or min(available(), 1 + len(paths) // _FILES_WORTH_A_WORKER)
    _prepare(config, jobs)
    with few_collections():
        return in_order(partial(check_file, config=config, debug=debug, named=named), paths, jobs, _lost, progress)


def _prepare(config: Config, jobs: int) -> None:
    """Have what workers inherit: the project, and where there are several, the analysis, so that none imports it."""
    project(config)
    if jobs > 1:
        from . import analyze as analyze


@contextmanager
def few_collections() -> Iterator[None]:
    """Syntax trees are many objects that stay; going through them again and again costs a fourth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def check_file(path: str, config: Config, debug: bool = False, named: frozenset[str] = frozenset()) -> Outcome:
    """The outcome of the file at ``path``; raises nothing."""
    return _guarded(path, lambda: _parsed(Source.read(path)) if path in named else Source.read(path), config, debug)


def check_text(path: str, data: bytes, config: Config, debug: bool = False) -> Outcome:
    """The outcome of ``data`` as the content of the file at ``path``; raises nothing."""
    return _guarded(path, lambda: _parsed(Source(path, data)), config, debug)


def _parsed(source: Source) -> Source:
    """The source, after its text has been found to be Python; raises ``Unreadable``."""
    assert source.tree is not None
    return source


def wanted(source: Source, config: Config) -> Outcome:
    """The outcome of a source that could be read."""
    all_found = found(source, config)
    selected = [d for d in all_found.diagnostics if config.selects(d.code, d.path)]
    kept, silenced, unused = suppress(source, selected)
    useless = tuple(one for one in unused if config.selects(one.code, source.path))
    return all_found._replace(diagnostics=tuple(kept), silenced=silenced, unused=useless)


def found(source: Source, config: Config) -> Outcome:
    """All that there is to report of a source, whether it is wanted or not."""
    if not may_matter(source.data):
        return Outcome(source.path)
    from .analyze import analyze

    whole = project(config)
    whole.sources.met = 0
    diagnostics = analyze(source, whole)
    return Outcome(source.path, tuple(diagnostics), rests_on=whole.sources.told(whole.sources.met, whole.root))


@lru_cache(maxsize=4)
def project(config: Config) -> Project:
    """The project of a configuration, one for this process."""
    from .project.project import Project

    return Project(config, config.root)


def _guarded(path: str, read: Callable[[], Source], config: Config, debug: bool) -> Outcome:
    try:
        return wanted(read(), config)
    except Unreadable as error:
        return Outcome(path, problem=Problem(path, error.line, error.column, error.message))
    except Exception as error:  # a fault of ours costs one file, not the run
        return Outcome(path, problem=described(path, error, debug))


def described(path: str, error: Exception, debug: bool = False) -> Problem:
    """A fault of ours over the file at ``path`` as one line; its traceback too where ``debug``."""
    if debug:
        sys.excepthook(type(error), error, error.__traceback__)
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" in {os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else ""
    words = " ".join(f"{type(error).__name__}{where}: {error}".split())
    return Problem(path, 0, 0, f"internal error, please report it: {words}")


def lost(path: str) -> Problem:
    """What to say when the process that worked on the file died."""
    return Problem(path, 0, 0, "internal error, please report it: the process that worked on this file died")


def _lost(path: str) -> Outcome:
    return Outcome(path, problem=lost(path))
