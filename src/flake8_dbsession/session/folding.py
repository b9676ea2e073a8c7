"""Which states of a node become one: a function with many branches would otherwise be followed once for each way.

States that agree on what matters to sessions join first. Where no session has been met yet, little matters: which
object or function a name stands for tells what is waited for and what is opened later on, a flag hardly anything. In a
very long body only the sessions that names lead to are kept apart there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from ..flow.solve import Fold
from .state import FAILED, State, join
from .values import CONSTANT, NONE, SESSION, contained

_MANY = 12
"""So many states are kept apart at a node."""
_FEW = 3
"""So many of them where none has met a session."""
_LONG = 600
"""A body of more nodes is very long: those of three hundred lines."""
_ENOUGH = 8
"""Down to so many an overfull set is folded."""


def is_crowded_apart(states: Collection[State]) -> bool:
    """Whether more states reach a node than are worth keeping apart where none of them has met a session."""
    return len(states) > _FEW and not any(state.lives for state in states)


def is_crowded(states: Collection[State]) -> bool:
    """Whether more states reach a node than are kept apart."""
    return len(states) > _MANY


def merge_apart(states: list[State]) -> list[State]:
    """Join the states that have met no session where they agree on what objects, functions and sessions names stand
    for; those with sessions stay as they are."""
    return grouped(states, _objects)


def merge_apart_roughly(states: list[State]) -> list[State]:
    """Join the states that have met no session where they agree on the sessions that names lead to."""
    return grouped(states, _within_reach)


def merge(states: list[State]) -> list[State]:
    """Fold an overfull set, as little as will do.

    States that agree on every session and flag join first; then those in which every session is in the same phases;
    then those that differ in what is None besides; then those in which the same sessions surely hold a connection; then
    those that agree on flags and on which names are sessions; then those that agree on which names are sessions; then
    those with the same kind of exception.
    """
    folded = states
    for key in _KEYS:
        folded = grouped(folded, key)
        if len(folded) <= _ENOUGH:
            break
    return folded


def grouped(states: Iterable[State], key: Callable[[State], object]) -> list[State]:
    """One state for each group of those with the same key."""
    groups: dict[object, State] = {}
    for state in states:
        group = key(state)
        groups[group] = join(groups[group], state) if group in groups else state
    return list(groups.values())


def _objects(state: State) -> object:
    return state if state.lives else (state.things, state.raising)


def _within_reach(state: State) -> object:
    return state if state.lives else (frozenset(name for name in state.things if contained(name[1])), state.raising)


def _sessions_and_flags(state: State) -> object:
    return frozenset(state.lives.items()), _flags(state)


def _phases_and_flags(state: State) -> object:
    return _phases(state), _flags(state)


def _phases_and_truths(state: State) -> object:
    """A parameter that may be left out says less of a session than whether the session holds its connection."""
    return _phases(state), _truths(state)


def _holding_and_truths(state: State) -> object:
    """What is sure of each session: that it has failed, or that it holds a connection."""
    sure = frozenset((r, life.phases == FAILED) for r, life in state.lives.items() if life.surely_holds)
    return sure, _truths(state)


def _phases(state: State) -> object:
    return frozenset((resource, life.phases) for resource, life in state.lives.items())


def _truths(state: State) -> object:
    told = frozenset(item for item in state.names.items() if item[1].kind in _FLAGS and item[1] != NONE)
    return told, state.raising


def _flags(state: State) -> object:
    told = frozenset(item for item in state.names.items() if item[1].kind in _FLAGS)
    return told, state.raising


def _sessions(state: State) -> object:
    return frozenset(item for item in state.names.items() if item[1].kind == SESSION), state.raising


def _exception(state: State) -> object:
    return state.raising


_FLAGS = frozenset({CONSTANT, SESSION})
_KEYS = (_sessions_and_flags, _phases_and_flags, _phases_and_truths, _holding_and_truths, _flags, _sessions, _exception)

FOLDS = (Fold(is_crowded_apart, merge_apart), Fold(is_crowded, merge))
"""The gentle one first."""
ROUGH_FOLDS = (Fold(is_crowded_apart, merge_apart_roughly), Fold(is_crowded, merge))
"""Those for very long bodies."""


def folds_for(nodes: int) -> tuple[Fold[State], ...]:
    """What makes fewer states in a body of so many nodes, the gentle way first."""
    return FOLDS if nodes <= _LONG else ROUGH_FOLDS
