"""``dbsession fix``: mends what can be mended, and says what is left and why."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from functools import partial

from ..parallel.workers import available, in_order
from ..render import Problem
from ..run import STDIN, Outcome, check_files, lost
from ..settings.reading import ConfigError
from . import CLEAN, ERROR, FINDINGS
from .gather import find
from .mend import How, Left, Mended, can_help, mend_checked, mend_file, mend_text, why_not
from .options import add_files, add_running, add_selection, configured, paths_of
from .progress import progress
from .terminal import count, forgive, place


def main(argv: Sequence[str]) -> int:
    """Mend what ``argv`` names; returns 0 when nothing is left, 1 when findings are, 2 when something went wrong.

    With ``--diff`` nothing is written, and 1 says that something would be.
    """
    return _run(parser().parse_args(argv))


def from_check(options: Namespace) -> int:
    """``dbsession check --fix`` with the options of ``check``."""
    return _run(Namespace(**{**vars(parser().parse_args([])), **vars(options)}))


def parser() -> ArgumentParser:
    """The options of the subcommand."""
    made = ArgumentParser(prog="dbsession fix", description="Mend what can be mended about sessions and connections.")
    add_files(made)
    add_selection(made)
    group = made.add_argument_group("fixing")
    group.add_argument("--diff", action="store_true", help="print what would change, and write nothing")
    group.add_argument("--unsafe-fixes", action="store_true", default=None, help="also what may alter behaviour")
    group.add_argument("--interactive", action="store_true", help="show each fix and ask")
    group.add_argument("--exit-non-zero-on-fix", action="store_true", help="exit with 1 when something was fixed")
    add_running(made)
    return made


def _run(options: Namespace) -> int:
    try:
        config = configured(options)
    except ConfigError as error:
        print(f"dbsession: {error}", file=sys.stderr)
        return ERROR
    unsafe = config.unsafe_fixes if options.unsafe_fixes is None else options.unsafe_fixes
    how = How(config, unsafe, writes=not options.diff, debug=options.debug)
    if options.paths == [STDIN]:
        mended = [mend_text(paths_of(options)[0], sys.stdin.buffer.read(), how)]
        problems: list[Problem] = []
    else:
        mended, problems = _mend(options, how)
    problems += [one.problem for one in mended if one.problem is not None]
    _print(options, mended)
    _tell(options, mended, problems)
    if problems:
        return ERROR
    return _code(options, mended)


def _code(options: Namespace, mended: Sequence[Mended]) -> int:
    has_fixes = any(one.after != one.before for one in mended)
    if options.diff:
        return FINDINGS if has_fixes else CLEAN
    if options.exit_non_zero_on_fix and has_fixes:
        return FINDINGS
    return FINDINGS if any(one.left for one in mended) else CLEAN


def _mend(options: Namespace, how: How) -> tuple[list[Mended], list[Problem]]:
    """Check all files, and mend those with something to mend; libcst is not imported when there are none."""
    files, problems, _ = find(options, how.config)
    how = how._replace(since=time.time_ns())
    with progress(len(files), options.quiet or options.interactive) as told:
        outcomes = check_files(files, how.config, options.jobs, options.debug, told)
    problems += [outcome.problem for outcome in outcomes if outcome.problem is not None]
    hopeful = [o for o in outcomes if any(can_help(d, how) for d in o.diagnostics)]
    by_path = {one.path: one for one in _mend_files(hopeful, options, how)}
    for outcome in outcomes:
        if outcome.path not in by_path and outcome.diagnostics:
            left = tuple(Left(d, why_not(d)) for d in outcome.diagnostics)
            by_path[outcome.path] = Mended(outcome.path, b"", b"", left=left)
    return [by_path[path] for path in sorted(by_path)], problems


def _mend_files(checked: Sequence[Outcome], options: Namespace, how: How) -> list[Mended]:
    if options.interactive:
        from ..fix.interactive import Interactive

        ask = Interactive()
        return [mend_file(each.path, how, ask, each.diagnostics) for each in checked]
    jobs = options.jobs or min(available(), len(checked))
    return in_order(partial(mend_checked, how=how), checked, jobs, _lost)


def _lost(checked: Outcome) -> Mended:
    return Mended(checked.path, b"", b"", problem=lost(checked.path))


def _print(options: Namespace, mended: Sequence[Mended]) -> None:
    """The new text of the input, or the patches."""
    out = sys.stdout.buffer
    if options.diff:
        from ..fix.diff import patch

        for one in mended:
            out.write(patch(one.before, one.after, one.path))
    elif options.paths == [STDIN]:
        out.write(mended[0].after)
    out.flush()


def _tell(options: Namespace, mended: Sequence[Mended], problems: Sequence[Problem]) -> None:
    """What was fixed, what is left and why; beside the output where that is a text or a patch."""
    stream = forgive(sys.stderr if options.diff or options.paths == [STDIN] else sys.stdout)
    done = "would be fixed" if options.diff else "fixed"
    for one in mended:
        for diagnostic in () if options.quiet else one.fixed:
            title = diagnostic.plan.title if diagnostic.plan else "it went with another fix"
            print(f"{place(diagnostic)} {diagnostic.code} {done}: {title}", file=stream)
        for diagnostic, reason in one.left:
            print(f"{place(diagnostic)} {diagnostic.code} {diagnostic.message}", file=stream)
            if reason and not options.quiet:
                print(f"    not fixed: {reason}", file=stream)
    stream.flush()
    for problem in sorted(problems):
        print(problem, file=sys.stderr)
    if not options.quiet:
        print(_summary(mended, done), file=sys.stderr)


def _summary(mended: Sequence[Mended], done: str) -> str:
    fixed = sum(len(one.fixed) for one in mended)
    left = sum(len(one.left) for one in mended)
    if not fixed and not left:
        return "Nothing to fix"
    files = sum(bool(one.fixed) for one in mended)
    return f"{count(fixed, 'finding')} {done} in {count(files, 'file')}, {left} left"
