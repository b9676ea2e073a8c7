"""Engines with one connection for everybody, and the sessions of these, which keep nobody waiting for one."""

from __future__ import annotations

from collections.abc import Iterator

from .values import ENGINE, OF_ONE_CONNECTION, ONE_CONNECTION, Value


def is_of_one_connection(value: Value) -> bool:
    """Whether it is such an engine (``poolclass=StaticPool``), or makes sessions of one, or is one of these."""
    if value.kind == ENGINE:
        return "StaticPool" in value.extra
    return value == OF_ONE_CONNECTION or (ONE_CONNECTION, True) in value.extra


def rather_of_many(known: Value, others: Iterator[Value]) -> Value:
    """What a name stands for that is set to several values: one of a pool before one of a single connection, which
    serves the branch for tests and for SQLite."""
    if not is_of_one_connection(known):
        return known
    return next((other for other in others if not is_of_one_connection(other)), known)
