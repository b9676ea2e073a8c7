"""What came of files in earlier runs, so that a run in which nothing changed neither parses nor imports the analysis.

A report may depend on any file of the project, because facts cross files. So everything remembered belongs to one
stamp: the version and files of this package, the configuration, and name, time and size of every file that the analysis
may read. Where the stamp is another, nothing is known; results never depend on what is remembered.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from . import __version__
from .config import Config
from .model import Diagnostic, Note, Plan, Safety, Span
from .parallel.parcel import is_wanted, is_wanted_folder
from .run import Outcome
from .suppress import Unused

OUTCOMES = "outcomes.json"
_KEEPS_GIT_OUT = ".gitignore"
_MOST_FILES = 50_000
_SETTLED = 100_000_000
"""Nanoseconds after which a change of a file surely shows in its time."""
_CLASSES: dict[str, Any] = {kind.__name__: kind for kind in (Diagnostic, Note, Outcome, Plan, Safety, Span, Unused)}


def check_files(
    paths: Sequence[str], config: Config, named: frozenset[str], check: Callable[[Sequence[str]], list[Outcome]]
) -> list[Outcome]:
    """The outcome of every file, in the order of ``paths``; ``check`` is asked for those that are not remembered.

    ``named`` are the files that are parsed whatever is in them.
    """
    memory = Memory.of(config) if config.cache_dir else None
    if memory is None:
        return check(paths)
    known = {path: outcome for path in paths if (outcome := memory.outcome(path, path in named)) is not None}
    missing = [path for path in paths if path not in known]
    if missing:
        found = dict(zip(missing, check(missing), strict=True))
        memory.keep(found, named)
        known.update(found)
    return [known[path] for path in paths]


class Stamp(NamedTuple):
    """``digest`` names one state of a project; ``files`` are the absolute paths in it; ``newest`` is in nanoseconds."""

    digest: str
    files: frozenset[str]
    newest: int

    @classmethod
    def of(cls, config: Config) -> Stamp | None:
        """The stamp of the project, or None where the analysis may read files that it does not cover."""
        from hashlib import blake2b

        root = os.path.abspath(config.root)
        if os.path.exists(os.path.join(root, "__init__.py")):  # imports start above the root
            return None
        folders: set[str] = set()
        files: dict[str, tuple[int, int]] = {}
        for top in (os.path.dirname(__file__), root):
            if not _look_through(top, folders, files):
                return None
        roots = {os.path.normpath(os.path.join(root, source)) for source in config.src}
        if any(os.path.isdir(source) and source not in folders for source in roots):
            return None
        lines = [f"{path}\0{found}" for path, found in sorted(files.items())]
        text = "\n".join([repr((__version__, sys.version, os.getcwd(), config)), *lines])
        digest = blake2b(text.encode("utf-8", "surrogateescape"), digest_size=20).hexdigest()
        return cls(digest, frozenset(files), max(time for time, _ in files.values()))


class Memory:
    """The outcomes of one state of a project, in a file of the cache folder."""

    def __init__(self, path: str, stamp: Stamp, outcomes: dict[str, Any]) -> None:
        self.path = path
        self.stamp = stamp
        self.outcomes = outcomes

    @classmethod
    def of(cls, config: Config) -> Memory | None:
        """What is remembered for the project as it is; None where nothing can be."""
        stamp = Stamp.of(config)
        if stamp is None:
            return None
        path = os.path.join(config.root, config.cache_dir, OUTCOMES)
        return cls(path, stamp, _read(path, stamp.digest))

    def outcome(self, path: str, is_named: bool) -> Outcome | None:
        """The remembered outcome of the file at ``path``; one that is named has to have been named then, too."""
        if path not in self.outcomes or os.path.abspath(path) not in self.stamp.files:
            return None
        try:
            was_named, kept = self.outcomes[path]
            outcome = unpacked(kept) if kept else Outcome(path)
        except (AttributeError, KeyError, TypeError, ValueError):  # a damaged file
            return None
        return outcome if isinstance(outcome, Outcome) and was_named >= is_named else None

    def keep(self, outcomes: Mapping[str, Outcome], named: frozenset[str]) -> None:
        """Remember outcomes, unless a file is so new that a further change might not show."""
        if time.time_ns() - self.stamp.newest < _SETTLED:
            return
        for path, outcome in outcomes.items():
            if outcome.problem is None:
                self.outcomes[path] = path in named, packed(outcome) if outcome != Outcome(path) else None
        _write(self.path, {"stamp": self.stamp.digest, "outcomes": self.outcomes})


def clean(folder: str) -> bool:
    """Remove what was remembered in the cache folder, and the folder where nothing else is in it.

    Returns whether anything was there. Only files of ours go: a folder may have been configured that holds others.
    Raises ``OSError``.
    """
    ours = [entry for entry in _entries(folder) if entry.name.startswith(OUTCOMES) and entry.is_file()]
    if not ours:
        return False
    for entry in ours:
        os.unlink(entry.path)
    left = os.listdir(folder)
    if left in ([], [_KEEPS_GIT_OUT]):
        for name in left:
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)
    return True


def packed(value: Any) -> Any:
    """A value of the model as JSON can hold it."""
    if isinstance(value, Enum):
        return {type(value).__name__: [value.value]}
    if isinstance(value, tuple):
        parts = [packed(part) for part in value]
        return {type(value).__name__: parts} if hasattr(value, "_fields") else parts
    return value


def unpacked(value: Any) -> Any:
    """The value that was :func:`packed`."""
    if isinstance(value, list):
        return tuple(map(unpacked, value))
    if isinstance(value, dict):
        [(name, parts)] = value.items()
        return _class(name)(*map(unpacked, parts))
    return value


def _class(name: str) -> Any:
    if name not in _CLASSES:
        from .fix import plans

        _CLASSES.update({known: kind for known, kind in vars(plans).items() if hasattr(kind, "_fields")})
    return _CLASSES[name]


def _look_through(top: str, folders: set[str], files: dict[str, tuple[int, int]]) -> bool:
    """Add what the analysis may read below ``top``, each file with its time and size.

    False where that is not all: a link to a folder elsewhere, or more files than are worth looking at.
    """
    waiting, links = [top], []
    while waiting:
        folder = waiting.pop()
        folders.add(folder)
        for entry in _entries(folder):
            if is_wanted(entry.name) and entry.is_file():
                found = entry.stat()
                files[entry.path] = found.st_mtime_ns, found.st_size
            elif entry.is_dir() and is_wanted_folder(folder, entry.name):
                if entry.is_symlink():
                    links.append(entry.path)
                    files[entry.path] = entry.stat(follow_symlinks=False).st_mtime_ns, 0
                else:
                    waiting.append(entry.path)
        if len(files) > _MOST_FILES:
            return False
    return not links or {os.path.realpath(link) for link in links} <= {os.path.realpath(seen) for seen in folders}


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _read(path: str, digest: str) -> dict[str, Any]:
    import json

    try:
        with open(path, "rb") as file:
            found = json.load(file)
        return found["outcomes"] if found["stamp"] == digest and isinstance(found["outcomes"], dict) else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _write(path: str, content: dict[str, Any]) -> None:
    """Put the file there whole, or leave what was there."""
    import json

    folder, own = os.path.dirname(path), f"{path}.{os.getpid()}"
    try:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, _KEEPS_GIT_OUT), "w", encoding="utf-8") as file:
            file.write("*\n")
        with open(own, "w", encoding="utf-8") as file:
            json.dump(content, file)
        os.replace(own, path)
    except OSError:
        return
