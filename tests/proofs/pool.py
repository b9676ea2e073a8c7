"""A small pool that is watched: every engine whose URL says ``?plugin=proof`` gets one."""

from __future__ import annotations

import threading
import time
import weakref
from typing import Any

from sqlalchemy import event
from sqlalchemy.dialects import plugins
from sqlalchemy.engine import URL, CreateEnginePlugin, Engine
from sqlalchemy.pool import NullPool, Pool, QueuePool, StaticPool

from . import old_sqlalchemy

PLUGIN = "proof"
SIZE = 2
"""How many connections a watched pool has unless the proof says otherwise; none on top of them."""
PATIENCE = 0.25
"""Seconds that a caller waits for a connection before SQLAlchemy raises TimeoutError."""


class Watch:
    """What was seen of all watched pools since the last :meth:`start`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.start()

    def start(self, size: int = SIZE) -> None:
        """Forgets everything, the engines included; pools made from now on have ``size`` connections."""
        self.size = size
        self._engines: list[weakref.ref[Engine]] = []
        self.forget_holds()

    def forget_holds(self) -> None:
        """Forgets how long connections were out, keeps the engines."""
        self._out: dict[int, float] = {}
        self._holds: list[float] = []
        self._most = 0

    @property
    def engines(self) -> list[Engine]:
        """The engines that are still there, the oldest first."""
        return [engine for engine in (reference() for reference in self._engines) if engine is not None]

    def add(self, engine: Engine) -> None:
        """Watches ``engine`` from now on."""
        self._engines.append(weakref.ref(engine))
        event.listen(engine, "checkout", self._taken)
        event.listen(engine, "checkin", self._given_back)

    def _taken(self, _connection: Any, record: Any, _proxy: Any) -> None:
        with self._lock:
            self._out[id(record)] = time.monotonic()
            self._most = max(self._most, len(self._out))

    def _given_back(self, _connection: Any, record: Any) -> None:
        with self._lock:
            taken = self._out.pop(id(record), None)
            if taken is not None:
                self._holds.append(time.monotonic() - taken)

    def connections_out(self) -> int:
        """How many connections are checked out at this moment."""
        return sum(_checked_out(engine.pool) for engine in self.engines)

    def connections_open(self) -> int:
        """How many connections to the server are open, in a pool or out of it."""
        return sum(_checked_out(engine.pool) + _checked_in(engine.pool) for engine in self.engines)

    def most_out(self) -> int:
        """The largest number of connections that were out at one moment."""
        return self._most

    def longest_hold(self) -> float:
        """Seconds of the longest time one connection was out; those still out count until now."""
        with self._lock:
            now = time.monotonic()
            return max([*self._holds, *(now - taken for taken in self._out.values())], default=0.0)


def _checked_out(pool: Pool) -> int:
    return 0 if isinstance(pool, NullPool | StaticPool) else pool.checkedout()


def _checked_in(pool: Pool) -> int:
    return 0 if isinstance(pool, NullPool | StaticPool) else pool.checkedin()


watch = Watch()


class ProofPlugin(CreateEnginePlugin):
    """Makes the pool of an engine small and impatient, and has it watched."""

    def __init__(self, url: URL, options: dict[str, Any]) -> None:
        super().__init__(url, options)
        if old_sqlalchemy.IS_OLD and url.get_backend_name() == "sqlite":
            if options.get("poolclass") in (None, NullPool):
                options["poolclass"] = QueuePool
            options.setdefault("connect_args", {"check_same_thread": False})

    def update_url(self, url: URL) -> URL:
        return url

    def handle_pool_kwargs(self, pool_cls: type[Pool], pool_args: dict[str, Any]) -> None:
        if not issubclass(pool_cls, NullPool | StaticPool):
            pool_args.update(pool_size=watch.size, max_overflow=0, timeout=PATIENCE)

    def engine_created(self, engine: Engine) -> None:
        watch.add(engine)


plugins.register(PLUGIN, __name__, ProofPlugin.__name__)
old_sqlalchemy.teach()
