"""Count what ``dbsession fix`` does to real code: ``python benchmarks/fixes.py --scratch FOLDER PROJECT…``.

Every project is copied to the scratch folder and fixed there, first safely, then with unsafe fixes. Counted are the
findings, the fixes that are offered, carried out and refused, and what must not happen: files that no longer compile,
findings that were not there before, and changes by a second run. Nothing is fetched, nothing but the copies is written.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import libcst

from flake8_dbsession.cli.attempts import attempts
from flake8_dbsession.cli.mend import How, can_help, mend_file
from flake8_dbsession.config import Config
from flake8_dbsession.files.discover import discover
from flake8_dbsession.model import Diagnostic, Safety
from flake8_dbsession.run import check_files, few_collections, project
from flake8_dbsession.settings.reading import load


class Tree(NamedTuple):
    """A copy of a project: its configuration and the files that are checked."""

    config: Config
    files: list[str]


class Run(NamedTuple):
    """One run of the fixer over a tree."""

    fixed: Counter[str]
    """By rule, the findings that were mended."""
    refused: Counter[str]
    """By rule and reason, the findings whose fix was tried and taken back."""
    problems: list[str]
    changed: list[str]
    costs: Counter[str]
    """The processor time of mending the files that changed, and of libcst for reading and writing them once."""


def main() -> None:
    """Count over the folders that are named, smallest first, and write what was counted after each."""
    options = parser().parse_args()
    results: dict[str, object] = {}
    for folder in sorted(map(Path, options.projects), key=lambda folder: sum(1 for _ in folder.rglob("*.py"))):
        start = time.perf_counter()
        counted = count(copied(folder, options.scratch), options.second_run)
        results[folder.name] = {**counted, "seconds": round(time.perf_counter() - start)}
        print(folder.name, json.dumps(results[folder.name]), flush=True)
        gc.collect()
        if options.write:
            options.write.write_text(json.dumps(results, indent=1) + "\n")


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(description="Count what the fixer does to real code.")
    made.add_argument("projects", nargs="+", help="folders to copy and fix")
    made.add_argument("--scratch", type=Path, required=True, help="where the copies come to stand")
    made.add_argument("--write", type=Path, help="a file for the counts, as JSON")
    made.add_argument("--no-second-run", dest="second_run", action="store_false", help="leave the second runs out")
    return made


def copied(folder: Path, scratch: Path) -> Tree:
    """A fresh copy of the Python files and settings of ``folder``."""
    target = scratch / folder.name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns(".git", "node_modules"))
    os.chdir(target)
    config = load(".")
    return Tree(config, discover(["."], config)[0])


def count(tree: Tree, second_run: bool) -> dict[str, object]:
    """Everything that is counted in one tree, by name."""
    first = findings(tree)
    safe = run(tree, first, unsafe=False)
    again = run(tree, findings(tree), unsafe=False) if second_run and safe.changed else None
    between = findings(tree)
    unsafe = run(tree, between, unsafe=True)
    last = findings(tree)
    once_more = run(tree, last, unsafe=True) if second_run and unsafe.changed else None
    return {
        "files": len(tree.files),
        "findings": len(first),
        "offered": sum(d.plan is not None for d in first),
        "safe": sum(d.plan is not None and d.plan.safety is Safety.SAFE for d in first),
        "display_only": sum(d.plan is not None and d.plan.safety is Safety.DISPLAY for d in first),
        "fixed_safely": sum(safe.fixed.values()),
        "fixed_unsafely": sum(unsafe.fixed.values()),
        "not_offered": Counter(f"{d.code} {d.refusal}" for d in first if d.plan is None),
        "not_safe": Counter(f"{d.code} {d.plan.reason}" for d in first if d.plan and d.plan.safety is not Safety.SAFE),
        "refused": safe.refused + unsafe.refused,
        "fixed_by_rule": safe.fixed + unsafe.fixed,
        "seconds_of": {name: round(spent, 2) for name, spent in (safe.costs + unsafe.costs).items()},
        "problems": [*safe.problems, *unsafe.problems],
        "broken": broken({*safe.changed, *unsafe.changed}),
        "new": surplus(first, between) + surplus(first, last),
        "second_run": [*(again.changed if again else ()), *(once_more.changed if once_more else ())],
    }


def findings(tree: Tree) -> list[Diagnostic]:
    """What ``dbsession check`` reports for the tree as it stands; what it learns serves the fixes after it."""
    project.cache_clear()
    attempts.cache_clear()
    return [found for outcome in check_files(tree.files, tree.config, 1) for found in outcome.diagnostics]


def run(tree: Tree, found: Iterable[Diagnostic], unsafe: bool) -> Run:
    """Fix every file with a fix to carry out, and write it."""
    how = How(tree.config, unsafe, writes=True, since=time.time_ns())
    result = Run(Counter(), Counter(), [], [], Counter())
    found = list(found)
    for path in sorted({d.path for d in found if can_help(d, how)}):
        with few_collections():
            start = time.process_time()
            mended = mend_file(path, how, found=[d for d in found if d.path == path])
            spent = time.process_time() - start
        result.fixed.update(d.code for d in mended.fixed)
        result.refused.update(f"{d.code} {reason}" for d, reason in mended.left if can_help(d, how))
        if mended.problem is not None:
            result.problems.append(str(mended.problem))
        if mended.after != mended.before:
            result.changed.append(path)
            result.costs.update(mending=spent, libcst=cost_of_libcst(mended.before))
    return result


def cost_of_libcst(data: bytes) -> float:
    """The processor time that libcst takes to read a file and to write it."""
    with few_collections():
        start = time.process_time()
        _ = libcst.parse_module(data).bytes
        return time.process_time() - start


def broken(paths: Iterable[str]) -> list[str]:
    """The files that no longer compile."""
    found = []
    for path in sorted(paths):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
            except (SyntaxError, ValueError):
                found.append(path)
    return found


def surplus(before: Iterable[Diagnostic], after: Iterable[Diagnostic]) -> list[str]:
    """The findings after that were not there before, wherever their lines have moved to."""
    old = Counter((d.path, d.code) for d in before)
    new = Counter((d.path, d.code) for d in after) - old
    return [f"{path} {code}" for path, code in sorted(new)]


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    main()
