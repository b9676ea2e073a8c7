"""The applications of ``fixtures/apps``, as they are written and as our fixes leave them."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys
import types
from typing import Any, NamedTuple

from wants import FIXTURES, without_wants

from flake8_dbsession.source import Source

from ..lab import load

APPS = FIXTURES / "apps"
OURS = ("proof.py", "load.py", "seed.py", "README.md")
"""Files that are not the application's."""


class App(NamedTuple):
    """One folder; ``plan`` is its ``proof.py``."""

    folder: pathlib.Path
    plan: types.ModuleType

    @property
    def name(self) -> str:
        return self.folder.name


class Fixed(NamedTuple):
    """What our commands said: the findings, what is left of them, what became of each, and what was changed."""

    findings: list[dict[str, Any]]
    left: list[dict[str, Any]]
    log: str
    diff: str


def unfixed(log: str) -> list[tuple[str, str, str]]:
    """Place, code and reason of everything that ``dbsession fix`` says it has not fixed."""
    found, place, code = [], "", ""
    for line in log.splitlines():
        head, separator, reason = line.partition("    not fixed: ")
        if separator and not head:
            found.append((place, code, reason))
        elif not line.startswith(" ") and ": ORM" in line:
            place, _, rest = line.partition(": ORM")
            code = f"ORM{rest.split()[0]}"
    return found


def apps() -> list[App]:
    """All of them, by name."""
    return [App(path.parent, load(path)) for path in sorted(APPS.glob("*/proof.py"))]


def lay_out(app: App, place: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path, Fixed]:
    """Copies the application twice into ``place``, the second copy fixed by our command; the folders and what was said.

    Comments that say what a test wants are not copied: the fixer has to do without them.
    """
    before, after = place / "before" / app.name, place / "after" / app.name
    shutil.copytree(app.folder, before, ignore=shutil.ignore_patterns("__pycache__"))
    for file in before.glob("**/*.py"):
        file.write_bytes(without_wants(Source.read(str(file))))
    shutil.copytree(before, after)
    return before, after, _fix(before, after)


def report(folder: pathlib.Path) -> str:
    """What the tool says of an application, for people."""
    return _dbsession("check", "--exit-zero", "--output-format", "full", folder=folder)


def _fix(before: pathlib.Path, after: pathlib.Path) -> Fixed:
    log = _dbsession("fix", "--unsafe-fixes", folder=after)
    difference = subprocess.run(
        ["diff", "-ru", before.name, str(after)], cwd=before.parent, capture_output=True, text=True
    )
    return Fixed(_findings(before), _findings(after), log, difference.stdout)


def _findings(folder: pathlib.Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        _dbsession("check", "--exit-zero", "--output-format", "json", folder=folder)
    )
    return found


def _dbsession(subcommand: str, *arguments: str, folder: pathlib.Path) -> str:
    command = [sys.executable, "-m", "flake8_dbsession", subcommand, "--no-cache", "--color", "never"]
    leave_out = ["--exclude", ",".join(OURS)]
    done = subprocess.run([*command, *leave_out, *arguments, "."], cwd=folder, capture_output=True, text=True)
    if done.returncode > 1:
        raise RuntimeError(f"dbsession {subcommand} failed in {folder}: {done.stderr}")
    return done.stdout
