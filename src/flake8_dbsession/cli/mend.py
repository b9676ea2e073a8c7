"""One file mended: analysed, fixed round by round, written back."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..config import Config
from ..model import Diagnostic, Safety
from ..render import Problem
from ..run import Outcome, described, few_collections
from ..source import Unreadable

Ask = Callable[[Diagnostic, bytes, bytes], bool]


class Left(NamedTuple):
    """A finding that is still there, at its place in the new text, and why."""

    diagnostic: Diagnostic
    reason: str


class Mended(NamedTuple):
    """What became of a file; ``after`` is ``before`` where nothing was fixed."""

    path: str
    before: bytes
    after: bytes
    fixed: tuple[Diagnostic, ...] = ()
    left: tuple[Left, ...] = ()
    problem: Problem | None = None


class How(NamedTuple):
    """How to mend: with which configuration, with unsafe fixes or without, written to the files or not."""

    config: Config
    unsafe: bool
    writes: bool
    debug: bool = False
    since: int = 0
    """When the check began whose findings are given, in nanoseconds: a file that has changed since is checked anew."""


def can_help(diagnostic: Diagnostic, how: How) -> bool:
    """Whether there is a fix for the finding that may be carried out."""
    allowed = (Safety.SAFE, Safety.UNSAFE) if how.unsafe else (Safety.SAFE,)
    return diagnostic.plan is not None and diagnostic.plan.safety in allowed


def mend_checked(outcome: Outcome, how: How) -> Mended:
    """Mend a file whose findings are known; raises nothing."""
    return mend_file(outcome.path, how, found=outcome.diagnostics)


def mend_file(path: str, how: How, ask: Ask | None = None, found: Sequence[Diagnostic] | None = None) -> Mended:
    """Mend the file at ``path``, where a check has ``found`` something already; raises nothing."""
    try:
        with open(path, "rb") as file:
            data = file.read()
            is_old = os.fstat(file.fileno()).st_mtime_ns < how.since
    except OSError as error:
        return Mended(path, b"", b"", problem=Problem(path, 0, 0, f"cannot be read: {error.strerror}"))
    mended = mend_text(path, data, how, ask, found if is_old else None)
    return _written(mended) if how.writes and mended.problem is None else mended


def mend_text(
    path: str, data: bytes, how: How, ask: Ask | None = None, found: Sequence[Diagnostic] | None = None
) -> Mended:
    """Mend ``data`` as the content of the file at ``path``; raises nothing but what ``ask`` raises."""
    from ..fix.loop import Fate, fix
    from .attempts import attempts

    def wanted(diagnostic: Diagnostic) -> bool:
        return how.config.selects(diagnostic.code, diagnostic.path)

    tried = attempts(how.config)
    known = found if tried.are_all_told else None
    tried.begin(path, data, known)
    try:
        with few_collections():
            done = fix(
                data,
                path,
                tried.analyse,
                unsafe=how.unsafe,
                wanted=wanted,
                ask=ask,
                found=known,
                surely=tried.analyse_all,
            )
    except Unreadable as error:
        return Mended(path, data, data, problem=Problem(path, error.line, error.column, error.message))
    except Exception as error:  # a fault of ours costs one file, not the run
        return Mended(path, data, data, problem=described(path, error, how.debug))
    finally:
        tried.finish(path)
    fixed = tuple(v.diagnostic for v in done.verdicts if v.fate is Fate.FIXED and wanted(v.diagnostic))
    reasons = [
        (v.diagnostic, v.reason if v.fate is Fate.REFUSED else why_not(v.diagnostic))
        for v in done.verdicts
        if v.fate is not Fate.FIXED
    ]
    left = tuple(Left(d, _take(reasons, d)) for d in done.left if wanted(d))
    return Mended(path, data, done.data, fixed, left)


def why_not(diagnostic: Diagnostic) -> str:
    """Why a finding is not fixed that nobody has tried to fix."""
    if diagnostic.plan is None:
        return diagnostic.refusal
    needs = "needs --unsafe-fixes" if diagnostic.plan.safety is Safety.UNSAFE else "display-only"
    return f"{needs}: {diagnostic.plan.reason}" if diagnostic.plan.reason else needs


def _take(reasons: list[tuple[Diagnostic, str]], left: Diagnostic) -> str:
    """The reason that belongs to a finding, whose lines may have moved."""
    for number, (diagnostic, reason) in enumerate(reasons):
        if (diagnostic.code, diagnostic.function) == (left.code, left.function):
            del reasons[number]
            return reason
    return ""


def _written(mended: Mended) -> Mended:
    from ..fix.write import Changed, write

    try:
        write(mended.path, mended.before, mended.after)
    except Changed as error:
        problem = Problem(mended.path, 0, 0, f"is not written: {error}")
    except OSError as error:
        problem = Problem(mended.path, 0, 0, f"cannot be written: {error.strerror}")
    else:
        return mended
    return mended._replace(after=mended.before, fixed=(), problem=problem)
