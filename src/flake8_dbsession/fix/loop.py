"""Fixes a file round by round: carry plans out, analyse again, and take back what did not do what it promised."""

from __future__ import annotations

import enum
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ..model import Diagnostic, Plan, Safety
from ..source import Unreadable
from .compare import Failure, State, compared, numbered

Analyse = Callable[[bytes, str], list[Diagnostic]]
OVERLAPS = "overlaps another fix"


class Fate(enum.Enum):
    """What became of a report."""

    FIXED = "fixed"
    REFUSED = "refused"
    NOT_OFFERED = "not offered"
    UNSAFE = "unsafe fix not allowed"
    DISPLAY = "display-only"
    UNWANTED = "not wanted"


class Verdict(NamedTuple):
    """A report of the first analysis and what became of it; ``reason`` is empty where it was fixed."""

    diagnostic: Diagnostic
    fate: Fate
    reason: str = ""


class Fixed(NamedTuple):
    """The new bytes (the very old ones where nothing changed), a verdict per report, and the reports that are left."""

    data: bytes
    verdicts: tuple[Verdict, ...]
    left: tuple[Diagnostic, ...]
    rounds: int


class Stop(Exception):
    """Raised by ``ask``: no further fix is wanted."""


def fix(
    data: bytes,
    path: str,
    analyse: Analyse,
    *,
    unsafe: bool,
    wanted: Callable[[Diagnostic], bool] | None = None,
    ask: Callable[[Diagnostic, bytes, bytes], bool] | None = None,
    found: Sequence[Diagnostic] | None = None,
    max_rounds: int = 10,
    noqa: str = "ORM",
    surely: Analyse | None = None,
) -> Fixed:
    """Fixes what ``analyse`` reports in ``data``, with unsafe fixes too where ``unsafe``.

    ``wanted`` chooses among the reports. With ``ask``, fixes go in one by one, each only after ``ask`` agreed to it,
    given the report and the file before and after; it may raise :class:`Stop`. Each round has to give a
    file that compiles, without the finding, and without a finding that was not there before; a fix that
    does not is taken back and reported as refused. ``found`` is what ``analyse`` reports for ``data``, where that is
    known already. ``noqa`` is what a code has to begin with for its
    ``# noqa`` to protect a line from fixes. ``surely`` is asked as well before a fix is taken back.
    Raises what ``analyse`` raises for ``data``.
    """
    loop = _Loop(path, analyse, surely, noqa, ask)
    first = analyse(data, path) if found is None else found
    state = State(data, tuple(enumerate(first)))

    def offered(diagnostic: Diagnostic) -> bool:
        return _hindrance(diagnostic, unsafe, wanted) is None

    rounds = 0
    try:
        while rounds < max_rounds and (batch := loop.next_batch(state, offered)):
            after = loop.step(state, batch)
            if after is not None:
                state, rounds = after, rounds + 1
    except Stop:
        loop.declined = "stopped"
    left = dict(state.found)
    verdicts = []
    for number, diagnostic in enumerate(first):
        if number not in left:
            verdicts.append(Verdict(diagnostic, Fate.FIXED))
        else:
            fate, reason = _hindrance(left[number], unsafe, wanted) or loop.reason(number, rounds)
            verdicts.append(Verdict(diagnostic, fate, reason))
    return Fixed(state.data, tuple(verdicts), tuple(left.values()), rounds)


def _hindrance(
    diagnostic: Diagnostic, unsafe: bool, wanted: Callable[[Diagnostic], bool] | None
) -> tuple[Fate, str] | None:
    """Why the fix of a report is not tried; None: it is."""
    plan = diagnostic.plan
    if plan is None:
        return Fate.NOT_OFFERED, diagnostic.refusal
    if plan.safety is Safety.DISPLAY:
        return Fate.DISPLAY, plan.reason
    if plan.safety is Safety.UNSAFE and not unsafe:
        return Fate.UNSAFE, plan.reason
    if wanted is not None and not wanted(diagnostic):
        return Fate.UNWANTED, ""
    return None


class _Loop:
    """What stays the same, and what was learnt, over the rounds of one file."""

    def __init__(
        self,
        path: str,
        analyse: Analyse,
        surely: Analyse | None,
        noqa: str,
        ask: Callable[[Diagnostic, bytes, bytes], bool] | None,
    ) -> None:
        self.path, self.analyse, self.surely, self.noqa, self.ask = path, analyse, surely, noqa, ask
        self.refused: dict[int, tuple[str, bytes]] = {}
        """By report, why its fix was taken back, and on which file."""
        self.unwanted: set[int] = set()
        self.apart: set[int] = set()
        """The reports whose fixes failed together with others of their function: they are tried one by one."""
        self.declined = ""

    def reason(self, number: int, rounds: int) -> tuple[Fate, str]:
        """Why a report that could have been fixed was not."""
        if number in self.refused:
            return Fate.REFUSED, self.refused[number][0]
        if number in self.unwanted or self.declined:
            return Fate.UNWANTED, "declined"
        return Fate.REFUSED, f"not reached in {rounds} rounds"

    def next_batch(self, state: State, offered: Callable[[Diagnostic], bool]) -> list[tuple[int, Diagnostic]]:
        """The reports to fix next; those refused on an older file come last, once more."""
        open_ones = [(n, d) for n, d in state.found if n not in self.unwanted and offered(d)]
        batch = _urgent([(n, d) for n, d in open_ones if n not in self.refused])
        if not batch:
            batch = [(n, d) for n, d in open_ones if self.refused[n][1] != state.data]
        if self.ask and batch:
            return [(n, d) for n, d in batch if d.plan == batch[0][1].plan]
        return [(n, d) for n, d in batch if n not in self.apart] or _one_of_each_function(batch)

    def step(self, state: State, batch: list[tuple[int, Diagnostic]]) -> State | None:
        """The state after as many fixes of ``batch`` as go well together, or None after refusing at least one."""
        from .carry_out import carry_out

        while True:
            done = carry_out(state.data, self.path, _plans(batch), noqa=self.noqa)
            for plan, reason in done.refused:
                if reason != OVERLAPS:
                    self.refuse(state, batch, [plan], reason)
            if not done.applied:
                return None
            batch = [(n, d) for n, d in batch if d.plan in done.applied]
            after = self.judge(state, done.data, batch)
            if isinstance(after, State):
                return self.asked(after, state, batch)
            if after.is_certain or len(done.applied) == 1:
                self.refuse(state, batch, done.applied, after.reason)
                return None
            blamed = [(n, d) for n, d in batch if n in after.suspects]
            if len(_plans(blamed)) == 1 and self.apart.issuperset(n for n, _ in batch):
                self.refuse(state, blamed, done.applied, after.reason)
            self.apart |= after.suspects
            batch = _less(batch, after.suspects)

    def refuse(self, state: State, batch: Iterable[tuple[int, Diagnostic]], plans: Sequence[Plan], reason: str) -> None:
        """Keeps in mind that ``plans`` do not work on this file."""
        for number, diagnostic in batch:
            if diagnostic.plan in plans:
                self.refused[number] = reason, state.data

    def asked(self, after: State, state: State, batch: list[tuple[int, Diagnostic]]) -> State | None:
        """``after``, where the user wants it."""
        if self.ask is None or self.ask(batch[0][1], state.data, after.data):
            return after
        self.unwanted.update(number for number, _ in batch)
        return None

    def judge(self, state: State, data: bytes, batch: list[tuple[int, Diagnostic]]) -> State | Failure:
        """The state with ``data``, or why the fixes of ``batch`` must not stand."""
        if data == state.data:
            return Failure("the fix changes nothing")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(data, self.path, "exec", dont_inherit=True)
            found = self.analyse(data, self.path)
            if self.surely is not None and compared(state, batch, found) is not None:
                found = self.surely(data, self.path)
        except (SyntaxError, ValueError, RecursionError) as error:
            return Failure(f"the result would not compile: {getattr(error, 'msg', error)}")
        except Unreadable as error:
            return Failure(f"the result {error.message}")
        return compared(state, batch, found) or State(data, numbered(state, batch, found))


def _urgent(batch: list[tuple[int, Diagnostic]]) -> list[tuple[int, Diagnostic]]:
    """What goes before waits (ORM2): a session that is given back elsewhere may hold nothing there any more."""
    return [(n, d) for n, d in batch if not d.code.startswith("ORM2")] or batch


def _less(batch: list[tuple[int, Diagnostic]], suspects: frozenset[int]) -> list[tuple[int, Diagnostic]]:
    """A part of ``batch`` to try first: what is not suspect, or else the first half."""
    plans = _plans(batch)
    blamed = [d.plan for n, d in batch if n in suspects]
    first = [plan for plan in plans if plan not in blamed] or plans[: len(plans) // 2]
    if len(first) == len(plans):
        first = plans[: len(plans) // 2]
    return [(n, d) for n, d in batch if d.plan in first]


def _one_of_each_function(batch: list[tuple[int, Diagnostic]]) -> list[tuple[int, Diagnostic]]:
    """The reports with the first plan of each function, so that it is clear which one is to blame."""
    first: dict[str, Plan | None] = {}
    return [(n, d) for n, d in batch if first.setdefault(d.function, d.plan) == d.plan]


def _plans(batch: Iterable[tuple[int, Diagnostic]]) -> list[Plan]:
    """The plans of some reports, each once."""
    return list(dict.fromkeys(diagnostic.plan for _, diagnostic in batch if diagnostic.plan is not None))
