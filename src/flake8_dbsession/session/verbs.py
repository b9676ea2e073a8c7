"""What one method of a session does, as the tables say: which verb of the lattice it stands for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..known import Effect
from .state import BEGUN, CLOSED, IDLE, USED, WRITTEN, Life
from .values import Resource

if TYPE_CHECKING:
    from .moment import Moment

_WRITERS = frozenset({"add", "add_all", "delete", "merge", "flush", "delete_all", "merge_all"})
_LOOKUPS = frozenset({"get_one", "one", "scalar_one", "first_or_404", "get_or_404", "one_or_404"})
"""They raise where there is no row."""


def run_method(now: Moment, resource: Resource, effect: Effect, method: str, node: ast.AST) -> None:
    """``resource.<method>()`` at ``node``, of which ``effect`` is known."""
    if resource.is_connection and effect.begins:
        now.mark(resource, USED)
        now.may_raise("db")
    if method == "commit":
        now.commit(resource, node)
    elif method == "rollback":
        now.cut(resource, node)
        now.rollback(resource)
    elif method == "flush":
        now.flush(resource, node)
    elif effect.word == "dispose":
        now.finish(resource, node, method)
    elif effect.word == "release":
        now.release(resource)
    elif effect.word == "checkout":
        if method in ("merge", "delete", "identity_key") and effect.conditional:
            begin(now, resource, method)
            return
        now.take(resource, node, may_fail="lookup" if method in _LOOKUPS else "db")
        if method == "refresh":
            now.refresh(resource)
    elif effect.begins or method in _WRITERS:
        begin(now, resource, method)
    if method in _WRITERS:
        now.mark(resource, WRITTEN)


def begin(now: Moment, resource: Resource, method: str) -> None:
    """A transaction begins where there is none; no SQL is run yet."""
    life = now.life(resource)
    phases = BEGUN if life.phases & (IDLE | CLOSED) and not life.phases & ~(IDLE | CLOSED) else life.phases
    now.lives[resource] = Life(phases, life.marks | (WRITTEN if method in _WRITERS else 0))
