"""The bench an example is laid on: it is loaded, called, called from many threads, and the pool is looked at."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import importlib.util
import pathlib
import sys
import threading
import types
import uuid
import warnings
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from .pool import Watch

DEADLINE = 10.0
"""Seconds after which a call in a thread counts as hung."""


class Lab:
    """What a proof may use. ``slow_url`` is a server that answers late; ``watch`` knows the pool; ``around`` is what
    the proof's own ``around()`` gives, where it has one."""

    def __init__(self, watch: Watch, slow_url: str) -> None:
        self.watch, self.slow_url = watch, slow_url
        self.around: Any = None

    def connections_out(self) -> int:
        """How many connections are checked out now."""
        return self.watch.connections_out()

    def connections_open(self) -> int:
        """How many connections to the server are open, in a pool or out of it."""
        return self.watch.connections_open()

    def most_out(self) -> int:
        """The largest number of connections that were checked out at one moment."""
        return self.watch.most_out()

    def longest_hold(self) -> float:
        """Seconds of the longest time one connection was out."""
        return self.watch.longest_hold()

    def attempt(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the call returns, or the name of the exception that it raises."""
        try:
            return function(*arguments)
        except Exception as error:
            return type(error).__name__

    async def attempt_async(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """What the coroutine returns, or the name of the exception that it raises."""
        try:
            return await asyncio.wait_for(coroutine, DEADLINE)
        except Exception as error:
            return type(error).__name__

    def repeat(self, times: int, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """What :meth:`attempt` gives for ``times`` calls, one after the other."""
        return [self.attempt(function, *arguments) for _ in range(times)]

    def together(self, *functions: Callable[[], Any]) -> list[Any]:
        """What :meth:`attempt` gives for each function, all started at once in threads of their own."""
        barrier = threading.Barrier(len(functions))

        def start(function: Callable[[], Any]) -> Any:
            barrier.wait(DEADLINE)
            return self.attempt(function)

        with concurrent.futures.ThreadPoolExecutor(len(functions)) as threads:
            return [job.result(DEADLINE) for job in [threads.submit(start, function) for function in functions]]

    def next_caller(self) -> str:
        """Whether one more caller gets a connection: ``served``, or the name of the exception."""
        engine = self.watch.engines[0]

        def ask() -> str:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            return "served"

        return str(self.attempt(ask))


def load(path: pathlib.Path) -> types.ModuleType:
    """The module at ``path``, executed anew."""
    name = f"{path.stem.replace('.', '_')}_{uuid.uuid4().hex[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def garbage_left_alone() -> Iterator[None]:
    """Inside the block nothing is collected but by reference counting, as in the time between two collections.

    What lives already is left out of later collections, which would otherwise take longer than the tests.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gc.collect()


def create_tables(example: types.ModuleType) -> None:
    """Makes the tables of an example that has a declarative ``Base`` and an ``engine``."""
    base, engine = getattr(example, "Base", None), getattr(example, "engine", None)
    if base is None or engine is None:
        return
    if isinstance(engine, AsyncEngine):
        asyncio.run(_create_async(base, engine))
    else:
        base.metadata.create_all(engine)


async def _create_async(base: Any, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(base.metadata.create_all)
    await engine.dispose()
