"""What came of a step that met no session, remembered for every state in which the same names stand for the same.

Most statements of most functions have nothing to do with sessions, and many states that reach them differ in nothing
that they mention. They are evaluated once; afterwards their outcome is a change of names, carried over to the next.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NamedTuple

from ..flow.graph import Kind, Node, Via
from .liveness import Step
from .state import State
from .values import COROUTINE, FUNCTION, OBJECT, PARTIAL, TUPLE, Value, values_in

Key = tuple[object, ...]
_REMEMBERED = frozenset({Kind.STATEMENT, Kind.TEST, Kind.ITERATE, Kind.ENTER, Kind.SUBJECT})
_MAY_CLOSE_OVER = frozenset({FUNCTION, PARTIAL, TUPLE, OBJECT, COROUTINE, "method", "closing"})


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Outcome(NamedTuple):
    """One way out of a step: the names that it binds anew and those it forgets, against the state it began with."""

    via: Via
    raising: str
    bound: tuple[tuple[str, Value], ...]
    forgotten: tuple[str, ...]
    result: Value | None

    @classmethod
    def of(cls, before: State, via: Via, after: State, returns: bool) -> Outcome:
        was, now = before.names, after.names
        bound: tuple[tuple[str, Value], ...] = ()
        forgotten: tuple[str, ...] = ()
        if now is not was:
            bound = tuple((name, value) for name, value in now.items() if was.get(name) is not value)
            forgotten = tuple(name for name in was if name not in now)
        return cls(via, after.raising, bound, forgotten, after.result if returns else None)

    def after(self, before: State) -> State:
        """The state in which another one leaves the same step."""
        if not self.bound and not self.forgotten and self.result is None:
            return before.raised(self.raising)
        names = {**before.names, **dict(self.bound)}
        for name in self.forgotten:
            names.pop(name, None)
        result = before.result if self.result is None else self.result
        return State(names, before.lives, self.raising, result, before.steps)


class Memory:
    """The outcomes of the steps of one body, with those that hold whoever calls it, and those of one solution alone."""

    def __init__(self, steps: list[Step], of_body: dict[Key, Kept] | None) -> None:
        self._steps = steps
        self._of_body: dict[Key, Kept] = {} if of_body is None else of_body
        self._of_solution: dict[Key, Kept] = {}

    def key(self, node: Node, state: State) -> Key | None:
        """What of a state decides on the outcome of a node; None where that cannot be said by names."""
        if node.kind not in _REMEMBERED or isinstance(node.syntax, _SCOPES):
            return None
        values = tuple([state.names.get(name) for name in self._steps[node.index].mentioned])
        for value in values:
            if value is not None and value.extra and value.kind in _MAY_CLOSE_OVER and closes_over(value):
                return None
        return node.index, state.raising, state.places, values

    def recall(self, key: Key) -> Kept | None:
        known = self._of_body.get(key)
        return self._of_solution.get(key) if known is None and self._of_solution else known

    def keep(
        self, key: Key, node: Node, before: State, ways: Iterable[tuple[Via, State]], met: int, *, for_all: bool
    ) -> None:
        """Remember the ways out of a node and what was met to find them, ``for_all`` callers of the body."""
        returns = isinstance(node.syntax, ast.Return)
        known = self._of_body if for_all else self._of_solution
        known[key] = Kept(tuple([Outcome.of(before, via, after, returns) for via, after in ways]), met)


class Kept(NamedTuple):
    """Every way out of a step, and what finding them rests on."""

    outcomes: tuple[Outcome, ...]
    met: int


def closes_over(value: Value) -> bool:
    """Whether a value may be a nested function, which finds names that nobody mentions."""
    if value.kind == FUNCTION:
        return len(value.extra) > 1 and value.extra[1] is not None
    return any(part.kind in _MAY_CLOSE_OVER and closes_over(part) for part in values_in(value.extra))
