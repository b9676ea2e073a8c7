"""Which files and folders there are below a project, each folder looked at once."""

from __future__ import annotations

import os
from typing import NamedTuple


class Inside(NamedTuple):
    """The names of what is right inside a folder; links count as what they lead to."""

    files: frozenset[str]
    folders: frozenset[str]


_NOTHING = Inside(frozenset(), frozenset())


class Folders:
    """The folders of the disk as they were when first asked for.

    A name that could be a module may be tried in many folders that do not exist: of those nothing is asked of the
    disk where the folder above has been looked at.
    """

    def __init__(self) -> None:
        self._known: dict[str, Inside] = {}

    def has_file(self, path: str) -> bool:
        """Whether there is a file at ``path``."""
        folder, name = os.path.split(path)
        return name in self.inside(folder).files

    def inside(self, folder: str) -> Inside:
        """What is in the folder; nothing where there is none."""
        known = self._known.get(folder)
        if known is None:
            known = self._known[folder] = _NOTHING if self._is_missing(folder) else _look_into(folder)
        return known

    def _is_missing(self, folder: str) -> bool:
        """Whether the nearest folder above that is known says that there is no such folder."""
        above, name = os.path.split(folder)
        known = self._known.get(above)
        if known is not None:
            return name not in known.folders and name not in ("", os.curdir, os.pardir)
        return above != folder and self._is_missing(above)


def in_package(path: str) -> bool:
    """Whether the file at ``path`` is a module of a package that says so itself."""
    return os.path.isfile(os.path.join(os.path.dirname(path), "__init__.py"))


def _look_into(folder: str) -> Inside:
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                (folders if entry.is_dir() else files).append(entry.name)
    except OSError:
        return _NOTHING
    return Inside(frozenset(files), frozenset(folders))
