"""On real servers: what the budget calls too much is refused, what it proposes is not; what idles too long is dead."""

from __future__ import annotations

import os
import pathlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest
from pool_servers import NoServer, fill, mariadb, postgresql
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError

from flake8_dbsession.config import Pool
from flake8_dbsession.pool.budget import Budget, budgets
from flake8_dbsession.pool.survey import Survey

LIMIT = 15
WAIT = 2
"""wait_timeout of the connections that are left to die, in seconds."""

Server = Callable[[int], AbstractContextManager[str]]


def up(server: AbstractContextManager[str]) -> Iterator[str]:
    try:
        with server as url:
            yield url
    except NoServer as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no server answers: {reason}")


@pytest.fixture(scope="module")
def on_mariadb() -> Iterator[str]:
    yield from up(mariadb(LIMIT))


@pytest.fixture(scope="module")
def on_postgresql() -> Iterator[str]:
    yield from up(postgresql(LIMIT))


def project(folder: pathlib.Path, driver: str) -> Budget:
    """The budget of four gunicorn workers that each have a pool of 2 + 3."""
    folder.joinpath("Procfile").write_text("web: gunicorn --workers 4 shop.wsgi\n")
    folder.joinpath("database.py").write_text(
        "from sqlalchemy import create_engine\n"
        "class Database:\n"
        "    def __init__(self):\n"
        f"        self.engine = create_engine('{driver}://shop@db/shop', pool_size=2, max_overflow=3)\n"
    )
    configured = Pool(max_connections=LIMIT)
    [budget] = budgets(Survey(str(folder), str(folder), configured))
    return budget


@pytest.mark.parametrize(
    ("server", "driver", "refusal"),
    [
        ("on_mariadb", "mysql+pymysql", "Too many connections"),
        ("on_postgresql", "postgresql+psycopg", "too many connections for role"),
    ],
)
def test_what_is_over_budget_is_refused_and_what_is_proposed_is_not(
    server: str, driver: str, refusal: str, tmp_path: pathlib.Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(server)
    budget = project(tmp_path, driver)
    assert (budget.verdict, budget.total) == ("over", 20)

    before = fill(url, 4, 2, 3)
    assert before.connections == LIMIT
    assert before.refusals
    assert all(refusal in message for message in before.refusals)

    fit = budget.fit()
    assert fit is not None
    assert (fit.size, fit.overflow, fit.total) == (1, 2, 12)
    after = fill(url, fit.processes, fit.size, fit.overflow)
    assert after.connections == fit.total
    assert after.refusals == []


def test_mariadb_refuses_with_error_1040(on_mariadb: str) -> None:
    assert all("1040" in message for message in fill(on_mariadb, 4, 2, 3).refusals)


def outlive(url: str, connect_args: dict[str, Any], **options: Any) -> Any:
    """What a query says on a connection that idled for longer than the server waits; the exception if it fails."""
    engine = create_engine(url, connect_args=connect_args, **options)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        time.sleep(WAIT + 1.5)
        with engine.connect() as connection:
            return connection.scalar(text("SELECT 1"))
    except OperationalError as error:
        return error
    finally:
        engine.dispose()


def together(*waits: Callable[[], Any]) -> list[Any]:
    """What each of them answers; they wait at the same time."""
    with ThreadPoolExecutor(len(waits)) as threads:
        return list(threads.map(lambda wait: wait(), waits))


def test_a_connection_older_than_wait_timeout_fails_unless_it_is_tested_or_recycled(on_mariadb: str) -> None:
    impatient = {"init_command": f"SET SESSION wait_timeout = {WAIT}"}
    bad = [{}, {"pool_recycle": -1}, {"pool_recycle": 3600}, {"pool_size": 2, "max_overflow": 0}]
    good = [{"pool_pre_ping": True}, {"pool_recycle": 1}]
    found = together(*(partial(outlive, on_mariadb, impatient, **options) for options in [*bad, *good]))
    for error in found[: len(bad)]:
        assert isinstance(error, OperationalError)
        assert error.orig is not None
        assert error.orig.args[0] in (2006, 2013)
    assert found[len(bad) :] == [1, 1]


def test_a_listener_for_sqlalchemys_exceptions_does_not_test(on_mariadb: str) -> None:
    engine = create_engine(on_mariadb, connect_args={"init_command": f"SET SESSION wait_timeout = {WAIT}"})

    @event.listens_for(engine, "checkout")
    def check(connection: Any, record: Any, proxy: Any) -> None:
        try:
            connection.cursor().execute("SELECT 1")
        except OperationalError:  # the driver's exception is another one
            raise AssertionError("never reached") from None

    engine.connect().close()
    time.sleep(WAIT + 1.5)
    with pytest.raises(OperationalError):
        engine.connect()
    engine.dispose()


def test_postgresql_keeps_idle_connections_unless_it_is_told_not_to(on_postgresql: str) -> None:
    impatient = {"options": f"-c idle_session_timeout={WAIT * 1000}"}
    patient, told, tested = together(
        partial(outlive, on_postgresql, {}),
        partial(outlive, on_postgresql, impatient),
        partial(outlive, on_postgresql, impatient, pool_pre_ping=True),
    )
    assert (patient, tested) == (1, 1)
    assert isinstance(told, OperationalError)
