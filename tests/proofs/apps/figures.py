"""What the looks at the server and at the pools come to."""

from __future__ import annotations

import bisect
from typing import Any, NamedTuple

from .looking import Connection
from .run import PoolLook, Run

IDLE = 0.2
"""Seconds that a connection sleeps before it counts as idle: longer than the pause between two statements, and than
that between two looks."""
STALE = 0.5
"""Seconds after which what a process said of its pool says nothing any more: it has ended."""


class Moment(NamedTuple):
    """``second`` of the load: connections to the server, connections out of their pools, and those of them that
    sleep, with the seconds of the longest such sleep."""

    second: float
    connected: int
    out: int
    idle: int
    longest: float


def moments(run: Run) -> list[Moment]:
    """Every look at the server while the load lasted, with what the pools had out then."""
    start, end = run.span
    pools = _Pools(run.pools)
    found = []
    for look in run.looks:
        if start <= look.at <= end:
            out, numbers = pools.at(look.at)
            sleeps = [c.seconds for c in look.connections if _is_held_idle(c, numbers)]
            second = round(look.at - start, 1)
            found.append(Moment(second, len(look.connections), out, len(sleeps), max(sleeps, default=0.0)))
    return found


def figures(run: Run) -> dict[str, Any]:
    """The figures of one version, as they go into the table."""
    seen = moments(run)
    done, seconds = run.rest["done"], run.rest["seconds"]
    return {
        "jobs": run.rest["jobs"],
        "done": done,
        "seconds": round(seconds, 1),
        "jobs per second": round(done / seconds, 2),
        "connections, most": max(moment.connected for moment in seen),
        "held, most": max(moment.out for moment in seen),
        "held, mean": round(_mean([moment.out for moment in seen]), 2),
        "held idle, most": max(moment.idle for moment in seen),
        "held idle, mean": round(_mean([moment.idle for moment in seen]), 2),
        "longest idle hold": round(max(moment.longest for moment in seen), 1),
        **run.errors,
        "wrong rows": run.wrong,
    }


def _is_held_idle(connection: Connection, numbers: set[int]) -> bool:
    """Whether it sleeps although a transaction is open on it, or although a session has it."""
    is_held = connection.in_transaction or connection.number in numbers
    return connection.sleeps and connection.seconds > IDLE and is_held


class _Pools:
    """What each process said of its pools, by time."""

    def __init__(self, looks: list[PoolLook]) -> None:
        self._looks: dict[int, list[PoolLook]] = {}
        for look in sorted(looks, key=lambda look: look.at):
            self._looks.setdefault(look.process, []).append(look)

    def at(self, time: float) -> tuple[int, set[int]]:
        """How many connections were out last before ``time``, and which."""
        out, numbers = 0, set()
        for looks in self._looks.values():
            place = bisect.bisect(looks, time, key=lambda look: look.at) - 1
            if place >= 0 and time - looks[place].at < STALE:
                out += looks[place].out
                numbers |= looks[place].numbers
        return out, numbers


def _mean(values: list[int]) -> float:
    return sum(values) / len(values)
