"""A database and a user of its own on a server of this machine, for an application or an example; gone afterwards."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pool_servers
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.pool import NullPool


class Account(NamedTuple):
    """``url`` is the application's, ``admin`` that of somebody who may look at all connections of ``user``."""

    server: str
    user: str
    url: str
    admin: str


@contextlib.contextmanager
def account(server: str, max_connections: int | None = None) -> Iterator[Account]:
    """An account on ``server``, "mariadb" or "postgresql"; with ``max_connections`` on a server that takes no more.

    Raises :class:`pool_servers.NoServer`.
    """
    if max_connections is not None:
        with pool_servers.mariadb(max_connections) as url:
            user = str(make_url(url).username)
            yield Account(server, user, url, _as(url, "root"))
        return
    admin = {"mariadb": pool_servers.MARIADB, "postgresql": pool_servers.POSTGRESQL}[server]
    name = f"app_{uuid.uuid4().hex[:8]}"
    try:
        pool_servers.tell(admin, *_MAKE[server].format(name=name).split(";"))
        own = make_url(_as(admin, name)).set(database=name).render_as_string(hide_password=False)
        there = make_url(admin).set(database=name).render_as_string(hide_password=False)
        yield Account(server, name, own, there)
    finally:
        pool_servers.tell(admin, *_DROP[server].format(name=name).split(";"))


@contextlib.contextmanager
def stand_in(user: str = "shop", limit: int = 0) -> Iterator[Account]:
    """An account on MariaDB that answers inside the block for whoever connects as ``user`` to any server.

    ``limit``: how many connections it may have, as if the server took no more. Raises :class:`pool_servers.NoServer`.
    """
    with account("mariadb") as own:
        if limit:
            for place in ("'%'", "localhost"):
                pool_servers.tell(own.admin, f"ALTER USER {own.user}@{place} WITH MAX_USER_CONNECTIONS {limit}")

        def connect_there(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
            if parameters.get("user") == user:
                parameters.update(host="127.0.0.1", user=own.user, database=own.user)

        event.listen(Engine, "do_connect", connect_there)
        try:
            yield own
        finally:
            event.remove(Engine, "do_connect", connect_there)


def end_idle_connections(own: Account) -> None:
    """Closes every connection of the account that sleeps, as a server does after ``wait_timeout``, or when it stops."""
    numbers = f"SELECT id FROM information_schema.processlist WHERE user = '{own.user}' AND command = 'Sleep'"
    engine = create_engine(own.admin, poolclass=NullPool)
    with engine.connect() as connection:
        for number in connection.execute(text(numbers)).scalars().all():
            connection.execute(text(f"KILL {number}"))


def _as(url: str, user: str) -> str:
    return make_url(url).set(username=user).render_as_string(hide_password=False)


_MAKE = {
    "mariadb": "CREATE DATABASE {name};CREATE USER {name}@'%';CREATE USER {name}@localhost;"
    "GRANT ALL ON {name}.* TO {name}@'%';GRANT ALL ON {name}.* TO {name}@localhost",
    "postgresql": "CREATE ROLE {name} LOGIN;CREATE DATABASE {name} OWNER {name}",
}
_DROP = {
    "mariadb": "DROP DATABASE IF EXISTS {name};DROP USER IF EXISTS {name}@'%', {name}@localhost",
    "postgresql": "DROP DATABASE IF EXISTS {name} WITH (FORCE);DROP ROLE IF EXISTS {name}",
}
