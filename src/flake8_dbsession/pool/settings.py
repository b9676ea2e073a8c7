"""What is known of pools, drivers and servers: ``data/pool.toml`` as values, and the pool an engine ends up with."""

from __future__ import annotations

import functools
import os
from typing import Any, NamedTuple

from .url import Url

TUNING = frozenset({"pool_size", "max_overflow", "pool_timeout", "pool_use_lifo", "pool_recycle"})
"""Options that somebody sets who thinks about the pool."""


class Server(NamedTuple):
    """A kind of database server. ``idle_limit``: seconds after which it closes an idle connection (0: never)."""

    name: str
    title: str
    idle_limit: int
    idle_setting: str
    connections: int
    reserved: int
    images: tuple[str, ...]

    @property
    def closes_idle(self) -> bool:
        return self.idle_limit > 0


class Driver(NamedTuple):
    """A driver: the keywords that end a wait on the network, and a proposal for connecting and for answers; whether
    asynchronous engines take it, and whether its connections belong to the event loop they were opened in."""

    name: str
    server: str
    packages: tuple[str, ...]
    timeouts: frozenset[str]
    connects: dict[str, Any]
    answers: dict[str, Any]
    is_async: bool
    of_one_loop: bool


class PoolClass(NamedTuple):
    """A pool class: the options it answers with ``TypeError``, whether it keeps several connections, and
    whether only the ``sync`` or only the ``async`` engine takes it ("" both)."""

    name: str
    rejects: frozenset[str]
    pools: bool
    only: str


class Knowledge(NamedTuple):
    """The whole of ``data/pool.toml``."""

    options: dict[str, Any]
    pools: dict[str, PoolClass]
    misspelt: dict[str, str]
    default_pool: dict[str, dict[str, str]]
    reset_off: frozenset[str]
    servers: dict[str, Server]
    proxies: tuple[str, ...]
    drivers: dict[str, Driver]
    default_driver: dict[str, str]
    flask_read_before_3: dict[str, str]
    flask_never: dict[str, str]
    flask_mysql: dict[str, int]
    flask_mysql_before_3: dict[str, int]
    jobs: tuple[str, ...]
    applications: frozenset[str]
    serving: tuple[str, ...]
    programs: dict[str, dict[str, Any]]


@functools.cache
def knowledge() -> Knowledge:
    """The tables, read once."""
    import tomli

    path = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", "pool.toml")
    with open(path, "rb") as file:
        data = tomli.load(file)
    return Knowledge(
        data["options"],
        {name: _pool_class(name, row) for name, row in data["pools"].items()},
        data["misspelt"],
        data["default-pool"],
        frozenset(data["reset"]["off"]),
        {name: _server(name, row) for name, row in data["servers"].items()},
        tuple(data["proxies"]["images"]),
        {name: _driver(name, row) for name, row in data["drivers"].items()},
        data["default-driver"],
        data["flask"]["read-before-3"],
        data["flask"]["never"],
        data["flask"]["mysql"],
        data["flask"]["mysql-before-3"],
        tuple(data["jobs"]["packages"]),
        frozenset(data["applications"]["classes"]),
        tuple(data["applications"]["imports"]),
        data["programs"],
    )


def _pool_class(name: str, row: dict[str, Any]) -> PoolClass:
    return PoolClass(name, frozenset(row["rejects"]), row["pools"], row.get("only", ""))


def _server(name: str, row: dict[str, Any]) -> Server:
    return Server(
        name,
        row["title"],
        row["idle-limit"],
        row["idle-setting"],
        row["connections"],
        row["reserved"],
        tuple(row["image"]),
    )


def _driver(name: str, row: dict[str, Any]) -> Driver:
    packages, timeouts = tuple(row["package"]), frozenset(row["timeouts"])
    is_async, of_one_loop = "async" in row, "one-loop" in row
    return Driver(name, row["server"], packages, timeouts, row["connects"], row["answers"], is_async, of_one_loop)


def server_of(dialect: str) -> Server | None:
    """The server behind a dialect, or None for SQLite and for what is not known."""
    return knowledge().servers.get(dialect)


def driver_of(url: Url) -> Driver | None:
    """The driver that ``url`` means, with the default of its dialect where it names none."""
    known = knowledge()
    return known.drivers.get(url.driver or known.default_driver.get(url.dialect, ""))


def default_pool(url: Url, is_async: bool, sqlalchemy: int = 2) -> PoolClass | None:
    """The pool class that SQLAlchemy takes for ``url`` where none is given; None where that cannot be said.

    ``sqlalchemy`` is the major release (0: not known).
    """
    row = knowledge().default_pool.get(url.place)
    if row is None:
        return None
    name = row["async" if is_async else "sync"]
    if "before-2" in row and sqlalchemy < 2:
        if not sqlalchemy:
            return None
        name = row["before-2"]
    return knowledge().pools[name]
