"""Give the driver a time after which it stops waiting

What it does
    Reports an engine on MySQL or PostgreSQL whose pool was tuned by hand while nothing limits how long the driver waits
    for the network: neither ``connect_args`` nor the URL has any of the driver's timeouts.

Why it matters
    ``pool_timeout`` limits the wait for a free place in the pool, not the wait for the server. When the server or the
    way to it goes silent, each statement waits for the operating system to give up, many minutes, and holds its
    connection as long. A pool of any size runs dry. By default PyMySQL, mysqlclient, aiomysql, pg8000 and libpq
    (psycopg, psycopg2) wait for an answer for ever, and asyncpg too (measured from their signatures).

The keywords, by driver
    PyMySQL, mysqlclient, MySQL Connector: ``connect_timeout``, ``read_timeout``, ``write_timeout``. aiomysql:
    ``connect_timeout``. psycopg and psycopg2: ``connect_timeout``, ``options="-c statement_timeout=…"``,
    ``tcp_user_timeout`` or ``keepalives_…``. asyncpg: ``timeout``, ``command_timeout``. pg8000: ``timeout``.

Stays silent when
    The pool is left at its defaults; the driver is not known from the URL; part of the URL that could hold settings,
    or part of ``connect_args``, cannot be seen; ``creator`` opens the connections; or any of the timeouts is set.

Fix safety
    Shown only: how long your longest statement may take is yours to say.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..fix.plans import SetItem, SetKeyword
from ..model import Diagnostic, Plan, Rule, Safety
from ..pool.judge import FilePool, pool_of
from ..pool.made import Made
from ..pool.options import Options
from ..pool.settings import TUNING, Driver, driver_of
from ..pool.stale import is_pooled
from ..view import View

_REFUSAL = "connect_args is not written where it can be edited"


def check(view: View) -> Iterator[Diagnostic]:
    """Each tuned engine whose driver is known and has no timeout at all."""
    pool = pool_of(view)
    for made in pool.engines:
        if not TUNING & made.options.items.keys() or not made.options.whole or made.has("creator"):
            continue
        driver = driver_of(made.url) if made.url.whole and not made.url.variable else None
        given = connect_args(made, pool)
        if driver is None or not is_pooled(made, pool) or is_limited(driver, made, given):
            continue
        message = f"nothing limits how long {driver.name} waits for the server: set {words(driver)} in connect_args"
        plan = proposal(made, driver, view)
        yield view.diagnostic(RULE, made.node, message, plan=plan, refusal="" if plan else _REFUSAL)


def connect_args(made: Made, pool: FilePool) -> Options:
    """What is known of ``connect_args``; empty where there are none."""
    item = made.options.items.get("connect_args")
    return pool.found.mappings.contents(item.value, item.scope) if item else Options()


def is_limited(driver: Driver, made: Made, given: Options) -> bool:
    """Whether any timeout is set, or may be where it cannot be seen."""
    return not given.whole or bool(driver.timeouts & (given.items.keys() | made.url.query))


def words(driver: Driver) -> str:
    """The keywords to set, as a list in words."""
    *names, last = [*driver.connects, *driver.answers]
    return f"{', '.join(names)} and {last}" if names else last


def proposal(made: Made, driver: Driver, view: View) -> Plan | None:
    """All timeouts of the driver in ``connect_args``, where there are none yet."""
    timeouts = {**driver.connects, **driver.answers}
    pairs = ", ".join(f'"{name}": {value!r}'.replace("'", '"') for name, value in timeouts.items())
    title = f"limit the wait: connect_args={{{pairs}}}"
    reason = "the seconds are yours to choose: more than your longest statement takes"
    if made.has("connect_args"):
        return None
    match made.edited:
        case ast.Dict() as display:
            return Plan(title, Safety.DISPLAY, (SetItem(view.span(display), "connect_args", f"{{{pairs}}}"),), reason)
        case ast.Call() as call:
            return Plan(title, Safety.DISPLAY, (SetKeyword(view.span(call), "connect_args", f"{{{pairs}}}"),), reason)
    return None


RULE = Rule("ORM414", "no-network-timeout", "a tuned pool whose driver waits for ever", check)
