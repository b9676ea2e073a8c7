"""The budget: processes × (pool_size + max_overflow), summed over engines, against what the server allows.

Every number is a :class:`~.factors.Factor` with the place it comes from. Nothing is added up that is not known:
:attr:`Budget.total` is None where a factor is missing, and :attr:`Budget.at_least` is what holds in any case.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from .factors import Factor, How, Processes
from .flask import ENGINE_OPTIONS, FlaskConfig
from .judge import FLASK_RELEASES, FilePool, pools_of
from .made import Made
from .options import Item, Options
from .settings import knowledge
from .stale import is_pooled
from .url import Url

if TYPE_CHECKING:
    from ..config import Pool
    from .servers import Limits
    from .survey import Survey

UNLIMITED = 1_000_000
"""Stands for a pool without a limit (``max_overflow=-1``, ``pool_size=0``)."""


class Share(NamedTuple):
    """What one engine may take in each process. ``line`` is where it is made."""

    path: str
    line: int
    dialect: str
    size: Factor
    overflow: Factor

    @property
    def capacity(self) -> int | None:
        """pool_size + max_overflow; None where one is unknown."""
        if self.size.number is None or self.overflow.number is None:
            return None
        return min(UNLIMITED, self.size.number + self.overflow.number)


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
    processes: tuple[Processes, ...]
    shares: tuple[Share, ...]
    sources: tuple[str, ...]

    @property
    def process_count(self) -> int | None:
        counts = [p.number for p in self.processes]
        return sum(c for c in counts if c) if counts and None not in counts else None

    @property
    def capacity(self) -> int | None:
        """What all engines together may take in one process."""
        capacities = [s.capacity for s in self.shares]
        return sum(c for c in capacities if c) if None not in capacities else None

    @property
    def total(self) -> int | None:
        """The connections that the application may come to; None where a factor is unknown."""
        if self.process_count is None or self.capacity is None:
            return None
        return min(UNLIMITED, self.process_count * self.capacity)

    @property
    def at_least(self) -> int:
        """What it may come to whatever the unknown factors are: one process where the number is unknown."""
        processes = sum(p.number or 1 for p in self.processes) or 1
        return min(UNLIMITED, processes * sum(s.capacity or 0 for s in self.shares))

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
        if self.verdict != "over" or self.capacity is None:
            return False
        return self.limits.connections.how is not How.ASSUMED or bool(self._too_large(1))

    @property
    def to_blame(self) -> tuple[Share, ...]:
        """The engines that are too large by themselves where there are any; else all together are."""
        is_assumed = self.limits.connections.how is How.ASSUMED
        return self._too_large(1 if is_assumed else self.process_count or 1) or self.shares

    def _too_large(self, processes: int) -> tuple[Share, ...]:
        usable = self.limits.usable or 0
        return tuple(share for share in self.shares if processes * (share.capacity or 0) > usable)

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
        return fitting(self.limits.usable, self.process_count or max(1, len(self.processes)), len(self.shares))


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
    shares = sorted(_shares(survey), key=lambda s: (s.dialect, s.path, s.line))
    processes, sources = _processes(survey)
    groups = [(kind, tuple(group)) for kind, group in itertools.groupby(shares, key=lambda s: s.dialect)]
    if not groups:
        groups = [(survey.configured.server, ())]
    return [Budget(survey.limits(kind), processes, group, sources) for kind, group in groups]


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


def _shares(survey: Survey) -> Iterator[Share]:
    """Every engine that pools connections; of alternatives (branches of one function, what it returns) the largest."""
    for pool in pools_of(survey):
        called = [m for m in pool.engines if not m.flask and m.kept and is_pooled(m, pool)]
        places = [(_place(pool, made), made) for made in called]
        for _, group in itertools.groupby(places, key=lambda pair: pair[0]):
            alternatives = [made for _, made in group]
            certain = [m for m in alternatives if m.certain and m.keeper != "returned"]
            yield from (share_of(m, pool) for m in certain)
            branches = [share_of(m, pool) for m in alternatives if m not in certain]
            if branches:
                yield max(branches, key=lambda s: s.capacity or 0)
    yield from _flask_shares(survey)


def _place(pool: FilePool, made: Made) -> str:
    """The function or class that the call stands in."""
    scopes = [e.scope.name for e in pool.found.engines if e.node is made.node]
    return scopes[0] if scopes else ""


def share_of(made: Made, pool: FilePool) -> Share:
    """The part of one engine, from its options and the defaults of its pool class."""
    line: int = made.node.lineno
    dialect = "mysql" if made.server.dialect == "mariadb" else made.server.dialect
    return Share(pool.path, line, dialect, *_sizes(made.options, pool, (pool.path, line), knowledge().options))


def _sizes(options: Options, pool: FilePool, place: tuple[str, int], defaults: dict[str, int]) -> tuple[Factor, Factor]:
    size = _factor("pool_size", options, pool, place, defaults)
    overflow = _factor("max_overflow", options, pool, place, defaults)
    if size.number == 0:
        size = size._replace(number=UNLIMITED, remark="0 means no limit")
    if overflow.number is not None and overflow.number < 0:
        overflow = overflow._replace(number=UNLIMITED, remark="-1 means no limit")
    return size, overflow


def _factor(name: str, options: Options, pool: FilePool, place: tuple[str, int], defaults: dict[str, int]) -> Factor:
    item = options.items.get(name)
    if item is None:
        if not options.whole:
            return Factor(name, None, *place, How.UNKNOWN, "some options cannot be seen")
        return Factor(name, defaults[name], *place, How.DEFAULT, "SQLAlchemy's default")
    return _written(name, item, pool)


def _written(name: str, item: Item, pool: FilePool) -> Factor:
    value = pool.value(item)
    where = value.expression or item.value
    replaced = pool.survey.variable(value.variable) if value.variable else None
    if replaced and replaced[0].isdigit():
        return Factor(name, int(replaced[0]), replaced[1], replaced[2])
    if value.number is None:
        return Factor(name, None, pool.path, item.value.lineno, How.UNKNOWN, value.variable)
    how = How.VARIABLE if value.variable else How.WRITTEN
    return Factor(name, value.number, pool.path, where.lineno, how, value.variable)


def _flask_shares(survey: Survey) -> Iterator[Share]:
    """One engine for each Flask-SQLAlchemy extension and bind, with the options of the production configuration."""
    extensions = [(path, e) for path, found in survey.extension_files() for e in found.extensions]
    if not extensions:
        return
    chosen = _production(survey)
    for path, extension in extensions:
        pool = chosen[0] if chosen else FilePool(path, survey.found_in(path, ()), lambda: survey, False)
        options = Options(dict(extension.options.items), list(extension.options.unseen))
        url = Url()
        if chosen:
            options.merge(chosen[1].options)
            url = chosen[1].url
        line: int = extension.call.node.lineno
        made = Made(extension.call.node, None, url, pool.server(url), options, "module", True, False, False, True)
        if is_pooled(made, pool):
            size, overflow = _sizes(options, pool, (path, line), _flask_defaults(made, pool))
            dialect = "mysql" if made.server.dialect == "mariadb" else made.server.dialect
            for _ in range(1 + (_binds(chosen[1]) if chosen else 0)):
                yield Share(path, line, dialect, size, overflow)


def _flask_defaults(made: Made, pool: FilePool) -> dict[str, int]:
    known = knowledge()
    before_3 = pool.major("flask-sqlalchemy", FLASK_RELEASES) in (1, 2)
    return {**known.options, **(known.flask_mysql_before_3 if before_3 and made.server.dialect == "mysql" else {})}


def _production(survey: Survey) -> tuple[FilePool, FlaskConfig] | None:
    """The configuration that holds in production: one named so, else the first with engine options that is not for
    tests or development."""
    found = [(pool, config) for pool in pools_of(survey) for config in pool.found.configs]
    fits = [(p, c) for p, c in found if not any(w in c.owner.lower() for w in ("test", "dev", "local"))]
    fits.sort(key=lambda pair: ("prod" not in pair[1].owner.lower(), ENGINE_OPTIONS not in pair[1].settings))
    return fits[0] if fits else None


def _binds(config: FlaskConfig) -> int:
    setting = config.settings.get("SQLALCHEMY_BINDS")
    return len(getattr(setting.value, "keys", [])) if setting else 0


def relative(path: str, root: str) -> str:
    """``path`` as seen from ``root``; "" stays ""."""
    return os.path.relpath(path, root) if path else ""
