"""Runs a program of an application, and writes down ten times a second which connections its pools have out.

``python inside.py FOLDER PROGRAM ARGUMENTS…`` is ``python PROGRAM ARGUMENTS…`` (or ``python -m PROGRAM …`` where no
such file is). Every engine whose URL says ``?plugin=watched`` is watched. Each process writes a file of its own to
FOLDER, a line for each look: the time, ``pool.checkedout()`` of all pools, and the server's numbers of the
connections that are out. Nothing of the pool is changed.
"""

from __future__ import annotations

import os
import pathlib
import runpy
import sys
import threading
import time
import weakref

from sqlalchemy import event
from sqlalchemy.dialects import plugins
from sqlalchemy.engine import CreateEnginePlugin

INTERVAL = 0.1

_engines: list[weakref.ref] = []
_out: dict[int, int] = {}
"""By the identity of the pool's record: the server's number of the connection."""


class Watched(CreateEnginePlugin):
    """Remembers the engine, and what it has out."""

    def update_url(self, url):
        return url

    def engine_created(self, engine) -> None:
        _engines.append(weakref.ref(engine))
        event.listen(engine, "checkout", lambda driver, record, _: _out.update({id(record): _number(driver)}))
        event.listen(engine, "checkin", lambda _, record: _out.pop(id(record), None))


def _number(driver) -> int:
    return driver.info.backend_pid if hasattr(driver, "info") else driver.thread_id()


def _checked_out() -> int:
    engines = [engine for engine in (reference() for reference in _engines) if engine is not None]
    return sum(engine.pool.checkedout() for engine in engines if hasattr(engine.pool, "checkedout"))


def _watch(folder: pathlib.Path) -> None:
    with (folder / f"{os.getpid()}.pool").open("a", buffering=1) as file:
        while True:
            print(time.time(), _checked_out(), *_out.copy().values(), file=file)
            time.sleep(INTERVAL)


def _start(folder: pathlib.Path) -> None:
    threading.Thread(target=_watch, args=(folder,), daemon=True, name="watch").start()


def main() -> None:
    """Runs the program."""
    folder, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    sys.modules["watched"] = sys.modules["__main__"]
    plugins.register("watched", "watched", "Watched")
    os.register_at_fork(after_in_child=lambda: _start(folder))
    _start(folder)
    del sys.argv[:2]
    sys.path[0] = os.getcwd()
    if pathlib.Path(program).is_file():
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
