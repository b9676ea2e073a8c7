"""What is remembered where files come one by one, in processes that know nothing of each other: those of flake8.

Each process tells what it found when it ends. It adds that to what others have told meanwhile, one process at a time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from multiprocessing.util import Finalize

from ..config import Config
from ..run import Outcome
from .memory import Memory

NAME = "outcomes.flake8.json"
_PATIENCE = 2.0
"""Seconds after which a lock is taken to be left behind by a process that died."""


class OneByOne:
    """The outcomes of files that are asked for one after the other."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._found: dict[str, Outcome] = {}

    def outcome(self, path: str, data: bytes, find: Callable[[], Outcome]) -> Outcome:
        """The outcome of ``data`` as the content of the file at ``path``; ``find`` is asked where none is remembered.

        Nothing is remembered of a text that is not, byte for byte, what stands in the file: an editor's, or one that
        was decoded on the way.
        """
        memory = self._memory
        if memory is None or not memory.knows(path, data):
            return find()
        known = memory.outcome(path, is_named=False)
        if known is None:
            known = find()
            self._tell_at_the_end()
            self._found[path] = known
        return known

    @cached_property
    def _memory(self) -> Memory | None:
        return Memory.of(self._config, NAME) if self._config.cache_dir else None

    def _tell_at_the_end(self) -> None:
        """Have what was found remembered when this process ends, be it one of a pool or the only one."""
        if not self._found:
            Finalize(None, self.tell, exitpriority=0)

    def tell(self) -> None:
        """Remember what was found, beside what other processes have told since this one began."""
        if self._memory is None:
            return
        with _alone(self._memory.path):
            self._memory.add_from_disk()
            self._memory.keep(self._found, frozenset())


@contextmanager
def _alone(path: str) -> Iterator[None]:
    """While no other process is about to write the file at ``path``; where that cannot be had, all the same.

    What is lost then are outcomes, which are found again.
    """
    lock = f"{path}.lock"
    until = time.monotonic() + _PATIENCE
    while not _taken(lock) and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield
    finally:
        with suppress(OSError):
            os.unlink(lock)


def _taken(lock: str) -> bool:
    """Whether the lock is ours now; also where no lock can be made at all."""
    try:
        os.makedirs(os.path.dirname(lock), exist_ok=True)
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    except OSError:
        return True
    return True
