"""Feed the linter with real files that were damaged: ``python tests/fuzz.py --inputs 20000 FOLDER…``.

Each input is a Python file of the folders after a few changes (:mod:`mutations`). It is parsed, analysed, mended and
printed in this process. What may come of it is a report or one line that says why it cannot be read; an exception, a
text that no longer parses after fixes, a place outside of the file, or more than ``--seconds`` of the processor's time
is a failure. Inputs that failed are kept in ``--keep``; the same ``--seed`` gives the same inputs.
"""

from __future__ import annotations

import argparse
import ast
import os
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

from mutations import mutated

from flake8_dbsession.analyze import analyze
from flake8_dbsession.cli.gather import Texts, report_of
from flake8_dbsession.config import Config
from flake8_dbsession.fix.loop import fix
from flake8_dbsession.model import Diagnostic
from flake8_dbsession.project.project import Project
from flake8_dbsession.relevance import MARKERS
from flake8_dbsession.render import renderer
from flake8_dbsession.run import Outcome
from flake8_dbsession.source import Source, Unreadable
from flake8_dbsession.suppress import suppress

LARGEST = 60_000
"""Bytes of the files that are taken."""


class TooSlow(BaseException):
    """The time for one input is over. No handler of ours may take it for an exception of the input."""


class Failure(NamedTuple):
    """What went wrong: ``where`` is the same for inputs that fail at the same place."""

    where: str
    told: str


class Subject:
    """A real file with its project, which serves for all its mutants."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = str(path)
        self.data = path.read_bytes()
        self.project = Project(Config(root=str(root)), str(root))

    def analysed(self, data: bytes, path: str) -> list[Diagnostic]:
        source = Source(path, data)
        return suppress(source, analyze(source, self.project)).kept

    def carry_through(self, data: bytes) -> str:
        """Do with ``data`` all that can be done with a file; returns what came of it, and raises what went wrong."""
        try:
            found = self.analysed(data, self.path)
        except Unreadable as error:
            assert "\n" not in error.message, "one line"
            return "unreadable"
        lines = Source(self.path, data).lines if found else []
        for diagnostic in found:
            span = diagnostic.span
            assert 1 <= span.line <= span.end_line <= len(lines), f"{diagnostic.code} outside of the file"
            assert 0 <= span.column <= len(lines[span.line - 1]), f"{diagnostic.code} outside of its line"
        texts = Texts({os.path.abspath(self.path): data})
        report = report_of([Outcome(self.path, tuple(found))], [], self.project.config, texts)
        for name in ("full", "sarif"):
            renderer(name)(report)
        done = fix(data, self.path, self.analysed, unsafe=True, found=found)
        if done.data != data:
            ast.parse(done.data)
            again = fix(done.data, self.path, self.analysed, unsafe=True)
            assert again.data == done.data, "a second run changes something"
            return "mended"
        return "reported" if found else "silent"


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise :class:`TooSlow` inside the block when it has used so much of the processor's time."""

    def stop(number: int, frame: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def tried(subject: Subject, data: bytes, seconds: float) -> str | Failure:
    """What came of one input."""
    try:
        with limited(seconds), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return subject.carry_through(data)
    except (Exception, TooSlow) as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "flake8_dbsession" in frame.filename] or frames
        # a loop is stopped anywhere: what it stands in is told by the way down to it
        last = ours[-1] if not isinstance(error, TooSlow) else ours[min(8, len(ours) - 1)]
        words = " ".join(str(error).split())[:80] if isinstance(error, AssertionError) else ""
        where = f"{type(error).__name__} {os.path.basename(last.filename)}:{last.lineno} {words}".rstrip()
        return Failure(where, "".join(traceback.format_exception(error, limit=-12)))


def subjects(folders: Sequence[Path], chance: Random) -> Iterator[Subject]:
    """Files that can touch a session, in an order by chance, again and again."""
    found = [(path, folder) for folder in folders for path in sorted(folder.rglob("*.py")) if _is_wanted(path)]
    if not found:
        raise SystemExit("no file in the folders can touch a session")
    while True:
        chance.shuffle(found)
        for path, folder in found:
            yield Subject(path, folder)


def _is_wanted(path: Path) -> bool:
    if not path.is_file() or not 0 < path.stat().st_size <= LARGEST:
        return False
    data = path.read_bytes()
    return any(marker in data for marker in MARKERS)


class Run(NamedTuple):
    """What came of all inputs: how often each outcome, and by place the failures with the data that failed first."""

    outcomes: Counter[str]
    failures: dict[str, tuple[Failure, str, bytes]]
    slowest: float


def fuzz(folders: Sequence[Path], inputs: int, seed: int = 0, mutants: int = 8, seconds: float = 20.0) -> Run:
    """Try so many inputs, a few ``mutants`` of each file."""
    chance = Random(seed)
    run = Run(Counter(), {}, 0.0)
    slowest, number = 0.0, 0
    for subject in subjects(folders, chance):
        for _ in range(min(mutants, inputs - number)):
            data = mutated(subject.data, chance)
            start = time.process_time()
            outcome = tried(subject, data, seconds)
            slowest = max(slowest, time.process_time() - start)
            if isinstance(outcome, Failure):
                run.failures.setdefault(outcome.where, (outcome, subject.path, data))
                outcome = outcome.where
            run.outcomes[outcome] += 1
            number += 1
            if number % 500 == 0:
                told = ", ".join(f"{count} {name}" for name, count in run.outcomes.most_common())
                print(f"{number}: {told}", file=sys.stderr, flush=True)
        if number >= inputs:
            return run._replace(slowest=slowest)
    raise AssertionError("subjects() never ends")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a project")
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20.0, help="processor time for one input")
    parser.add_argument("--keep", type=Path, help="folder for the inputs that failed")
    options = parser.parse_args()
    run = fuzz(options.folders, options.inputs, options.seed, seconds=options.seconds)
    for number, (failure, path, data) in enumerate(run.failures.values()):
        print(f"\n{run.outcomes[failure.where]} times {failure.where}\nfirst at a mutant of {path}\n{failure.told}")
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / f"{number:03}.py").write_bytes(data)
            (options.keep / f"{number:03}.txt").write_text(f"{path}\n{failure.told}")
    print(f"{sum(run.outcomes.values())} inputs, the slowest took {run.slowest:.1f} s: {dict(run.outcomes)}")
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
