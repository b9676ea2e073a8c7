"""``dbsession check``: reports, in the format that is asked for."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from ..config import Config
from ..model import Safety
from ..render import FORMATS, Report, renderer
from ..run import Outcome
from ..settings.reading import ConfigError
from . import CLEAN, ERROR, FINDINGS
from .gather import Gathered, gather, rooted
from .options import add_executor, add_files, add_running, add_selection, configured
from .terminal import count, forgive, wants_colour, writable

FOR_PEOPLE = ("full", "concise")
"""Formats that show paths as they were given, and may have colours and a summary."""


def main(argv: Sequence[str]) -> int:
    """Check what ``argv`` names; returns 0 without findings, 1 with, 2 when something could not be checked."""
    options = parser().parse_args(argv)
    if options.fix:
        from .fix import from_check

        return from_check(options)
    try:
        config = configured(options)
        if options.show_settings or options.show_files:
            return _show(options, config)
        return _check(options, config)
    except ConfigError as error:
        print(f"dbsession: {error}", file=sys.stderr)
        return ERROR


def parser() -> ArgumentParser:
    """The options of the subcommand."""
    made = ArgumentParser(prog="dbsession check", description="Report what is wrong with sessions and connections.")
    add_files(made)
    add_selection(made)
    output = made.add_argument_group("output")
    output.add_argument("--output-format", choices=tuple(FORMATS), help="how findings are printed (default: full)")
    output.add_argument("--output-file", "-o", default="", metavar="FILE", help="write findings there")
    output.add_argument("--statistics", action="store_true", help="print how often each rule was broken, instead")
    output.add_argument("--exit-zero", action="store_true", help="exit with 0 in spite of findings")
    output.add_argument(
        "--warn-unused-noqa", action="store_true", help="tell of ORM codes in noqa comments that silence nothing"
    )
    output.add_argument("--show-files", action="store_true", help="print which files would be checked, and exit")
    output.add_argument("--show-settings", action="store_true", help="print the configuration, and exit")
    known = made.add_argument_group("known findings")
    known.add_argument("--baseline", default=None, metavar="FILE", help="do not repeat the findings of this baseline")
    known.add_argument("--no-baseline", action="store_true", help="repeat all findings")
    known.add_argument("--diff-base", default="", metavar="COMMIT", help="only findings on lines changed since then")
    fixing = made.add_argument_group("fixing")
    fixing.add_argument("--fix", action="store_true", help="as `dbsession fix`")
    fixing.add_argument("--unsafe-fixes", action="store_true", default=None, help="with --fix, also unsafe ones")
    fixing.add_argument("--diff", action="store_true", help="with --fix, print what would change")
    add_running(made)
    add_executor(made)
    return made


def _check(options: Namespace, config: Config) -> int:
    gathered = _gathered(options, config)
    report = _without_known(options, config, gathered)
    shown = options.output_format or config.output_format
    if shown == "html":
        report = report._replace(pictures=_pictures(config))
    text = _statistics(report, shown) if options.statistics else _rendered(options, report, shown)
    if not _written(options, text):
        return ERROR
    _tell(options, config, gathered, report, shown)
    if report.errors:
        return ERROR
    return FINDINGS if report.diagnostics and not options.exit_zero else CLEAN


def _gathered(options: Namespace, config: Config) -> Gathered:
    if not options.diff_base:
        return gather(options, config)
    from ..files.changes import NoGit, changed_files, since, touches
    from .gather import find

    try:
        changes = since(options.diff_base)
    except NoGit as error:
        raise ConfigError(error) from None
    files, problems, _ = find(options, config)
    gathered = gather(options, config, changed_files(changes, files))
    report = gathered.report
    return gathered._replace(
        report=report._replace(
            diagnostics=tuple(d for d in report.diagnostics if touches(changes, d)),
            errors=(*report.errors, *problems),
        )
    )


def _without_known(options: Namespace, config: Config, gathered: Gathered) -> Report:
    report = gathered.report
    path = options.baseline or (os.path.join(config.root, config.baseline) if config.baseline else "")
    if options.no_baseline or not path:
        return report
    from ..baseline import Unusable, covered_by, judge, load

    try:
        entries = load(path)
    except Unusable as error:
        raise ConfigError(error) from None
    placed = rooted(report)
    originals = dict(zip(placed.diagnostics, report.diagnostics, strict=True))
    checked = covered_by([outcome.path for outcome in gathered.outcomes if outcome.problem is None], report.root)
    return report._replace(diagnostics=tuple(originals[new] for new in judge(placed, entries, checked).new))


def _pictures(config: Config) -> tuple[tuple[str, str], ...]:
    """The connection budget of the project, one picture for each server."""
    from ..pool.budget import budgets
    from ..pool.picture import picture
    from ..pool.survey import Survey

    root = os.path.abspath(config.root)
    drawn = [picture(budget) for budget in budgets(Survey(root, root, config.pool, parts=True))]
    return tuple(("Connection budget", svg) for svg in drawn if svg)


def _rendered(options: Namespace, report: Report, shown: str) -> str:
    if shown not in FOR_PEOPLE:
        return renderer(shown)(rooted(report))
    return renderer(shown)(report._replace(colour=not options.output_file and wants_colour(options.color, sys.stdout)))


def _statistics(report: Report, shown: str) -> str:
    counts: dict[tuple[str, str], int] = {}
    for diagnostic in report.diagnostics:
        rule = diagnostic.code, diagnostic.name
        counts[rule] = counts.get(rule, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if shown.startswith("json"):
        import json

        return json.dumps([{"code": c, "name": n, "count": count} for (c, n), count in ordered], indent=2) + "\n"
    width = len(str(ordered[0][1])) if ordered else 0
    return "".join(f"{count:>{width}}  {code}  {name}\n" for (code, name), count in ordered)


def _written(options: Namespace, text: str) -> bool:
    if not options.output_file:
        forgive(sys.stdout).write(writable(text, sys.stdout.encoding))
        return True
    try:
        with open(options.output_file, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
    except OSError as error:
        print(f"dbsession: {options.output_file}: cannot be written: {error.strerror}", file=sys.stderr)
        return False
    return True


def _tell(options: Namespace, config: Config, gathered: Gathered, report: Report, shown: str) -> None:
    """What is not part of the report: problems, warnings, and a last line for people."""
    sys.stdout.flush()
    forgive(sys.stderr)
    for problem in report.errors:
        print(problem, file=sys.stderr)
    if options.warn_unused_noqa:
        for outcome in gathered.outcomes:
            _warn_unused(outcome)
    if options.quiet:
        return
    if gathered.notebooks:
        print(f"{count(gathered.notebooks, 'notebook')} left out: only Python files are checked", file=sys.stderr)
    if shown in FOR_PEOPLE and not options.statistics:
        print(summary(report, sum(outcome.silenced for outcome in gathered.outcomes)), file=sys.stderr)


def _warn_unused(outcome: Outcome) -> None:
    for line, column, code in outcome.unused:
        print(f"{outcome.path}:{line}:{column + 1}: unused-noqa: {code} silences nothing here", file=sys.stderr)


def summary(report: Report, silenced: int = 0) -> str:
    """One line on what was found: how much, where, and what can be done about it."""
    checked = f"{count(report.checked, 'file')} checked"
    hushed = f", {silenced} silenced by noqa" if silenced else ""
    if not report.diagnostics:
        return f"No findings ({checked}{hushed})"
    files = len({d.path for d in report.diagnostics})
    return (
        f"{count(len(report.diagnostics), 'finding')} in {count(files, 'file')} ({checked}{hushed}){_outlook(report)}"
    )


def _outlook(report: Report) -> str:
    """What `dbsession fix` could do about it."""
    safeties = [d.plan.safety for d in report.diagnostics if d.plan is not None]
    safe, unsafe = safeties.count(Safety.SAFE), safeties.count(Safety.UNSAFE)
    if safe and unsafe:
        return f"; `dbsession fix` mends {safe}, and {unsafe} more with --unsafe-fixes"
    if unsafe:
        return f"; `dbsession fix --unsafe-fixes` mends {unsafe}"
    return f"; `dbsession fix` mends {safe}" if safe else ""


def _show(options: Namespace, config: Config) -> int:
    if options.show_settings:
        from ..settings.schema import as_toml

        print(as_toml(config), end="")
        return CLEAN
    from .gather import find

    files, problems, _ = find(options, config)
    for path in files:
        print(path)
    for problem in problems:
        print(problem, file=sys.stderr)
    return ERROR if problems else CLEAN
