"""How far a long run has come, on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_AFTER = 1.0
"""Seconds after which a run is long."""
_EVERY = 0.1


@contextmanager
def progress(total: int, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """A function to tell how many of ``total`` files are done; it writes only to a terminal, and clears up after."""
    if quiet or not sys.stderr.isatty():
        yield lambda done: None
        return
    due = time.monotonic() + _AFTER
    shown = False

    def told(done: int) -> None:
        nonlocal due, shown
        now = time.monotonic()
        if now >= due:
            print(f"\rchecked {done} of {total} files", end="", file=sys.stderr, flush=True)
            due, shown = now + _EVERY, True

    try:
        yield told
    finally:
        if shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
