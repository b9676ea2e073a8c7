"""Compares the reports of a file before and after fixes: which are gone, which stay, and which are new."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from ..model import Diagnostic


class State(NamedTuple):
    """The file at one moment, and its reports with their numbers in the first analysis."""

    data: bytes
    found: tuple[tuple[int, Diagnostic], ...]


Same = tuple[str, str, str]
"""What two reports have in common that are the same."""


class Failure(NamedTuple):
    """Why fixes must not stand, and which of them are to blame, as far as that can be seen."""

    reason: str
    suspects: frozenset[int] = frozenset()
    is_certain: bool = False
    """Whether every single one of them failed."""


def compared(state: State, batch: list[tuple[int, Diagnostic]], found: Sequence[Diagnostic]) -> Failure | None:
    """What is wrong with the reports after the fixes of ``batch``: one is still there, or one is new.

    A report that has only got another name for its session is not new.
    """
    surplus, certain = _surplus(_kind, state, batch, found)
    if not surplus:
        return None
    exact, _ = _surplus(_identity, state, batch, found)
    cured = {_identity(diagnostic) for _, diagnostic in batch}
    new = [each for each in map(_identity, found) if each in exact and each not in cured]
    if new:
        code, function, message = new[0]
        suspects = frozenset(number for number, diagnostic in batch if diagnostic.function == function)
        return Failure(f"the fix would bring a new finding: {code} {message}", suspects)
    suspects = frozenset(number for number, diagnostic in batch if _kind(diagnostic) in surplus)
    return Failure("the finding would still be there", suspects, certain)


def _surplus(
    same: Callable[[Diagnostic], Same],
    state: State,
    batch: list[tuple[int, Diagnostic]],
    found: Sequence[Diagnostic],
) -> tuple[Counter[Same], bool]:
    """The reports that are there and should not be, and whether every cured one is."""
    cured = Counter(same(diagnostic) for _, diagnostic in batch)
    before = Counter(same(diagnostic) for _, diagnostic in state.found)
    after = Counter(map(same, found))
    return after - (before - cured), all(after[each] >= before[each] for each in cured)


def _identity(diagnostic: Diagnostic) -> Same:
    """What stays of a report when its lines move."""
    words = diagnostic.message.split(" ")
    for number, (word, following) in enumerate(pairwise(words), 1):
        if word.strip("(,;") in ("line", "lines") and following.strip("),;.:").isdigit():
            words[number] = "#"
    return diagnostic.code, diagnostic.function, " ".join(words)


def _kind(diagnostic: Diagnostic) -> Same:
    """What stays of a report when its session gets another name as well."""
    code, function, message = _identity(diagnostic)
    parts = message.split("'")
    parts[1::2] = [part if "(" in part else "" for part in parts[1::2]]
    return code, function, "'".join(parts)


def numbered(
    state: State, batch: Iterable[tuple[int, Diagnostic]], found: Sequence[Diagnostic]
) -> tuple[tuple[int, Diagnostic], ...]:
    """The reports of the new file with the numbers they had: equal ones keep their order, others may be renamed."""
    cured = {number for number, _ in batch}
    waiting = [(number, diagnostic) for number, diagnostic in state.found if number not in cured]
    numbers: dict[int, int] = {}
    for same in (_identity, _kind):
        places: defaultdict[Same, list[int]] = defaultdict(list)
        for number, diagnostic in waiting:
            if number not in numbers.values():
                places[same(diagnostic)].append(number)
        for place, diagnostic in enumerate(found):
            if place not in numbers and places[same(diagnostic)]:
                numbers[place] = places[same(diagnostic)].pop(0)
    return tuple((numbers[place], diagnostic) for place, diagnostic in enumerate(found))
