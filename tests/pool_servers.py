"""Real servers for the proofs of pool settings: a MariaDB of our own, and a role with a limit on PostgreSQL.

A server of our own is started where MariaDB's programs are installed, so that a low ``max_connections`` disturbs
nobody; elsewhere the one on this machine gets it for the time of the test. Everything listens on 127.0.0.1 only.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

MARIADB = "mysql+pymysql://root@127.0.0.1:3306/test"
PSYCOPG = "psycopg2" if sqlalchemy.__version__.startswith("1.") else "psycopg"
POSTGRESQL = f"postgresql+{PSYCOPG}://postgres@127.0.0.1:5432/test"
DEADLINE = 60
_CONNECTIONS = {
    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE user = substring_index(user(), '@', 1)",
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE usename = current_user",
}
"""How many connections the user has that asks."""

_WORKER = """
import json, sys
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
url, size, overflow = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
engine = create_engine(url, pool_size=size, max_overflow=overflow)
held, refused = [], ""
for _ in range(size + overflow):
    try:
        held.append(engine.connect())
    except OperationalError as error:
        refused = str(error.orig)
print(json.dumps([len(held), refused]), flush=True)
sys.stdin.read()
"""


class NoServer(Exception):
    """No server answers; the message says which."""


class Answers(NamedTuple):
    """What processes saw that filled their pools at the same time: connections they got, and the server's refusals."""

    connections: int
    refusals: list[str]


def fill(url: str, processes: int, size: int, overflow: int) -> Answers:
    """Start ``processes`` processes that each take all connections of a pool, and keep them until all have tried."""
    _wait_for_quiet(url)
    command = [sys.executable, "-c", _WORKER, url, str(size), str(overflow)]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    try:
        answers = [json.loads(worker.stdout.readline()) for worker in workers if worker.stdout]
    finally:
        for worker in workers:
            worker.communicate(timeout=DEADLINE)
    return Answers(sum(held for held, _ in answers), [refused for _, refused in answers if refused])


def _wait_for_quiet(url: str) -> None:
    """Until the server has seen the connections of whoever was there before go, this question's own included."""
    end = time.monotonic() + DEADLINE
    own = _CONNECTIONS[sqlalchemy.make_url(url).get_backend_name()]
    while time.monotonic() < end:
        with contextlib.suppress(NoServer):
            if tell(url, own) == [1]:
                break
        time.sleep(0.1)
    time.sleep(0.3)


def tell(url: str, *statements: str) -> list[object]:
    """Run ``statements`` outside of transactions; what the first column of each says. Raises :class:`NoServer`."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            results = [connection.execute(text(statement)) for statement in statements]
            return [result.scalar() if result.returns_rows else None for result in results]
    except OperationalError as error:
        raise NoServer(str(error.orig)) from None


@contextlib.contextmanager
def mariadb(max_connections: int) -> Iterator[str]:
    """The URL of an ordinary user's database on a MariaDB with that ``max_connections``. Raises :class:`NoServer`."""
    programs = [shutil.which(name) for name in ("mariadb-install-db", "mariadbd")]
    if all(programs):
        with _own_mariadb(*(str(p) for p in programs)) as url, _limited(url, max_connections) as limited:
            yield limited
    else:
        with _limited(MARIADB, max_connections) as limited:
            yield limited


@contextlib.contextmanager
def _own_mariadb(install: str, server: str) -> Iterator[str]:
    user = [f"--user={os.environ.get('USER', 'root')}"] if os.getuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder, "data")
        subprocess.run(
            [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", *user],
            check=True,
            capture_output=True,
            timeout=DEADLINE,
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        own = [
            f"--datadir={data}",
            f"--socket={folder}/socket",
            f"--pid-file={folder}/pid",
            f"--log-error={folder}/log",
        ]
        small = ["--bind-address=127.0.0.1", f"--port={port}", "--innodb-buffer-pool-size=8M", "--skip-log-bin"]
        process = subprocess.Popen([server, "--no-defaults", *own, *small, *user])
        try:
            url = f"mysql+pymysql://root@127.0.0.1:{port}/test"
            _wait_for(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(DEADLINE)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + DEADLINE
    while True:
        try:
            tell(url, "SELECT 1")
            return
        except NoServer:
            if time.monotonic() > end or process.poll() is not None:
                raise
            time.sleep(0.2)


@contextlib.contextmanager
def _limited(url: str, max_connections: int) -> Iterator[str]:
    """``url`` for a new ordinary user, on a server that takes ``max_connections``; root may always come on top."""
    user = f"shop_{uuid.uuid4().hex[:8]}"
    [before] = tell(url, "SELECT @@global.max_connections")
    try:
        tell(url, f"CREATE USER {user}@'%'", f"CREATE USER {user}@localhost", f"GRANT ALL ON test.* TO {user}@'%'")
        tell(url, f"GRANT ALL ON test.* TO {user}@localhost", f"SET GLOBAL max_connections = {max_connections}")
        yield url.replace("//root@", f"//{user}@")
    finally:
        tell(url, f"SET GLOBAL max_connections = {before}")
        tell(url, f"DROP USER IF EXISTS {user}@'%', {user}@localhost")


@contextlib.contextmanager
def postgresql(connections: int) -> Iterator[str]:
    """The URL of a new role that PostgreSQL lets have that many connections. Raises :class:`NoServer`."""
    role = f"shop_{uuid.uuid4().hex[:8]}"
    tell(POSTGRESQL, f"CREATE ROLE {role} LOGIN CONNECTION LIMIT {connections}")
    try:
        yield POSTGRESQL.replace("//postgres@", f"//{role}@")
    finally:
        tell(
            POSTGRESQL,
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'",
            f"DROP ROLE {role}",
        )
