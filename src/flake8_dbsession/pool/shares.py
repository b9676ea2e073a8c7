"""What each engine of a project may take of its server, in each process that loads it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from .factors import Factor, How
from .flask import ENGINE_OPTIONS, FlaskConfig
from .judge import FLASK_RELEASES, FilePool, pools_of
from .made import Made
from .options import Item, Options
from .settings import knowledge
from .stale import is_pooled
from .url import Url

if TYPE_CHECKING:
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


def shares_of(survey: Survey) -> Iterator[Share]:
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
