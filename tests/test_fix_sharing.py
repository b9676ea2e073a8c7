"""Jobs that shared a session and have one each after the fix: every row is there, and every connection is back."""

from __future__ import annotations

import types
from typing import Any

import pytest
from proofs.bench import bench
from proofs.databases import NoServer
from proofs.lab import create_tables, load
from sqlalchemy import select
from wants import FIXTURES

FIXED = FIXTURES / "ORM301" / "own_sessions.fixed.py"
CLASSES = ("Till", "TillWithARoll", "TillWithAFunctionInside", "TillThatKnowsTheName", "TillThatWaits")
FUNCTIONS = ("by_an_executor", "by_a_partial", "by_threads", "by_timers")
NUMBERS = list(range(16))


def worker(example: types.ModuleType, name: str) -> Any:
    """What does the work of a class or a function of the fixture."""
    return getattr(example, name)().sell_all if name in CLASSES else getattr(example, name)


@pytest.mark.parametrize("server", ["sqlite", "postgresql"])
@pytest.mark.parametrize("name", [*CLASSES, *FUNCTIONS])
def test_every_job_of_a_fixed_program_leaves_its_row(name: str, server: str) -> None:
    try:
        with bench(server, "", len(NUMBERS)) as lab:
            example = load(FIXED)
            create_tables(example)
            assert worker(example, name)(NUMBERS) == NUMBERS
            assert lab.connections_out() == 0
            with example.SessionLocal() as session:
                assert sorted(session.scalars(select(example.Sale.number))) == NUMBERS
    except NoServer as reason:
        pytest.skip(str(reason))
