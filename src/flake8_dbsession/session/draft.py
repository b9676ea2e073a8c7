"""A state while a statement is carried out on it: what may be changed, what comes of it, and what leaves it by raising.

The lives of sessions are copied when they are first asked for; a statement that never asks meets no session.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from .events import Event, Happening
from .state import AT_ENTRY, Life, State
from .summary import Own
from .values import Resource


class Draft:
    """A state on its way from one node to the next. ``sink`` collects events."""

    def __init__(self, state: State, sink: dict[Event, None]) -> None:
        self.names = dict(state.names)
        self._lives = state.lives
        self._steps = state.steps
        self.is_apart = True
        """Nothing of any session was asked or changed so far, so the names alone decide what comes of it."""
        self.raising = state.raising
        self.result = state.result
        self.sink = sink
        self.before = state
        self.failures: list[tuple[str, dict[Resource, Life]]] = []
        self.own: Own | None = None
        """Where a session of this function, or a registry, takes a connection, and the way on from there."""
        self.is_dead = False
        """A function that only ever raises was called: nothing comes after it."""
        self.used: set[Resource] = set()
        """The sessions that SQL or a commit meets as they were when the function was entered."""
        self.closed: set[Resource] = set()
        """The sessions that are closed here."""

    def take_over(self, other: Draft) -> None:
        """From here on it is as another one of the same state is by now."""
        self.names, self.result, self.is_apart = dict(other.names), other.result, other.is_apart
        if not other.is_apart:
            self._lives, self._steps = dict(other._lives), dict(other._steps)
        self.raising, self.failures, self.own = other.raising, list(other.failures), other.own
        self.used, self.closed, self.is_dead = set(other.used), set(other.closed), other.is_dead

    # -- what is known

    @property
    def lives(self) -> dict[Resource, Life]:
        if self.is_apart:
            self.meet()
        return self._lives

    @lives.setter
    def lives(self, lives: dict[Resource, Life]) -> None:
        self.meet()
        self._lives = lives

    @property
    def steps(self) -> dict[Any, Any]:
        if self.is_apart:
            self.meet()
        return self._steps

    def meet(self) -> None:
        """From here on the lives of sessions, or what the function leaves behind, take part."""
        if self.is_apart:
            self.is_apart = False
            self._lives, self._steps = dict(self._lives), dict(self._steps)

    def life(self, resource: Resource) -> Life:
        return self.lives.get(resource, AT_ENTRY)

    def state(self) -> State:
        now = (self._lives, self.names, self._steps, self.raising, self.result)
        before = self.before
        if now == (before.lives, before.names, before.steps, before.raising, before.result):
            return before
        return State(self.names, self._lives, self.raising, self.result, self._steps)

    def failed_states(self) -> Iterable[State]:
        """The states in which an exception leaves the statement; what it was about to bind is not bound."""
        seen: list[tuple[str, dict[Resource, Life]]] = []
        for raising, lives in self.failures:
            if (raising, lives) not in seen:
                seen.append((raising, lives))
                if self.is_apart and self.result is self.before.result:
                    yield self.before.raised(raising)
                else:
                    yield State(self.before.names, lives, raising, self.result, self._steps)

    def event(self, happening: Happening, node: ast.AST, resource: Resource | None = None, detail: Any = None) -> None:
        self.meet()
        if self.is_behind_turns(node, resource):
            return
        taken = self._steps.get(resource) if resource is not None else None
        self.sink.setdefault(Event(happening, node, resource, detail, taken))

    def is_behind_turns(self, node: ast.AST, resource: Resource | None) -> bool:
        """Whether the loop over a generator that has the session is left, by an exception too: the generator ends with
        it."""
        loop = self._steps.get(("turns", resource)) if self._steps else None
        line = getattr(node, "lineno", 0)
        return loop is not None and not loop.lineno <= line <= loop.end_lineno

    # -- exceptions

    def may_raise(self, raising: str = "other", lives: dict[Resource, Life] | None = None) -> None:
        """From here an exception of this kind may leave; "other" makes no second entry for the same lives."""
        if lives is None:
            lives = self._lives if self.is_apart else dict(self._lives)
        self.failures.append((raising, lives))
