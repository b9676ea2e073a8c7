"""What one process runs again and again."""

from __future__ import annotations

from ..known import Entry

_OFTEN = frozenset({"request", "dependency", "middleware", "consumer", "scheduler", "timer", "socket", "bot"})
_ONE_PROCESS = frozenset({"celery", "dramatiq", "fastapi", "huey", "workers"})
"""Frameworks whose workers run task after task in one process."""


def runs_often(entry: Entry) -> bool:
    """Whether the same process runs the function again and again."""
    return entry.kind in _OFTEN or (entry.kind == "task" and entry.framework in _ONE_PROCESS)
