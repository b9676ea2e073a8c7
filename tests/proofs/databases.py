"""A new, empty database for each run: a file of SQLite, or a database of its own on a server of this machine."""

from __future__ import annotations

import contextlib
import pathlib
import uuid
from collections.abc import Iterator

from pool_servers import PSYCOPG, NoServer
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from .pool import PLUGIN

__all__ = ["NoServer", "database"]

SERVERS = {
    "mariadb": ("mysql+pymysql://root@127.0.0.1/test", "mysql+pymysql"),
    "postgresql": (f"postgresql+{PSYCOPG}://127.0.0.1/test", f"postgresql+{PSYCOPG}"),
}
"""By name: the URL through which databases are made, and the driver of the examples."""


@contextlib.contextmanager
def database(server: str, folder: pathlib.Path, driver: str = "") -> Iterator[str]:
    """The URL of a new database on ``server`` ("sqlite", "mariadb" or "postgresql"), gone after the block.

    ``folder`` takes the file of SQLite; ``driver`` is the driver's part of the URL where it is not the usual
    one, such as ``sqlite+aiosqlite``. Raises :class:`pool_servers.NoServer`.
    """
    if server == "sqlite":
        yield f"{driver or 'sqlite'}:///{folder / 'proof.db'}?plugin={PLUGIN}"
        return
    url, usual = SERVERS[server]
    name = f"proof_{uuid.uuid4().hex[:12]}"
    _tell(url, f"CREATE DATABASE {name}")
    try:
        fresh = make_url(url).set(drivername=driver or usual, database=name).update_query_dict({"plugin": PLUGIN})
        yield fresh.render_as_string(hide_password=False)
    finally:
        _tell(url, f"DROP DATABASE {name}" + (" WITH (FORCE)" if server == "postgresql" else ""))


def _tell(url: str, statement: str) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    except OperationalError as error:
        raise NoServer(f"no answer from {make_url(url).host}: {error.orig}") from None
