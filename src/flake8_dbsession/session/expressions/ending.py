"""What a ``commit()`` of an object may end beside what is seen: the transactions of the objects that it keeps.

``unit.orders.get(1)`` takes a connection with the session of a repository; ``unit.commit()`` of an abstract unit of
work says nothing of that session, and gives it back all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..functions.formals import SELF
from ..values import Resource, Value

if TYPE_CHECKING:
    from .evaluate import Evaluation

_GIVING_BACK = frozenset({"close", "commit", "rollback"})


def end_what_is_kept(ev: Evaluation, method: Value, receiver: str, seen: Iterable[Resource] = ()) -> None:
    """Give back the sessions on an object, named by ``receiver``, whose method promises it, but for those ``seen``."""
    if not receiver or method.name.rpartition(".")[2] not in _GIVING_BACK:
        return
    way = f"{SELF}." if receiver == SELF else f".{receiver}."
    known = set(seen)
    for resource in [each for each in ev.now.lives if each.is_of_an_object and each.key.startswith(way)]:
        if resource not in known:
            ev.now.release(resource)
