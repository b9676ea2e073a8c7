"""Looks at the server every 100 ms: who is connected, who sleeps, and who sleeps with a transaction open."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from sqlalchemy import create_engine, text

from ..account import Account

INTERVAL = 0.1

QUERIES = {
    "mariadb": """
        SELECT process.id, process.command = 'Sleep', process.time_ms / 1000, transaction.trx_id IS NOT NULL
        FROM information_schema.processlist process
        LEFT JOIN information_schema.innodb_trx transaction ON transaction.trx_mysql_thread_id = process.id
        WHERE process.user = :user""",
    "postgresql": """
        SELECT pid, state LIKE 'idle%', EXTRACT(epoch FROM clock_timestamp() - state_change),
            state LIKE 'idle in transaction%'
        FROM pg_stat_activity WHERE usename = :user AND state IS NOT NULL""",
}
"""By server, a row for each connection: see :class:`Connection`. ``SHOW PROCESSLIST`` reads the same table."""


class Connection(NamedTuple):
    """What the server says of one connection: its number, whether it sleeps, how many seconds it has been so, and
    whether a transaction is open on it. A connection that waits in a pool sleeps too, but in no transaction."""

    number: int
    sleeps: bool
    seconds: float
    in_transaction: bool


class Look(NamedTuple):
    """All connections of the application at the time ``at``."""

    at: float
    connections: list[Connection]


class Looking(threading.Thread):
    """Looks until :meth:`stop`."""

    def __init__(self, account: Account) -> None:
        super().__init__(daemon=True)
        self._account = account
        self._over = threading.Event()
        self._engine = create_engine(account.admin, pool_size=1, max_overflow=0, isolation_level="AUTOCOMMIT")
        self._looks: list[Look] = []

    def run(self) -> None:
        """Looks at full tenths of a second."""
        query = text(QUERIES[self._account.server])
        with self._engine.connect() as connection:
            while not self._over.wait(INTERVAL - time.time() % INTERVAL):
                rows = connection.execute(query, {"user": self._account.user}).all()
                self._looks.append(Look(time.time(), [_connection(*row) for row in rows]))
        self._engine.dispose()

    def stop(self) -> list[Look]:
        """Ends it; everything that was seen."""
        self._over.set()
        self.join(5)
        return self._looks


def _connection(number: int, sleeps: object, seconds: object, in_transaction: object) -> Connection:
    return Connection(number, bool(sleeps), float(str(seconds)), bool(in_transaction))
