"""Which files belong to a project, and which of them to the running application."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

from ..files.declared import PROJECT_FILES
from ..files.folders import in_package
from ..files.installed import holds_packages

ASIDE = frozenset(
    {
        *("test", "tests", "testing", "fixture", "fixtures", "e2e", "benches", "benchmarks"),
        *("example", "examples", "doc", "docs", "contrib", "demo"),
        *("script", "scripts", "tools", "bin", "cli", "cmd", "commands", "management"),
        *("alembic", "migration", "migrations", "versions"),
        *("build", "dist", "dist-packages", "libs", "node_modules", "site-packages", "vendor"),
    }
)
"""Folders whose files are no part of the running application."""
_TESTS = frozenset({"test", "tests", "testing", "pytest", "e2e"})
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", "dist-packages", "build", "dist", "htmlcov"})

_FOLDERS = 20_000
"""More than a project has; a walk that was started in somebody's home ends here."""


def is_aside(path: str, root: str) -> bool:
    """Whether a file is no part of the running application: tests, scripts, migrations, examples, vendored code."""
    relative = os.path.relpath(path, root)
    *folders, name = relative.lower().split(os.sep)
    stem = name.removesuffix(".py")
    if stem == "setup" and in_package(path):
        stem = ""
    if stem in ("conftest", "setup", "noxfile") or stem.startswith("test_") or stem.endswith("_test"):
        return True
    return any(folder in ASIDE or folder.startswith(("test_", "example_")) for folder in folders)


def is_for_tests(path: str, root: str) -> bool:
    """Whether a file stands in a folder that is called after tests: ``docker/pytest-support/compose.yaml``."""
    folders = os.path.relpath(os.path.dirname(path), root).lower().split(os.sep)
    words = (word for folder in folders for word in folder.replace("_", "-").replace(".", "-").split("-"))
    return not _TESTS.isdisjoint(words)


def walk(top: str, wanted: Callable[[str], bool], parts: bool, home: str = "") -> Iterator[str]:
    """The wanted files below ``top``; without ``parts`` not those of further projects, ``home`` excepted."""
    for folder, folders, names in itertools.islice(os.walk(top), _FOLDERS):
        is_ours = parts or folder == top or f"{home}{os.sep}".startswith(f"{folder}{os.sep}")
        is_of_others = folder != top and holds_packages(folder, folders)
        if is_of_others or (not is_ours and any(name in PROJECT_FILES for name in names)):
            folders.clear()
            continue
        folders[:] = sorted(f for f in folders if _entered(folder, f))
        yield from (os.path.join(folder, name) for name in sorted(names) if wanted(name))


def is_module(name: str) -> bool:
    """Whether a file of this name can be imported."""
    stem, extension = os.path.splitext(name)
    return extension == ".py" and stem.isidentifier()


def _entered(folder: str, name: str) -> bool:
    if name.startswith(".") or name in _SKIPPED:
        return False
    return not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
