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
from .values import COROUTINE, FUNCTION, OBJECT, PARTIAL, TUPLE, Value

Key = tuple[object, ...]
_REMEMBERED = frozenset({Kind.STATEMENT, Kind.TEST, Kind.ITERATE, Kind.ENTER, Kind.SUBJECT})
_MAY_CLOSE_OVER = frozenset({FUNCTION, PARTIAL, TUPLE, OBJECT, COROUTINE, "method", "closing"})


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
    """The outcomes of one step."""

    def __init__(self, node: Node, step: Step) -> None:
        is_scope = isinstance(node.syntax, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        self._mentioned = step.mentioned if node.kind in _REMEMBERED and not is_scope else None
        self._returns = isinstance(node.syntax, ast.Return)
        self._known: dict[Key, tuple[Outcome, ...]] = {}

    def key(self, state: State) -> Key | None:
        """What of a state decides on the outcome; None where that cannot be said by names."""
        if self._mentioned is None:
            return None
        values = tuple([state.names.get(name) for name in self._mentioned])
        for value in values:
            if value is not None and value.kind in _MAY_CLOSE_OVER and closes_over(value):
                return None
        return state.raising, state.places, values

    def recall(self, key: Key) -> tuple[Outcome, ...] | None:
        return self._known.get(key)

    def keep(self, key: Key, before: State, outcomes: Iterable[tuple[Via, State]]) -> None:
        self._known[key] = tuple(Outcome.of(before, via, after, self._returns) for via, after in outcomes)


def closes_over(value: Value) -> bool:
    """Whether a value may be a nested function, which finds names that nobody mentions."""
    if value.kind == FUNCTION:
        return len(value.extra) > 1 and value.extra[1] is not None
    parts = (piece for part in value.extra for piece in (part if type(part) is tuple else (part,)))
    return any(isinstance(part, Value) and part.kind in _MAY_CLOSE_OVER and closes_over(part) for part in parts)
