"""Hooks that SQLAlchemy runs while a session writes or commits, with its connection taken: ``after_insert``.

The connection is checked out in the hooks of mappers and of a flush, and in ``after_commit`` as well, which is called
before the transaction gives it back (measured: 1 in each of them, 0 in ``after_soft_rollback``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..session.body import Body
from ..view import View
from .held import Held

FLUSH = frozenset(
    {"after_delete", "after_flush", "after_flush_postexec", "after_insert", "after_update"}
    | {"before_delete", "before_insert", "before_update"}
)
COMMIT = frozenset({"after_commit"})
_LISTENING = frozenset(f"sqlalchemy.event.{part}{name}" for part in ("", "api.") for name in ("listen", "listens_for"))
_REMEDY = "note what there is to say, and say it when the session has given its connection back"


def held_while_writing(view: View, body: Body) -> Iterator[Held]:
    """The connection of the session that writes when it calls a function as a hook."""
    if not view.mentions(b"listen"):
        return
    name = body.name.rpartition(".")[2]
    for event in events_of(view, body):
        what = "flush" if event in FLUSH else "commit" if event in COMMIT else ""
        if what:
            told = f"the {what} that calls {name}() has a connection"
            yield Held("session", name, frozenset(), frozenset(), _REMEDY, told=told)


def events_of(view: View, body: Body) -> Iterator[str]:
    """The events that a function is called for: ``@event.listens_for(Order, "after_insert")``, ``event.listen(…)``."""
    decorators = [each for each in body.decorators if isinstance(each, ast.Call)]
    calls = (call for around in (view.module.top, *view.module.bodies.values()) for call in around.own(ast.Call))
    for call in (*decorators, *(call for call in calls if is_given(call, body))):
        match call.args:
            case [_, ast.Constant(value=str(event)), *_] if view.names.resolve(call.func) in _LISTENING:
                yield event


def is_given(call: ast.Call, body: Body) -> bool:
    """Whether the call gets the function as the one to be called."""
    return len(call.args) > 2 and isinstance(call.args[2], ast.Name) and call.args[2].id == body.name
