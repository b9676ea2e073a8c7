"""Which files a run is about: paths, folders and globs, less what ``.gitignore`` files and excludes leave out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..config import Config
from ..render import Problem
from .git import everywhere, git_folder
from .installed import holds_packages
from .patterns import Patterns, patterns

PYTHON = (".py", ".pyw")
NOTEBOOK = ".ipynb"
_WANTED = (*PYTHON, NOTEBOOK)


class Found(NamedTuple):
    """``files`` in order, each once; ``problems`` with what was named and is not there; ``notebooks`` left out."""

    files: list[str]
    problems: list[Problem]
    notebooks: int


class _Ignore(NamedTuple):
    """Patterns that are anchored at the absolute folder ``base``."""

    base: str
    patterns: Patterns

    def verdict(self, path: str) -> bool | None:
        """As :meth:`Patterns.verdict`, for an absolute ``path`` below ``base``."""
        return self.patterns.verdict(path[len(self.base) :].lstrip("/"))


def discover(paths: Iterable[str], config: Config, force_exclude: bool = False) -> Found:
    """The Python files that ``paths`` name.

    A file that is named is taken whatever its suffix and even when it is excluded, unless ``force_exclude``;
    a folder is walked; anything else is a glob or does not exist.
    """
    walk = _Walk(config)
    for path in paths:
        if os.path.isdir(path):
            walk.folder(path)
        elif os.path.lexists(path):
            walk.named(path, force_exclude)
        else:
            walk.glob(path)
    return Found(sorted(walk.files), walk.problems, walk.notebooks)


class _Walk:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.files: set[str] = set()
        self.problems: list[Problem] = []
        self.notebooks = 0

    def named(self, path: str, force_exclude: bool) -> None:
        if force_exclude and self.config.excludes(path):
            return
        if path.endswith(NOTEBOOK):
            self.notebooks += 1
        else:
            self.files.add(os.path.normpath(path))

    def glob(self, path: str) -> None:
        from glob import glob

        matches = glob(path, recursive=True)
        if not matches:
            self.problems.append(Problem(path, 0, 0, "no such file or folder"))
        for match in matches:
            if os.path.isdir(match) and "**" not in path:
                self.folder(match)
            elif match.endswith(PYTHON) and os.path.isfile(match) and not self.config.excludes(match):
                self.files.add(os.path.normpath(match))

    def folder(self, path: str) -> None:
        """Take the Python files at and below ``path``; links to folders are not followed."""
        absolute = os.path.abspath(path)
        excludes = self._excludes_inside(absolute)
        above = _git_ignores(absolute) if self.config.respect_gitignore else []
        waiting = [(os.path.normpath(path), absolute, _inside(above, absolute))]
        while waiting:
            shown, folder, ignores = waiting.pop()
            entries = self._entries(shown, folder)
            if folder != absolute and holds_packages(folder, [entry.name for entry in entries]):
                continue
            prefix = "" if shown == os.curdir else os.path.join(shown, "")
            if self.config.respect_gitignore and any(entry.name == ".gitignore" for entry in entries):
                ignores = [*ignores, *_read(folder, ".gitignore")]
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if not _left_out(f"{_slashes(entry.path)}/", excludes, ignores):
                        waiting.append((prefix + entry.name, entry.path, ignores))
                elif entry.name.endswith(_WANTED) and not _left_out(_slashes(entry.path), excludes, ignores):
                    self._entry(prefix + entry.name, entry)

    def _entries(self, shown: str, folder: str) -> list[os.DirEntry[str]]:
        try:
            return list(os.scandir(folder))
        except OSError as error:
            self.problems.append(Problem(shown, 0, 0, f"cannot be read: {error.strerror}"))
            return []

    def _entry(self, shown: str, entry: os.DirEntry[str]) -> None:
        if entry.name.endswith(NOTEBOOK):
            self.notebooks += 1
        elif entry.is_file():
            self.files.add(shown)
        elif entry.is_symlink() and not entry.name.startswith(".#"):  # Emacs locks files with such links
            self.problems.append(Problem(shown, 0, 0, "cannot be read: the link leads nowhere"))

    def _excludes_inside(self, folder: str) -> _Ignore:
        """The excludes as they hold inside ``folder``: anchored there if it is outside the root or itself excluded."""
        root = _slashes(os.path.abspath(self.config.root))
        excludes = _Ignore(root, patterns(self.config.exclude + self.config.extend_exclude))
        is_below = f"{_slashes(folder)}/".startswith(f"{root}/")
        return excludes if is_below and _inside([excludes], folder) else excludes._replace(base=_slashes(folder))


def _inside(ignores: list[_Ignore], folder: str) -> list[_Ignore]:
    """Those that do not leave out ``folder`` itself: whoever names a folder wants its files checked."""
    own = _slashes(folder)
    return [ignore for ignore in ignores if ignore.base == own or not ignore.verdict(f"{own}/")]


def _left_out(path: str, excludes: _Ignore, ignores: list[_Ignore]) -> bool:
    """Whether the excludes, or the innermost ignore file that has an opinion, leave the absolute ``path`` out."""
    if excludes.verdict(path):
        return True
    verdicts = (ignore.verdict(path) for ignore in reversed(ignores))
    return next((verdict for verdict in verdicts if verdict is not None), False)


def _git_ignores(folder: str) -> list[_Ignore]:
    """The ignore files of the repository that hold above ``folder``, the outermost first; none outside of one.

    As in git: what the user ignores everywhere, then what this clone ignores, then the ``.gitignore`` files.
    """
    above = []
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return []
        folder = parent
        above.append(folder)
    git = git_folder(folder)
    found = [*_read(folder, everywhere(git)), *_read(folder, os.path.join(git, "info", "exclude"))]
    return found + [ignore for outer in reversed(above) for ignore in _read(outer, ".gitignore")]


def _read(folder: str, name: str) -> Iterator[_Ignore]:
    """The patterns of the file ``name``, which hold below ``folder``; nothing where it cannot be read."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            lines = tuple(file)
    except OSError:
        return
    yield _Ignore(_slashes(folder), patterns(lines))


def _slashes(path: str) -> str:
    return path.replace(os.sep, "/")
