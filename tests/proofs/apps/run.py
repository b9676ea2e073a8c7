"""Starts the processes of an application, puts them under load, and writes down what was seen meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import NullPool, create_engine, text

from ..account import Account, account
from ..slow_server import slow_server
from .app import App
from .looking import Look, Looking

INSIDE = pathlib.Path(__file__).with_name("inside.py")
PATIENCE = 60
"""Seconds for a process to say that it is ready."""
LONGEST_LOAD = 120

ERRORS = {
    "pool timeouts": "QueuePool limit of size",
    "refused by the server": "Too many connections",
}
"""By what it is called: what the application's logs say."""


class Run(NamedTuple):
    """What was seen of one version: what its load says of itself, the rows after the first jobs, how many rows are
    wrong at the end, the looks at the server and at the pools, and how often an error was logged."""

    first: dict[str, Any]
    rest: dict[str, Any]
    first_rows: list[Any]
    wrong: int
    looks: list[Look]
    pools: list[PoolLook]
    errors: dict[str, int]
    span: tuple[float, float]

    @property
    def first_answer(self) -> Any:
        """What the first jobs answered, and the rows they left."""
        return self.first.get("answers"), self.first_rows


class PoolLook(NamedTuple):
    """What a process of the application had out of its pools: how many, and the server's numbers of them."""

    process: int
    at: float
    out: int
    numbers: frozenset[int]


def run(app: App, folder: pathlib.Path) -> Run:
    """Runs the version in ``folder``. Raises :class:`pool_servers.NoServer`, RuntimeError when a program fails."""
    plan = app.plan
    watched = folder.parent / "watched"
    watched.mkdir()
    with account(plan.SERVER, getattr(plan, "MAX_CONNECTIONS", None)) as own, slow_server() as slow:
        around = _environment(own, slow)
        _finish(folder, around, "seed.py")
        with _processes(app, folder, watched, around):
            first = _finish(folder, around, "load.py", "first")
            first_rows = _rows(own, plan.ROWS)
            looking = Looking(own)
            looking.start()
            started = time.time()
            rest = _finish(folder, around, "load.py", "rest")
            span = (started, time.time())
            looks = looking.stop()
        wrong = _rows(own, (plan.WRONG,))[0][0][0]
    logs = "".join(log.read_text(errors="replace") for log in watched.glob("*.log"))
    errors = {name: sum(words in line for line in logs.splitlines()) for name, words in ERRORS.items()}
    return Run(first, rest, first_rows, wrong, looks, _pool_looks(watched), errors, span)


def _environment(own: Account, slow: str) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {
        **os.environ,
        "DATABASE_URL": f"{own.url}?plugin=watched",
        "ADMIN_URL": own.admin,
        "SLOW_URL": slow,
        "QUEUE_PREFIX": f"proof.{uuid.uuid4().hex[:8]}",
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _inside(watched: pathlib.Path, command: str) -> list[str]:
    return [sys.executable, str(INSIDE), str(watched), *command.split()]


def _finish(folder: pathlib.Path, around: dict[str, str], *command: str) -> dict[str, Any]:
    """Runs a program to its end; what it printed, if it is JSON."""
    watched = folder.parent / "aside"
    watched.mkdir(exist_ok=True)
    done = subprocess.run(
        _inside(watched, " ".join(command)),
        cwd=folder,
        env=around,
        capture_output=True,
        text=True,
        timeout=LONGEST_LOAD,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed in {folder}: {done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return said


@contextlib.contextmanager
def _processes(app: App, folder: pathlib.Path, watched: pathlib.Path, around: dict[str, str]) -> Iterator[None]:
    started = []
    try:
        for name, command in app.plan.PROCESSES.items():
            log = watched / f"{name}.log"
            with log.open("w") as output:
                process = subprocess.Popen(
                    _inside(watched, command.format(**around)),
                    cwd=folder,
                    env=around,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            started.append((process, log))
        for process, log in started:
            _wait_for(process, log, getattr(app.plan, "READY", {}))
        yield
    finally:
        for process, _ in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process, _ in started:
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait_for(process: subprocess.Popen[bytes], log: pathlib.Path, ready: dict[str, tuple[str, int]]) -> None:
    words, times = ready.get(log.stem, ("ready", 1))
    end = time.monotonic() + PATIENCE
    while log.read_text(errors="replace").count(words) < times:
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{log.stem} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)


def _rows(own: Account, queries: tuple[str, ...]) -> list[Any]:
    engine = create_engine(own.admin, poolclass=NullPool)
    with engine.connect() as connection:
        return [[list(row) for row in connection.execute(text(query))] for query in queries]


def _pool_looks(watched: pathlib.Path) -> list[PoolLook]:
    looks = []
    for file in watched.glob("*.pool"):
        for line in file.read_text().splitlines():
            at, out, *numbers = line.split()
            looks.append(PoolLook(int(file.stem), float(at), int(out), frozenset(map(int, numbers))))
    return looks
