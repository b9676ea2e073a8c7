"""From options to a report: find the files, check them, and put together what every format needs."""

from __future__ import annotations

import gc
import io
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from .. import __version__
from ..config import Config
from ..model import Diagnostic, Rule
from ..render import Edit, Problem, Report
from ..run import STDIN, Outcome, check_files, check_text
from ..source import encoding_of
from .options import paths_of
from .progress import progress


class Gathered(NamedTuple):
    """A report, and what else the run found out."""

    report: Report
    outcomes: list[Outcome]
    notebooks: int = 0


def gather(options: Namespace, config: Config, only: Sequence[str] | None = None) -> Gathered:
    """Check what the options name; ``only`` gives the files instead."""
    _collect_seldom()
    if options.paths == [STDIN]:
        return _gather_input(options, config)
    if only is None:
        files, problems, notebooks = find(options, config)
    else:
        files, problems, notebooks = list(only), [], 0
    with progress(len(files), options.quiet) as told:
        outcomes = _checked(files, options, config, told)
    return Gathered(report_of(outcomes, problems, config, Texts()), outcomes, notebooks)


def _collect_seldom() -> None:
    """A short run makes next to no circles of objects; looking for them costs a tenth of it (measured)."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)


def _checked(files: Sequence[str], options: Namespace, config: Config, told: Callable[[int], None]) -> list[Outcome]:
    if options.executor == "dask":
        from ..parallel.executor import check_files as check_on_cluster

        return check_on_cluster(files, config, options.scheduler, options.debug, told)
    from ..cache import check_files as check_unknown

    named = frozenset(files).intersection(os.path.normpath(path) for path in options.paths)

    def check(unknown: Sequence[str]) -> list[Outcome]:
        return check_files(unknown, config, options.jobs, options.debug, told, named)

    return check_unknown(files, config, named, check)


def find(options: Namespace, config: Config) -> tuple[list[str], list[Problem], int]:
    """The files that the options name, what is wrong with the naming, and how many notebooks were left out."""
    from ..files.discover import discover

    return discover(options.paths, config, options.force_exclude)


def _gather_input(options: Namespace, config: Config) -> Gathered:
    path = paths_of(options)[0]
    data = sys.stdin.buffer.read()
    if options.force_exclude and config.excludes(path):
        return Gathered(report_of([], [], config, Texts()), [])
    outcome = check_text(path, data, config, options.debug)
    return Gathered(report_of([outcome], [], config, Texts({os.path.abspath(path): data})), [outcome])


def report_of(outcomes: Sequence[Outcome], problems: Sequence[Problem], config: Config, texts: Texts) -> Report:
    """The report of some outcomes; paths in it are as the user gave them."""
    found = sorted((d for outcome in outcomes for d in outcome.diagnostics), key=_place)
    errors = sorted([*problems, *(outcome.problem for outcome in outcomes if outcome.problem is not None)])
    return Report(
        diagnostics=tuple(found),
        errors=tuple(errors),
        checked=sum(outcome.problem is None for outcome in outcomes),
        lines=texts.lines,
        edits=texts.edits,
        root=os.path.abspath(config.root),
        version=__version__,
        rules=Selected(config),
    )


class Selected:
    """The rules that a configuration selects; the analysis is imported when somebody goes through them."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def __iter__(self) -> Iterator[Rule]:
        from ..rules import ALL

        return (rule for rule in ALL if self.config.selects(rule.code, ""))


def rooted(report: Report) -> Report:
    """The same report with absolute paths where the run did not start in the root, so that nothing depends on it."""
    if os.getcwd() == report.root:
        return report
    return report._replace(
        diagnostics=tuple(d._replace(path=os.path.abspath(d.path)) for d in report.diagnostics),
        errors=tuple(p._replace(path=os.path.abspath(p.path)) for p in report.errors),
    )


class Texts:
    """The content of files, read when it is asked for."""

    def __init__(self, given: dict[str, bytes] | None = None) -> None:
        self.given = given or {}
        """By absolute path, what is not to be read from there."""

    @lru_cache(maxsize=64)  # noqa: B019 - lives as long as the run
    def lines(self, path: str) -> list[str]:
        """The lines of a file, without newlines; none when it cannot be read."""
        try:
            data = self.data(path)
            text = data.decode(encoding_of(data))
        except (OSError, SyntaxError, UnicodeDecodeError, LookupError):
            return []
        return [line.rstrip("\n") for line in io.StringIO(text, newline=None)]

    def data(self, path: str) -> bytes:
        """The bytes of a file; raises ``OSError``."""
        absolute = os.path.abspath(path)
        if absolute in self.given:
            return self.given[absolute]
        with open(path, "rb") as file:
            return file.read()

    def edits(self, diagnostic: Diagnostic) -> tuple[Edit, ...]:
        """What the fix of a report would change."""
        if diagnostic.plan is None:
            return ()
        from ..fix.carry_out import carry_out
        from ..fix.edits import edits

        data = self.data(diagnostic.path)
        done = carry_out(data, diagnostic.path, [diagnostic.plan])
        encoding = encoding_of(data)
        return tuple(Edit(*edit) for edit in edits(data.decode(encoding), done.data.decode(encoding)))


def _place(diagnostic: Diagnostic) -> tuple[object, ...]:
    return diagnostic.path, diagnostic.span, diagnostic.code, diagnostic.message
