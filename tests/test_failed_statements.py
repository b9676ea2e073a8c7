"""What ORM104 says of failed statements, measured on the servers of this machine."""

from __future__ import annotations

import os
import pathlib

import pytest
from proofs.databases import NoServer, database
from sqlalchemy import create_engine, text
from sqlalchemy.exc import PendingRollbackError, SQLAlchemyError
from sqlalchemy.orm import Session

PROCESS = {"mariadb": "SELECT connection_id()", "postgresql": "SELECT pg_backend_pid()"}
END = {"mariadb": "KILL {}", "postgresql": "SELECT pg_terminate_backend({})"}


def answers(server: str, folder: pathlib.Path, *, lost: bool, turns: int = 4) -> list[str]:
    """What each turn of a loop gets that swallows exceptions: "ok", or the name of the exception.

    The first turn succeeds; before the second the connection is lost, or its statement is wrong.
    """
    try:
        with database(server, folder) as url:
            engine, found = create_engine(url), []
            with Session(engine) as session, engine.connect() as other:
                for turn in range(turns):
                    wrong = not lost and turn == 1
                    try:
                        process = session.scalar(text("SELECT wrong" if wrong else PROCESS.get(server, "SELECT 1")))
                        found.append("ok")
                    except SQLAlchemyError as error:
                        is_aborted = "InFailedSqlTransaction" in type(getattr(error, "orig", error)).__name__
                        found.append("aborted" if is_aborted else type(error).__name__)
                    if lost and turn == 0:
                        other.execute(text(END[server].format(process)))
                        other.rollback()
                session.rollback()
                found.append("ok" if session.scalar(text("SELECT 1")) == 1 else "no")
            engine.dispose()
            return found
    except NoServer as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.mark.parametrize("server", ["mariadb", "postgresql"])
def test_after_a_lost_connection_everything_fails_until_somebody_rolls_back(
    server: str, tmp_path: pathlib.Path
) -> None:
    first, second, *later, after = answers(server, tmp_path, lost=True)
    assert (first, second in ("OperationalError", "DBAPIError", "InternalError")) == ("ok", True)
    assert later == [PendingRollbackError.__name__] * 2
    assert after == "ok"


def test_on_postgresql_a_failed_statement_ends_what_the_transaction_can_do(tmp_path: pathlib.Path) -> None:
    first, second, *later, after = answers("postgresql", tmp_path, lost=False)
    assert (first, after) == ("ok", "ok")
    assert second != "ok"
    assert later == ["aborted", "aborted"]


@pytest.mark.parametrize("server", ["sqlite", "mariadb"])
def test_elsewhere_the_transaction_goes_on_after_a_failed_statement(server: str, tmp_path: pathlib.Path) -> None:
    first, second, *later, after = answers(server, tmp_path, lost=False)
    assert second != "ok"
    assert [first, *later, after] == ["ok"] * 4
