"""Summaries of functions, remembered so that the order in which they are asked for changes nothing.

A function is solved once for each set of values that it is given, however it is reached. Calls that lead back to a
function which is still being solved cannot be followed: what was found of the functions on the way there holds only
until that one is solved, and is found anew when somebody asks later. So is what lies deeper than one may go.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ...files.sources import Sources
from ...session.summary import Summary
from ...session.values import Value

Key = tuple[Value, tuple[tuple[str, Value], ...]]
"""A function, and what it is given by name."""

DEPTH = 25
"""How many calls deep a function is followed. The longest chains of real code have fifteen, and a call takes twenty
frames of the interpreter, which has a thousand."""
NOWHERE = 1 << 60
"""The depth of no function."""
_TIMES = 2
"""How often a function may stand in a chain of calls: one that calls itself with more and more would never end."""


class Known(NamedTuple):
    """What is known of a function: None where it may not be followed; and what that rests on."""

    summary: Summary | None
    rests_on: int


class Frame:
    """A function that is being solved at a depth, and what is known below it until it is solved itself.

    ``returns_to`` is the depth of the outermost function that something below leads back to.
    """

    def __init__(self, key: Key, depth: int) -> None:
        self.key = key
        self.depth = depth
        self.returns_to = NOWHERE
        self.below: dict[Key, Known] = {}
        self.summary: Summary | None = None

    @property
    def is_alone(self) -> bool:
        """Whether nothing below leads back, so that it is the same wherever the function is asked for."""
        return self.returns_to == NOWHERE


class Solved:
    """What is known of functions."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._stack: list[Frame] = []
        self._known: dict[Key, Known] = {}

    def recall(self, key: Key) -> Known | None:
        """What is remembered of a function, or that it may not be followed here; None: solve it."""
        for frame in self._stack:
            if key in frame.below:
                self.leads_back(frame.depth)
                return self._met(frame.below[key])
        if key in self._known:
            return self._met(self._known[key])
        same = [frame for frame in self._stack if frame.key[0] == key[0]]
        again = next((frame for frame in same if frame.key == key), same[-1] if len(same) >= _TIMES else None)
        if again is None and len(self._stack) < DEPTH:
            return None
        self.leads_back(again.depth if again is not None else 0)
        return Known(None, 0)

    @contextmanager
    def solving(self, key: Key) -> Iterator[Frame]:
        """Solve a function inside the block: what the frame's ``summary`` is at the end is remembered."""
        frame = Frame(key, len(self._stack))
        self._stack.append(frame)
        around, self._sources.met = self._sources.met, 0
        try:
            yield frame
        finally:
            self._stack.pop()
            is_whole = frame.returns_to >= frame.depth
            known = self._known if is_whole else self._stack[frame.returns_to].below
            known[key] = Known(frame.summary, self._sources.met)
            self._sources.met |= around
            if not is_whole:
                self.leads_back(frame.returns_to)

    def leads_back(self, depth: int = 0) -> None:
        """What is being solved is not known for good before the function at ``depth`` is."""
        if self._stack:
            self._stack[-1].returns_to = min(self._stack[-1].returns_to, depth)

    def lose(self, sources: int) -> None:
        """Forget what rests on one of the sources, a set of bits."""
        if sources:
            self._known = {key: known for key, known in self._known.items() if not known.rests_on & sources}

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What is asked inside the block is asked as if nothing were being solved, wherever the block stands."""
        stack, self._stack = self._stack, []
        try:
            yield
        finally:
            self._stack = stack

    def _met(self, known: Known) -> Known:
        self._sources.met |= known.rests_on
        return known
