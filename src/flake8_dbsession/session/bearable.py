"""How much is remembered of what is made of other things, each of which may hold the one before more than once."""

from __future__ import annotations

from .moment import Moment
from .values import UNKNOWN, Value, contained, values_in

_HEAVIEST = 4096
"""Of how many values a tuple, a dictionary or what is called later is made at most: a long table has some hundred."""
_HEAVIEST_OBJECT = 256
"""Of how many an object is made at most; in applications of a thousand files it is seldom more than 200."""


def bearable(now: Moment, value: Value) -> Value:
    """A value, or UNKNOWN for one that is made of more than is followed; what that holds is given away.

    ``pair = (pair, pair)`` doubles it, as do calls that give each other what they have been given twice.
    """
    if weight(value) <= _HEAVIEST:
        return value
    now.give(value)
    return UNKNOWN


def weight(value: Value) -> int:
    """Of how many values one is made, each counted as often as it stands there."""
    return 1 + sum(map(weight, values_in(value.extra)))


def light_enough(attributes: list[tuple[str, Value]]) -> set[str]:
    """The names of those that are remembered, up to what is bearable: those with sessions first, then the lighter ones.

    Objects made of objects grow without end: each that holds the one before twice is twice as heavy. Of what is not
    remembered nothing is known but what its class says.
    """
    weights = sorted((not contained(value), weight(value), name) for name, value in attributes)
    left, kept = _HEAVIEST_OBJECT, set()
    for _, heavy, name in weights:
        left -= heavy
        if left >= 0:
            kept.add(name)
    return kept
