"""Which processes load which engines: a budget adds up what both may come to together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from .factors import Processes
from .jobs import reached_by_jobs
from .reached import files_by_name, reached
from .settings import knowledge
from .shares import UNLIMITED, Share

if TYPE_CHECKING:
    from .survey import Survey


class Part(NamedTuple):
    """Processes that load the same engines; one process of an unknown kind where none is known."""

    processes: tuple[Processes, ...]
    shares: tuple[Share, ...]

    @property
    def number(self) -> int | None:
        """All processes; None where a number is unknown."""
        counts = [p.number for p in self.processes]
        return sum(c for c in counts if c) if counts and None not in counts else None

    @property
    def least(self) -> int:
        """The processes that there are in any case: one of each whose number is unknown."""
        return sum(p.number or 1 for p in self.processes) or 1

    @property
    def capacity(self) -> int | None:
        """What all engines together may take in one process; None where one is unknown."""
        capacities = [s.capacity for s in self.shares]
        return sum(c for c in capacities if c) if None not in capacities else None

    @property
    def total(self) -> int | None:
        """What the processes may come to; None where a factor is unknown."""
        return None if self.number is None or self.capacity is None else min(UNLIMITED, self.number * self.capacity)

    @property
    def at_least(self) -> int:
        """What they may come to whatever the unknown factors are."""
        return min(UNLIMITED, self.least * sum(s.capacity or 0 for s in self.shares))


def parts_of(survey: Survey, processes: Sequence[Processes], shares: Sequence[Share]) -> tuple[Part, ...]:
    """The processes that load an engine, those together that load the same; all processes with all engines where none
    is seen to load any. A process that is told no module of the project may load every engine."""
    files = frozenset(share.path for share in shares)
    by_files: dict[frozenset[str], list[Processes]] = {}
    for process in processes:
        loaded = files & (loaded_by(survey, process) or files)
        if loaded:
            by_files.setdefault(loaded, []).append(process)
    if not by_files:
        return (Part(tuple(processes), tuple(shares)),)
    return tuple(Part(tuple(each), tuple(s for s in shares if s.path in found)) for found, each in by_files.items())


def loaded_by(survey: Survey, process: Processes) -> frozenset[str]:
    """The files that a process loads: what it serves, or the jobs of the project; none where that is not seen."""
    if knowledge().programs.get(process.program, {}).get("jobs"):
        return reached_by_jobs(survey)
    begins = files_by_name(survey).get(process.loads, ())
    return reached(survey, tuple(begins)) if begins else frozenset()
