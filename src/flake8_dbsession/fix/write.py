"""Writes a fixed file in one go: the old content or the new one, never half of it.

Only a file with several hard links is written in place, since a new file in its stead would part them.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import tempfile


class Changed(Exception):
    """The file is no longer what was read."""


def write(path: str, before: bytes, after: bytes) -> bool:
    """Puts ``after`` into the file at ``path``, which has to hold ``before``; says whether there was anything to write.

    The file keeps its mode and, where possible, its owner; a symbolic link stays one and its target changes.
    Raises :class:`Changed` when the content is another by now, and ``OSError``, ``PermissionError`` for a
    read-only file included; the file then is as it was.
    """
    if before == after:
        return False
    target = os.path.realpath(path)
    with open(target, "rb") as file:
        if file.read() != before:
            raise Changed(f"{path} has changed in the meantime")
    if not os.access(target, os.W_OK):
        raise PermissionError(13, "the file is read-only", path)
    if os.stat(target).st_nlink > 1:
        _overwrite(target, before, after)
    else:
        _replace(target, after)
    return True


def _overwrite(target: str, before: bytes, after: bytes) -> None:
    """Writes into the file itself, and the old content again where that fails."""
    with open(target, "r+b", buffering=0) as file:
        try:
            _fill(file, after)
        except BaseException:
            with contextlib.suppress(OSError):
                _fill(file, before)
            raise


def _fill(file: io.FileIO, data: bytes) -> None:
    file.seek(0)
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
    file.truncate()
    os.fsync(file.fileno())


def _replace(target: str, data: bytes) -> None:
    """Writes ``data`` beside ``target`` and moves it there."""
    status = os.stat(target)
    handle, beside = tempfile.mkstemp(prefix=".dbsession-", dir=os.path.dirname(target))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, stat.S_IMODE(status.st_mode))
        if hasattr(os, "chown"):
            with contextlib.suppress(OSError):
                os.chown(beside, status.st_uid, status.st_gid)
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
