"""Fixed fixtures are run beside the ones as written: same results, same content, and no more connections held."""

from __future__ import annotations

import contextlib
import gc
import inspect
import io
import os
import pathlib
import sys
import threading
import types
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from proofs.bench import bench
from proofs.lab import Lab, create_tables, garbage_left_alone, load
from sqlalchemy import Integer, create_engine, insert, text
from sqlalchemy import inspect as inspected
from sqlalchemy.ext import asyncio as asyncio_extension
from wants import FIXTURES

ARGUMENTS = {"numbers": [1, 2, 3], "statement": "SELECT 1", "names": ["a", "b"]}
"""By parameter: what a function is called with; everything else is 1."""
DEADLINE = 10.0
ENOUGH = 5
"""Sleeps after which a loop ends by an exception."""
CREATE = asyncio_extension.create_async_engine

DEFECTS = ("PendingRollbackError",)
"""What a function may raise as written."""
TOPICS = {
    "ORM101/fixing": 4,
    "ORM101/made_by_objects": 1,
    "ORM102/fixing": 0,
    "ORM104/fixing": 2,
    "ORM104/guarding": 3,
    "ORM105/generators": 4,
    "ORM201/changing": 7,
    "ORM201/gathering": 2,
    "ORM201/releasing": 15,
    "ORM201/sleeping": 8,
    "ORM206/second": 0,
    "ORM403/moving": 0,
    "ORM404/registries": 0,
}
"""By golden pair that can be run here, in how many functions at least the fix shows: not in one that needs a failure,
nor where a factory is saved and no connection."""


class Seen(NamedTuple):
    """What one call shows."""

    result: Any
    content: dict[str, list[str]]
    """What is in the database afterwards."""
    held: int
    """How many connections are still out when it has returned."""
    held_asleep: int
    """How many were out at all its sleeps together."""


def functions(example: types.ModuleType) -> Iterator[str]:
    """The plain functions that the fixture defines."""
    for name, value in vars(example).items():
        is_ours = inspect.isfunction(value) and value.__module__ == example.__name__
        if is_ours and not hasattr(value, "__wrapped__") and not asynchronous(value):
            yield name


def asynchronous(function: types.FunctionType) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def called(function: types.FunctionType) -> Any:
    """What a call gives, as plain data."""
    required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    with contextlib.redirect_stdout(io.StringIO()):
        result = function(*[ARGUMENTS.get(p.name, 1) for p in required])
        return plain(list(result) if inspect.isgenerator(result) else result)


def plain(value: Any) -> Any:
    """Rows as the name of their class and their key, everything else as it prints itself."""
    state = inspected(value, raiseerr=False)
    if state is not None and hasattr(state, "identity"):
        return type(value).__name__, state.identity
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool | None) else type(value).__name__


def fill(example: types.ModuleType) -> None:
    """Three rows in every table."""
    create_tables(example)
    with create_engine(os.environ["DATABASE_URL"]).begin() as connection:
        for table in example.Base.metadata.tables.values() if hasattr(example, "Base") else ():
            for number in (1, 2, 3):
                row = {c.name: number if isinstance(c.type, Integer) else "new" for c in table.columns}
                connection.execute(insert(table).values(row))
        connection.execute(text("CREATE TABLE log (name VARCHAR(50))"))


def content(lab: Lab) -> dict[str, list[str]]:
    """All rows of all tables, seen from outside, after what was left behind is gone."""
    gc.collect()
    for engine in lab.watch.engines:
        engine.dispose()
    with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
        names = sorted(inspected(connection).get_table_names())
        return {name: sorted(map(repr, connection.execute(text(f"SELECT * FROM {name}")))) for name in names}


def seen(path: pathlib.Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """One function of the file, called once on a new database; sleeping takes no time."""
    with bench(size=30) as lab:
        asleep: list[int] = []

        def sleep(_seconds: float) -> None:
            asleep.append(lab.connections_out())
            if len(asleep) == ENOUGH:
                raise RuntimeError("waited long enough")

        monkeypatch.setattr("time.sleep", sleep)
        example = load(path)
        fill(example)
        with garbage_left_alone():
            answers: list[Any] = []
            function = getattr(example, name)
            before = set(threading.enumerate())
            thread = threading.Thread(target=lambda: answers.append(lab.attempt(called, function)), daemon=True)
            thread.start()
            thread.join(DEADLINE)
            for started in set(threading.enumerate()) - before:
                started.join(DEADLINE)
            held = lab.connections_out()
        return Seen(answers[0] if answers else "hangs", content(lab), held, sum(asleep))


def is_no_worse(before: Seen, after: Seen) -> bool:
    """The same result (or one instead of the defect), the same content, and no more connections held at any time."""
    same = after.result == before.result or before.result in DEFECTS
    held = after.held <= before.held and after.held_asleep <= before.held_asleep
    return same and after.content == before.content and held


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What fixtures ask for at import."""

    def create(url: str, **options: Any) -> Any:
        return CREATE(url.replace("sqlite:", "sqlite+aiosqlite:"), **options)

    monkeypatch.setenv("ARCHIVE_URL", "sqlite://")
    monkeypatch.setattr("sqlalchemy.ext.asyncio.create_async_engine", create)
    return monkeypatch


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="needs reference counting")
@pytest.mark.parametrize("topic", TOPICS)
def test_a_fixed_function_does_the_same_and_holds_no_more(topic: str, world: pytest.MonkeyPatch) -> None:
    path = FIXTURES / f"{topic}.py"
    with bench():
        names = list(functions(load(path)))
    pairs = {name: (seen(path, name, world), seen(path.with_suffix(".fixed.py"), name, world)) for name in names}
    assert {name: pair for name, pair in pairs.items() if not is_no_worse(*pair)} == {}
    gained = [name for name, (before, after) in pairs.items() if after != before]
    assert len(gained) >= TOPICS[topic], gained
