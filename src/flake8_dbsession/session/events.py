"""What happens to sessions while a function runs: the raw material of the rules."""

from __future__ import annotations

import ast
import enum
from typing import Any, NamedTuple

from .values import Resource


class Happening(enum.Enum):
    """The kinds of event; in brackets what ``detail`` holds."""

    OPENED = "opened"  # a session was taken (Value of the factory)
    WAITED = "waited"  # (Wait) while ``resource`` holds its connection
    LOST = "lost"  # opened again at the same place, or its name re-bound, while held
    HANDED_OVER = "handed over"  # a session reaches a thread, task or background job (Handover)
    UNAWAITED = "unawaited"  # (method) of an async session called without await
    USED_CLOSED = "used closed"  # SQL after close() or after its with block
    SECOND = "second"  # SQL on another session (Second) while ``resource`` holds
    SPREAD = "spread"  # any number of coroutines run at once, and each takes a connection of its own (Steps)
    COMMITTED_STREAMING = "committed streaming"  # a cursor is read on after the commit or rollback at ``node``
    DISCARDED_GENERATOR = "discarded generator"  # next(get_db())
    KEPT_GENERATOR = "kept generator"  # next(sessions), of one that has a name
    ENGINE_MADE = "engine made"  # create_engine (name)
    OWNER_MADE = "owner made"  # an object with an engine of its own (name)
    REGISTRY_MADE = "registry made"  # sessionmaker/scoped_session (name)
    FAILED_USED = "failed used"  # SQL in FAILED after the exception was swallowed (except handler, or Swallowed)
    BROKEN_USED = "broken used"  # SQL in a transaction after the failure of a statement was swallowed (except handler)
    CLOSED = "closed"  # close()/remove() (method)
    QUERIED = "queried"  # SQL was run
    COMMITTED = "committed"  # commit()
    TAKEN = "taken"  # the call or attribute that takes the connection
    STREAMED = "streamed"  # a yield or streaming response while held
    STREAMED_LATER = "streamed later"  # a response is made of a generator (its name) that holds it as it yields
    ANSWERED = "answered"  # a streaming response is made (its class)
    PUSHED = "pushed"  # app_context().push()

    __hash__ = object.__hash__  # each is one object, and a key of the events of every function


class Event(NamedTuple):
    """Something that happened at ``node``; ``taken`` is the expression that took the connection, where known."""

    happening: Happening
    node: ast.AST
    resource: Resource | None = None
    detail: Any = None
    taken: ast.AST | None = None


class Handover(NamedTuple):
    """How a session goes to something that runs beside or after the caller.

    ``concurrency`` is "thread", "process", "task" or "later"; ``through`` how it gets there ("argument",
    "closure", "self", "row", "object": one made here); ``name`` what it was called; ``to`` the callee's name.
    """

    concurrency: str
    through: str
    name: str
    to: str
    many: bool = False


class Second(NamedTuple):
    """The session that takes a second connection, and the project functions on the way to it."""

    resource: Resource
    way: tuple[tuple[str, str, int], ...] = ()
    at_end: bool = False
    """Whether the block commits as it ends, and takes the connection for that."""


class Swallowed(NamedTuple):
    """The ``call`` in which a failure was caught: by ``handler``, of the session that is called so inside."""

    call: ast.AST
    handler: ast.AST
    session: Resource
