"""A session that holds its connection already when a handler of requests starts."""

from __future__ import annotations

from typing import NamedTuple

from ..session.values import Resource
from ..story import registry_name


class Held(NamedTuple):
    """A session that holds a connection when the handler starts.

    ``name`` is what it is called: a parameter of the handler, or of the ``dependency`` that has used it, or a registry.
    ``own`` are the names that it has in the handler, and ``others`` the parameters that may be objects which work with
    it. ``remedy`` is what its author can do about it. ``session`` is the session by itself, where that is known.
    ``told`` says who has the connection where that is no function of the project.
    """

    name: str
    dependency: str
    own: frozenset[str]
    others: frozenset[str]
    remedy: str
    session: Resource | None = None
    told: str = ""

    @property
    def meanwhile(self) -> str:
        """What goes on, for messages: "session 'db', which get_user() has used, holds a connection"."""
        return self.told or f"session {self.name!r}, which {self.dependency}() has used, holds a connection"


def of_registry(registry: Resource, user: str) -> Held:
    """The session of a registry that the function ``user`` has used before the handler."""
    name = registry_name(registry)
    remedy = f"end the transaction of {name!r} before the wait"
    return Held(name, user, frozenset({registry.key}), frozenset(), remedy, registry)
