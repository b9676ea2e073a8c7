"""Where examples run: a new database, a small pool that is watched, a slow server, and all of it gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import pathlib
import shutil
import sys
import tempfile
import uuid
import warnings
from collections.abc import Coroutine, Iterator
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from .databases import database
from .lab import Lab
from .pool import SIZE, watch
from .slow_server import slow_server


@contextlib.contextmanager
def bench(server: str = "sqlite", driver: str = "", size: int = SIZE) -> Iterator[Lab]:
    """A lab with an empty database, whose URL is in ``DATABASE_URL`` inside the block.

    Pools made inside have ``size`` connections. Raises :class:`databases.NoServer`.
    """
    with tempfile.TemporaryDirectory() as folder, database(server, pathlib.Path(folder), driver) as url:
        watch.start(size)
        with _environment(url), slow_server() as slow_url, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                yield Lab(watch, slow_url)
            finally:
                for engine in watch.engines:
                    engine.dispose(close=not engine.dialect.is_async)


async def to_the_end(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Awaits it, and leaves no connection behind in an event loop that is about to end."""
    try:
        return await coroutine
    finally:
        gc.collect()
        await asyncio.sleep(0)
        for engine in watch.engines:
            if engine.dialect.is_async:
                await AsyncEngine(engine).dispose()


@contextlib.contextmanager
def package(folder: pathlib.Path, fixed: bool) -> Iterator[str]:
    """The package in ``folder`` under a new name that can be imported inside the block.

    ``fixed``: every module that has a golden file beside it is replaced by that.
    """
    name = f"{folder.name}_{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as place:
        copy = pathlib.Path(place, name)
        shutil.copytree(folder, copy)
        for golden in copy.glob("*.fixed.py"):
            if fixed:
                golden.replace(golden.with_name(golden.name.replace(".fixed", "")))
            else:
                golden.unlink()
        sys.path.insert(0, place)
        try:
            yield name
        finally:
            sys.path.remove(place)
            for module in [module for module in sys.modules if module.split(".")[0] == name]:
                del sys.modules[module]


@contextlib.contextmanager
def _environment(url: str) -> Iterator[None]:
    before = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = url
    try:
        yield
    finally:
        if before is None:
            del os.environ["DATABASE_URL"]
        else:
            os.environ["DATABASE_URL"] = before
