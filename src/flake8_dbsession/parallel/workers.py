"""The same work done for many items in several processes, in order, whatever happens to one of them.

Knows nothing of linting. Workers are forked: they inherit all that the parent has learnt, take chunks from a
shared pipe as they become free, and send results back through a pipe of their own.
"""

from __future__ import annotations

import os
import select
import signal
import struct
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

CAN_FORK = hasattr(os, "fork")
_NUMBER = struct.Struct("<I")
_HEADER = struct.Struct("<IQ")
_MOST_CHUNKS = 1024
"""Their numbers fit into a pipe, so that the parent can write them all before anyone reads."""


def available() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def in_order(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int,
    lost: Callable[[Item], Result],
    progress: Callable[[int], None] = lambda done: None,
) -> list[Result]:
    """``work(item)`` of every item, in the order of ``items``.

    ``lost`` gives the result of an item whose process died over it; the others are still done. ``progress`` is
    told how many items are done. On an interrupt no worker is left behind.
    """
    if jobs <= 1 or len(items) <= 1:
        return _here(work, items, progress)
    if not CAN_FORK:
        return _elsewhere(work, items, jobs, progress)
    size = max(1, min(32, len(items) // (jobs * 4)), -(-len(items) // _MOST_CHUNKS))
    chunks = [items[start : start + size] for start in range(0, len(items), size)]
    done = _Crew(work, chunks, progress).run(min(jobs, len(chunks)))
    for number, chunk in enumerate(chunks):
        if number not in done:
            done[number] = [_alone(work, item, lost) for item in chunk]
    return [result for number in range(len(chunks)) for result in done[number]]


def _here(work: Callable[[Item], Result], items: Sequence[Item], progress: Callable[[int], None]) -> list[Result]:
    results = []
    for item in items:
        results.append(work(item))
        progress(len(results))
    return results


def _elsewhere(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int, progress: Callable[[int], None]
) -> list[Result]:
    """Where processes cannot be forked: ``work`` and the items are pickled."""
    from concurrent.futures import ProcessPoolExecutor

    results = []
    with ProcessPoolExecutor(jobs) as pool:
        for result in pool.map(work, items, chunksize=max(1, min(32, len(items) // (jobs * 4)))):
            results.append(result)
            progress(len(results))
    return results


def _alone(work: Callable[[Item], Result], item: Item, lost: Callable[[Item], Result]) -> Result:
    """The item in a process of its own, because a chunk that held it was never finished."""
    done = _Crew(work, [[item]], lambda done: None).run(1)
    return done[0][0] if done else lost(item)


class _Crew(Generic[Item, Result]):
    """Forked workers over numbered chunks."""

    def __init__(
        self, work: Callable[[Item], Result], chunks: Sequence[Sequence[Item]], progress: Callable[[int], None]
    ) -> None:
        self.work = work
        self.chunks = chunks
        self.progress = progress
        self.workers: dict[int, int] = {}
        self.received: dict[int, bytearray] = {}
        self.done: dict[int, list[Result]] = {}

    def run(self, jobs: int) -> dict[int, list[Result]]:
        """The results of the chunks that were finished, by number."""
        tasks, feed = os.pipe()
        os.write(feed, b"".join(map(_NUMBER.pack, range(len(self.chunks)))))
        try:
            for _ in range(jobs):
                self._hire(tasks, feed)
            os.close(feed)
            self._collect()
        finally:
            os.close(tasks)
            self._dismiss()
        return self.done

    def _hire(self, tasks: int, feed: int) -> None:
        reading, writing = os.pipe()
        worker = os.fork()
        if worker == 0:
            os.close(feed)
            os.close(reading)
            _labour(self.work, self.chunks, tasks, writing)
        os.close(writing)
        self.workers[reading] = worker
        self.received[reading] = bytearray()

    def _collect(self) -> None:
        while self.received:
            for pipe in select.select(list(self.received), [], [])[0]:
                data = os.read(pipe, 1 << 16)
                if data:
                    self.received[pipe] += data
                    self._unpack(self.received[pipe])
                else:
                    del self.received[pipe]

    def _unpack(self, received: bytearray) -> None:
        import pickle

        while len(received) >= _HEADER.size:
            number, length = _HEADER.unpack_from(received)
            if len(received) < _HEADER.size + length:
                return
            self.done[number] = pickle.loads(received[_HEADER.size : _HEADER.size + length])
            del received[: _HEADER.size + length]
            self.progress(sum(map(len, self.done.values())))

    def _dismiss(self) -> None:
        for pipe, worker in self.workers.items():
            os.close(pipe)
            if pipe in self.received:  # it has not said goodbye
                os.kill(worker, signal.SIGKILL)
            os.waitpid(worker, 0)


def _labour(work: Callable[[Item], Result], chunks: Sequence[Sequence[Item]], tasks: int, writing: int) -> None:
    """The life of a worker; never returns."""
    try:
        import pickle

        signal.signal(signal.SIGINT, signal.SIG_DFL)
        while number := os.read(tasks, _NUMBER.size):
            chunk = _NUMBER.unpack(number)[0]
            payload = pickle.dumps([work(item) for item in chunks[chunk]], pickle.HIGHEST_PROTOCOL)
            _write(writing, _HEADER.pack(chunk, len(payload)) + payload)
    finally:
        os._exit(0)


def _write(pipe: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(pipe, rest) :]
