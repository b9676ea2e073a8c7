"""A project as bytes, for workers that share no disk with us.

A parcel holds what the analysis may read below the root: every Python file, since any of them may be imported by a
file that is checked, and the files in which projects declare versions, processes and servers, up to a size. Left out
are folders that cannot be imported from and hold other people's code (names that begin with a dot, virtual
environments, ``node_modules``), and links to folders.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import tempfile

CODE = (".py", ".pyw", ".pyi")
DECLARATIONS = (".toml", ".cfg", ".ini", ".txt", ".in", ".yml", ".yaml", ".env", ".json", ".conf", ".lock", ".service")
NAMES = ("Procfile", "Dockerfile", "Containerfile", "Pipfile", "Makefile", ".env")
MOST_OF_A_DECLARATION = 1 << 20
MOST_OF_ALL = 1 << 30
"""Bytes, before compression."""
_LEFT_OUT = frozenset({"__pycache__", "node_modules", "site-packages"})
_TREES: dict[str, tempfile.TemporaryDirectory[str]] = {}
_MOST_TREES = 2


class TooLarge(Exception):
    """A project that does not fit into a parcel; the message is one line."""


class Parcel(NamedTuple):
    """Folders and compressed files by path relative to the root, with slashes; ``digest`` is that of the content."""

    digest: str
    folders: tuple[str, ...]
    files: tuple[tuple[str, bytes], ...]


def pack(root: str) -> Parcel:
    """The project at ``root``; files that cannot be read are left out. Raises :class:`TooLarge`."""
    import hashlib

    folders, files, size = [], [], 0
    digest = hashlib.sha256()
    for folder, names in _walk(root):
        folders.append(folder)
        for name in names:
            path = f"{folder}/{name}" if folder else name
            data = _content(os.path.join(root, path))
            if data is None:
                continue
            size += len(data)
            if size > MOST_OF_ALL:
                raise TooLarge(f"{root} holds more than {MOST_OF_ALL >> 20} MiB of code: check its parts one by one")
            digest.update(b"%d %b %d " % (len(path), os.fsencode(path), len(data)) + data)
            files.append((path, zlib.compress(data, 1)))
    return Parcel(digest.hexdigest(), tuple(folders), tuple(files))


def unpacked(parcel: Parcel) -> str:
    """A folder of this process with the parcel's content; made once, and gone when the process ends."""
    import tempfile

    if parcel.digest not in _TREES:
        while len(_TREES) >= _MOST_TREES:
            _TREES.pop(next(iter(_TREES))).cleanup()
        tree = tempfile.TemporaryDirectory(prefix="dbsession-")
        for folder in parcel.folders:
            os.makedirs(os.path.join(tree.name, folder), exist_ok=True)
        for path, data in parcel.files:
            with open(os.path.join(tree.name, path), "wb") as file:
                file.write(zlib.decompress(data))
        _TREES[parcel.digest] = tree
    return os.path.realpath(_TREES[parcel.digest].name)


def _walk(root: str) -> Iterator[tuple[str, list[str]]]:
    """Folders with the names of their files that belong into the parcel, in order."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if is_wanted_folder(folder, name))
        relative = os.path.relpath(folder, root).replace(os.sep, "/")
        yield "" if relative == "." else relative, sorted(filter(is_wanted, names))


def is_wanted_folder(folder: str, name: str) -> bool:
    """Whether the analysis may read anything in the folder ``name`` of ``folder``."""
    return not (name.startswith(".") or name in _LEFT_OUT or os.path.exists(os.path.join(folder, name, "pyvenv.cfg")))


def is_wanted(name: str) -> bool:
    """Whether the analysis may read a file of this name."""
    return name.endswith((*CODE, *DECLARATIONS)) or name.startswith(NAMES)


def _content(path: str) -> bytes | None:
    try:
        if not path.endswith(CODE) and os.path.getsize(path) > MOST_OF_A_DECLARATION:
            return None
        if not os.path.isfile(path):  # a pipe or a device
            return None
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None
