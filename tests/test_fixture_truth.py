"""What the fixtures of ORM101 claim is measured: their functions are called, and the pool is looked at afterwards."""

from __future__ import annotations

import ast
import gc
import inspect
import pathlib
import sys
import types
from collections.abc import Iterator
from unittest.mock import MagicMock

import pytest
from proofs.bench import bench
from proofs.lab import Lab, create_tables, garbage_left_alone, load
from sqlalchemy import Integer, insert, text
from wants import FIXTURES, wants

from flake8_dbsession.source import Source

ARGUMENTS = {"parcel_ids": [1], "invoice_ids": [1], "sensor_ids": [1], "mode": "get", "statement": "SELECT 1"}
"""By parameter: what a function is called with; everything else is 1."""

MOCKED = {"audit", "handler", "logger", "opened", "owner", "request"}
"""Parameters that are somebody else's object."""

LATER = {
    "at_exit": "the process gives it back",
    "by_a_finalizer": "the owner gives it back",
    "by_whoever_calls_back": "the caller gives it back",
    "by_a_lambda_called_back": "the caller gives it back",
    "given_to_an_unknown_function": "the function may give it back",
    "kept_by_an_inner_function": "the inner function still has it",
    "put_on_an_object_of_the_caller": "the caller has it",
    "committed_but_never_closed": "reference counting gives a connection without a transaction back; not on PyPy",
    "rolled_back_but_never_closed": "reference counting gives a connection without a transaction back; not on PyPy",
    "only_the_transaction_ends": "reference counting gives a connection without a transaction back; not on PyPy",
    "yielded_without_a_try": "it depends on whether the consumer raises",
    "yielded_and_never_closed": "it depends on what the consumer asks",
    "put_into_g": "needs a request",
    "open_with_a_timeout": "held when an exception leaves it",
    "only_the_last_one_of_the_loop_is_closed": "held when there are several turns",
    "asked_and_closed_by_a_helper": "held when an exception leaves it",
    "gone_through_to_its_commit": "held when an exception leaves it",
    "closed_on_the_good_way_only": "held when an exception leaves it",
    "that_calls_one_with_a_registry_of_its_own": "what it calls is to blame",
}
"""Functions that one call cannot judge, and why."""

FILES = ["taking", "giving_back", "connections", "escaping", "generators", "fields", "retried", "without_autoflush"]


def functions(path: pathlib.Path) -> Iterator[tuple[str, bool]]:
    """Every plain function of a fixture with whether a leak is wanted in it."""
    source = Source.read(str(path))
    lines = {want.line for want in wants(source) if want.code in ("ORM101", "ORM102", "ORM106", "ORM304")}
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef) and not node.decorator_list and node.name not in LATER:
            yield node.name, any(line in lines for line in range(node.lineno, (node.end_lineno or 0) + 1))


def call(function: types.FunctionType) -> None:
    """Calls it with something for each parameter it insists on; what it returns is used once, and dropped."""
    required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    result = function(*[MagicMock() if p.name in MOCKED else ARGUMENTS.get(p.name, 1) for p in required])
    if inspect.isgenerator(result):
        list(result)
    elif inspect.isfunction(result):
        result(*[1 for _ in inspect.signature(result).parameters])


def fill(example: types.ModuleType) -> None:
    create_tables(example)
    with example.engine.begin() as connection:
        for table in example.Base.metadata.tables.values() if hasattr(example, "Base") else ():
            row = {column.name: 1 if isinstance(column.type, Integer) else "new" for column in table.columns}
            connection.execute(insert(table).values(row))
        connection.execute(text("CREATE TABLE readings (sensor INTEGER, value INTEGER)"))


def leaks(lab: Lab, function: types.FunctionType) -> bool:
    """Whether one more connection is out after a call."""
    before = lab.connections_out()
    lab.attempt(call, function)
    leaked = lab.connections_out() > before
    if leaked:
        gc.collect()
    return leaked


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="needs reference counting")
@pytest.mark.parametrize("topic", FILES)
def test_what_is_wanted_is_measured(topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", MagicMock())
    path = FIXTURES / "ORM101" / f"{topic}.py"
    with bench(size=30) as lab:
        example = load(path)
        fill(example)
        with garbage_left_alone():
            wrong = [name for name, wanted in functions(path) if leaks(lab, getattr(example, name)) != wanted]
    assert wrong == []
