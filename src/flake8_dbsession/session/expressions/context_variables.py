"""Context variables that hold a session: ``current: ContextVar[Session]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..values import CONTEXT, SESSION, UNKNOWN, Value

if TYPE_CHECKING:
    from .call import Call
    from .evaluate import Evaluation


def context_method(ev: Evaluation, variable: Value, name: str, call: Call) -> Value:
    """``current.get()`` gives the session of a context variable; ``set()`` and ``reset()`` put another there."""
    session = dict(variable.extra).get(CONTEXT, UNKNOWN)
    if session.resource is not None and name != "get":
        ev.now.leave_contexts()
        if name == "set" and call.positional and call.positional[0].kind == SESSION:
            ev.now.names[CONTEXT] = call.positional[0]
    return session if name == "get" else UNKNOWN
