"""Paths as services that show reports want them: relative to the root of the repository, with slashes."""

from __future__ import annotations

import os


def relative(path: str, root: str) -> str:
    """``path`` as seen from ``root``, with slashes; one that is not below ``root`` stays as it is."""
    if root and os.path.isabs(path):
        try:
            inner = os.path.relpath(path, root)
        except ValueError:  # another drive
            inner = path
        path = path if inner.startswith("..") else inner
    path = path.replace(os.sep, "/")
    return path[2:] if path.startswith("./") else path
