"""The budget: processes × (pool_size + max_overflow), summed over engines, against what the server allows.

Every number is a :class:`~.factors.Factor` with the place it comes from. Nothing is added up that is not known:
:attr:`Budget.total` is None where a factor is missing, and :attr:`Budget.at_least` is what holds in any case.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from .factors import Factor, How, Processes
from .parts import Part, parts_of
from .shares import UNLIMITED, Share, shares_of

if TYPE_CHECKING:
    from ..config import Pool
    from .servers import Limits
    from .survey import Survey


class Fit(NamedTuple):
    """Settings that fit: for ``processes`` processes and ``engines`` engines in each."""

    processes: int
    engines: int
    size: int
    overflow: int

    @property
    def total(self) -> int:
        return self.processes * self.engines * (self.size + self.overflow)


class Budget(NamedTuple):
    """All factors for one server. ``sources`` says which kind of file the processes were read from and which others
    describe them too."""

    limits: Limits
    parts: tuple[Part, ...]
    shares: tuple[Share, ...]
    sources: tuple[str, ...]

    @property
    def processes(self) -> tuple[Processes, ...]:
        return tuple(process for part in self.parts for process in part.processes)

    @property
    def process_count(self) -> int | None:
        return summed(part.number for part in self.parts)

    @property
    def total(self) -> int | None:
        """The connections that the application may come to; None where a factor is unknown."""
        total = summed(part.total for part in self.parts)
        return None if total is None else min(UNLIMITED, total)

    @property
    def at_least(self) -> int:
        """What it may come to whatever the unknown factors are: one process where the number is unknown."""
        return min(UNLIMITED, sum(part.at_least for part in self.parts))

    @property
    def verdict(self) -> str:
        """ "fits", "over", or "unknown" where a factor that decides is missing."""
        usable = self.limits.usable
        if usable is None or not self.shares:
            return "unknown"
        if self.at_least > usable:
            return "over"
        return "fits" if self.total is not None else "unknown"

    @property
    def is_proven(self) -> bool:
        """Whether "over" rests on nothing assumed: the server's limit is written or configured, or already one
        engine of one process goes beyond the documented default."""
        if self.verdict != "over" or any(share.capacity is None for share in self.shares):
            return False
        return self.limits.connections.how is not How.ASSUMED or bool(self._too_large(in_all=False))

    @property
    def to_blame(self) -> tuple[Share, ...]:
        """The engines that are too large by themselves where there are any; else all together are."""
        return self._too_large(in_all=self.limits.connections.how is not How.ASSUMED) or self.shares

    def _too_large(self, *, in_all: bool) -> tuple[Share, ...]:
        """The engines that are too large for the server, in one process or in all that load them."""
        usable = self.limits.usable or 0
        counts = {s: summed(part.number for part in self.parts if s in part.shares) or 1 for s in self.shares}
        return tuple(s for s, count in counts.items() if (count if in_all else 1) * (s.capacity or 0) > usable)

    @property
    def missing(self) -> list[Factor]:
        """The factors that are not known."""
        factors = [p.workers for p in self.processes] + [p.copies for p in self.processes if p.copies]
        factors += [f for s in self.shares for f in (s.size, s.overflow)] + [self.limits.connections]
        return [f for f in factors if f.number is None]

    def fit(self) -> Fit | None:
        """Settings that fit the server; None where even one connection for each engine is too many or nothing is
        known."""
        if self.limits.usable is None or not self.shares:
            return None
        processes = self.process_count or max(1, len(self.processes))
        return fitting(self.limits.usable, processes, max(len(part.shares) for part in self.parts))


def summed(numbers: Iterable[int | None]) -> int | None:
    """The sum of what is known; None where something is not."""
    known = list(numbers)
    return None if None in known else sum(number for number in known if number)


def fitting(usable: int, processes: int, engines: int = 1) -> Fit | None:
    """The largest pool that fits: a third of each engine's part stays open, the rest is overflow.

    With three connections for each process that is 1 + 2. None where a process gets none at all.
    """
    part = usable // (processes * engines)
    if part < 1:
        return None
    size = max(1, part // 3)
    return Fit(processes, engines, size, part - size)


@functools.lru_cache(maxsize=8)
def budgets(survey: Survey) -> list[Budget]:
    """One budget for each kind of server that the project's engines talk to (engines of unknown kind together)."""
    shares = sorted(shares_of(survey), key=lambda s: (s.dialect, s.path, s.line))
    processes, sources = _processes(survey)
    groups = [(kind, tuple(group)) for kind, group in itertools.groupby(shares, key=lambda s: s.dialect)]
    if not groups:
        groups = [(survey.configured.server, ())]
    return [_budget(survey, kind, parts_of(survey, processes, group), group, sources) for kind, group in groups]


def _budget(
    survey: Survey, kind: str, parts: tuple[Part, ...], shares: tuple[Share, ...], sources: tuple[str, ...]
) -> Budget:
    loaded = frozenset(share for part in parts for share in part.shares)
    return Budget(survey.limits(kind), parts, tuple(share for share in shares if share in loaded), sources)


def _processes(survey: Survey) -> tuple[tuple[Processes, ...], tuple[str, ...]]:
    configured = configured_processes(survey.configured)
    if configured:
        return configured, ("configuration",)
    found = survey.deployment
    return found.processes, (found.kind, *found.others) if found.kind else ()


def configured_processes(pool: Pool) -> tuple[Processes, ...]:
    """What the user says about processes."""
    if pool.workers:
        return tuple(Processes(kind, "", Factor("workers", n, how=How.CONFIGURED)) for kind, n in pool.workers)
    if pool.processes:
        return (Processes("all", "", Factor("workers", pool.processes, how=How.CONFIGURED)),)
    return ()


def relative(path: str, root: str) -> str:
    """``path`` as seen from ``root``; "" stays ""."""
    return os.path.relpath(path, root) if path else ""
