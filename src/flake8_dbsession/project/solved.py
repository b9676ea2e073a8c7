"""Summaries of functions, remembered so that the order in which they are asked for changes nothing.

A call is followed only so deep. What was found with little room left may be cut short, so it is remembered for just
that room; what was found whole, with the height it took, serves wherever there is as much room.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager

from ..session.summary import Summary


class Frame:
    """A function being solved: how many calls deep it went so far, and whether something below was cut off."""

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.height = 1
        self.is_cut = False
        self.summary: Summary | None = None


class Solved:
    """What is known of functions, asked for at most ``depth`` calls deep."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._stack: list[Frame] = []
        self._whole: dict[Hashable, tuple[int, Summary | None, int]] = {}
        self._cut: dict[tuple[Hashable, int], tuple[Summary | None, int]] = {}
        self._bits: dict[str, int] = {}
        self._files = 0
        """The files met so far by whatever is being solved."""

    @property
    def room(self) -> int:
        """How many calls deeper one may still go."""
        return self._depth - len(self._stack)

    def recall(self, key: Hashable) -> tuple[Summary | None] | None:
        """What is remembered of a function, or that it may not be followed (a summary of None); None: solve it."""
        if self.room <= 0 or any(frame.key == key for frame in self._stack):
            self._below(0, cut=True)
            return (None,)
        whole = self._whole.get(key)
        if whole is not None and whole[0] <= self.room:
            self._below(whole[0], cut=False)
            self._files |= whole[2]
            return (whole[1],)
        if (key, self.room) in self._cut:
            self._below(0, cut=True)
            summary, files = self._cut[key, self.room]
            self._files |= files
            return (summary,)
        return None

    @contextmanager
    def solving(self, key: Hashable, path: str) -> Iterator[Frame]:
        """Solve a function of the file at ``path`` inside the block: what the frame's ``summary`` is at the end is
        remembered."""
        frame, room = Frame(key), self.room
        self._stack.append(frame)
        around, self._files = self._files, self._bits.setdefault(path, 1 << len(self._bits))
        try:
            yield frame
        finally:
            self._stack.pop()
            if frame.is_cut:
                self._cut[key, room] = (frame.summary, self._files)
            else:
                self._whole[key] = (frame.height, frame.summary, self._files)
            self._files |= around
            self._below(frame.height, cut=frame.is_cut)

    def lose(self, paths: Iterable[str]) -> None:
        """Forget the functions that stand in one of the files at ``paths``, or call one that does."""
        lost = sum({self._bits.get(path, 0) for path in paths})
        self._whole = {key: known for key, known in self._whole.items() if not known[2] & lost}
        self._cut = {key: known for key, known in self._cut.items() if not known[1] & lost}

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What is asked inside the block is asked with all the room there is, wherever the block stands."""
        stack, self._stack = self._stack, []
        try:
            yield
        finally:
            self._stack = stack

    def _below(self, height: int, *, cut: bool) -> None:
        if self._stack:
            above = self._stack[-1]
            above.height = max(above.height, height + 1)
            above.is_cut = above.is_cut or cut
