"""The difference between two versions of a file, as a patch."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from ..source import encoding_of

_NO_NEWLINE = b"\\ No newline at end of file\n"


def patch(before: bytes, after: bytes, path: str) -> bytes:
    """A unified diff for ``git apply`` and ``patch``, with the very bytes of the file; empty where they are equal.

    Lines end at ``\\n``, as they do for these tools.
    """
    if before == after:
        return b""
    name = path.replace("\\", "/").encode("utf-8", "surrogateescape")
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        _lines(before),
        _lines(after),
        b"a/" + name,
        b"b/" + name,
        lineterm=b"\n",
    )
    return b"".join(_ended(lines))


def text(before: bytes, after: bytes, path: str) -> str:
    """The same for people: what cannot be decoded is shown as an escape."""
    try:
        encoding = encoding_of(before)
    except SyntaxError:
        encoding = "utf-8"
    return patch(before, after, path).decode(encoding.removesuffix("-sig"), "backslashreplace")


def _lines(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _ended(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Each line with a newline; one that has none in the file is marked."""
    for line in lines:
        yield line
        if not line.endswith(b"\n"):
            yield b"\n" + _NO_NEWLINE
