"""``dbsession baseline``: put up with the findings of today, and with fewer of them tomorrow."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from ..baseline import FILE, Entries, Unusable, Verdict, covered_by, dump, entries_of, judge, load
from ..model import Diagnostic
from ..render import Report, renderer
from ..settings.reading import ConfigError
from . import CLEAN, ERROR, FINDINGS
from .gather import gather, rooted
from .options import add_executor, add_files, add_running, add_selection, configured


def main(argv: Sequence[str]) -> int:
    """Create, check or prune a baseline; 1 where it would have to grow or holds stale entries."""
    options = parser().parse_args(argv)
    try:
        config = configured(options)
        path = options.baseline or os.path.join(config.root, config.baseline or FILE)
        report = rooted(gather(options, config).report)
        code = {"create": _create, "check": _check, "prune": _prune}[options.action](options, path, report)
    except (ConfigError, Unusable) as error:
        print(f"dbsession baseline: {error}", file=sys.stderr)
        return ERROR
    for problem in report.errors:
        print(problem, file=sys.stderr)
    return ERROR if report.errors else code


def parser() -> ArgumentParser:
    """The options of the subcommand."""
    made = ArgumentParser(prog="dbsession baseline", description=__doc__)
    made.add_argument(
        "action",
        choices=("create", "check", "prune"),
        help="write the findings down; tell new ones and stale entries; remove stale entries",
    )
    made.add_argument("--baseline", default="", metavar="FILE", help=f"the file (default: as configured, or {FILE})")
    made.add_argument("--force", action="store_true", help="let create add findings to a baseline that is there")
    add_files(made)
    add_selection(made)
    add_running(made)
    add_executor(made)
    return made


def _create(options: Namespace, path: str, report: Report) -> int:
    if not os.path.exists(path):
        return _write(path, entries_of(report))
    verdict = _verdict(options, path, report)
    if verdict.new and not options.force:
        _show(verdict.new, report)
        told = f"{path} would grow by {_count(len(verdict.new), 'finding')}: mend them, or add them with --force"
        print(f"dbsession baseline: {told}", file=sys.stderr)
        return FINDINGS
    return _write(path, verdict.kept + entries_of(report._replace(diagnostics=verdict.new)))


def _check(options: Namespace, path: str, report: Report) -> int:
    verdict = _verdict(options, path, report)
    _show(verdict.new, report)
    for one, count in sorted(verdict.stale.items()):
        place = f"{one.path}: {one.code}" + (f" in {one.function}" if one.function else "")
        print(f"{place}: stale{f' ({count} times)' if count > 1 else ''}: {one.text}")
    stale = sum(verdict.stale.values())
    counts = f"{len(verdict.new)} new, {len(verdict.known)} known, {stale} stale"
    print(counts + ("; `dbsession baseline prune` removes stale entries" if stale else ""), file=sys.stderr)
    return FINDINGS if verdict.new or stale else CLEAN


def _prune(options: Namespace, path: str, report: Report) -> int:
    verdict = _verdict(options, path, report)
    removed = sum(verdict.stale.values())
    print(f"{_count(removed, 'stale entry', 'stale entries')} removed", file=sys.stderr)
    return _write(path, verdict.kept)


def _verdict(options: Namespace, path: str, report: Report) -> Verdict:
    unread = [problem.path for problem in report.errors]
    return judge(report, load(path), covered_by(options.paths, report.root, unread))


def _show(diagnostics: tuple[Diagnostic, ...], report: Report) -> None:
    print(renderer("concise")(report._replace(diagnostics=diagnostics, errors=())), end="")


def _write(path: str, entries: Entries) -> int:
    try:
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(dump(entries))
    except OSError as error:
        print(f"dbsession baseline: {path}: cannot be written: {error.strerror}", file=sys.stderr)
        return ERROR
    print(f"{_count(sum(entries.values()), 'finding')} in {path}", file=sys.stderr)
    return CLEAN


def _count(number: int, word: str, words: str = "") -> str:
    return f"{number} {word}" if number == 1 else f"{number} {words or word + 's'}"
