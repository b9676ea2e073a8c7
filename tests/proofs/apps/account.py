"""A database and a user of its own for an application, on a server of this machine; both gone afterwards."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import pool_servers
from sqlalchemy import make_url


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
