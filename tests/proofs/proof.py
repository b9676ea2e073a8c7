"""A proof: the example of a rule as written and as mended, what is done with it, and what must be seen."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import os
import pathlib
import sys
import tempfile
import types
import warnings
from collections.abc import Coroutine, Iterator
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncEngine

from .databases import database
from .lab import Lab, create_tables, garbage_left_alone, load
from .pool import SIZE, watch
from .slow_server import slow_server

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"


class Proof(NamedTuple):
    """One ``proof.py``; ``plan`` is the module itself."""

    folder: pathlib.Path
    plan: types.ModuleType

    @property
    def servers(self) -> tuple[str, ...]:
        """Where it is shown."""
        return getattr(self.plan, "SERVERS", ("sqlite",))

    @property
    def as_written(self) -> pathlib.Path:
        """The file with the defect."""
        return self.folder / getattr(self.plan, "EXAMPLE", "example.py")

    @property
    def as_mended(self) -> pathlib.Path:
        """The same file after our fixer, or mended by hand where there is no fixer."""
        fixed = self.as_written.with_suffix(".fixed.py")
        return fixed if fixed.exists() else self.as_written.with_suffix(".mended.py")


def proofs() -> list[Proof]:
    """Every proof beside a fixture, by folder name."""
    return [Proof(path.parent, load(path)) for path in sorted(FIXTURES.glob("*/proof.py"))]


def seen(proof: Proof, file: pathlib.Path, server: str) -> dict[str, Any]:
    """What is seen when ``file`` does what the proof says, on ``server``. Raises :class:`databases.NoServer`."""
    driver = getattr(proof.plan, "DRIVERS", {}).get(server, "")
    with tempfile.TemporaryDirectory() as folder, database(server, pathlib.Path(folder), driver) as url:
        watch.start(getattr(proof.plan, "POOL", SIZE))
        with _environment(url, proof.folder), slow_server() as slow_url, _quiet():
            try:
                example = _prepared(proof, file)
                with garbage_left_alone():
                    watch.forget_holds()
                    return _observed(proof.plan.observe(example, Lab(watch, slow_url)))
            finally:
                _end(watch.engines)


def _prepared(proof: Proof, file: pathlib.Path) -> types.ModuleType:
    example = load(file)
    create_tables(example)
    if hasattr(proof.plan, "prepare"):
        _observed(proof.plan.prepare(example))
    return example


def _observed(result: Any) -> Any:
    return asyncio.run(_to_the_end(result)) if inspect.iscoroutine(result) else result


async def _to_the_end(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Awaits it, and leaves no connection behind in an event loop that is about to end."""
    try:
        return await coroutine
    finally:
        gc.collect()
        await asyncio.sleep(0)
        for engine in watch.engines:
            if engine.dialect.is_async:
                await AsyncEngine(engine).dispose()


def _end(engines: list[Any]) -> None:
    for engine in engines:
        engine.dispose(close=not engine.dialect.is_async)


@contextlib.contextmanager
def _environment(url: str, folder: pathlib.Path) -> Iterator[None]:
    before = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = url
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        if before is None:
            del os.environ["DATABASE_URL"]
        else:
            os.environ["DATABASE_URL"] = before


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
