"""Do not sleep while a connection is checked out

What it does
    Reports ``time.sleep``, ``asyncio.sleep`` and their like while a session or connection holds a pooled connection,
    directly or through functions of the project.

Why it matters
    The connection is idle and nobody else can have it. With a pool of 2, two sleepers are enough for the third caller
    to get ``TimeoutError`` (measured); on the server the transaction stays open, and a connection that sleeps longer
    than ``wait_timeout`` is gone, ``pool_pre_ping`` or not.

Stays silent when
    Nothing is held: before the first SQL, after commit, rollback or close, after the ``with`` block; for ``sleep(0)``;
    in tests and one-shot commands.

Fix safety
    No fix is offered: giving the connection back before the sleep ends the transaction, and rows read before it expire.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..view import View
from .holding import waits


def check(view: View) -> Iterator[Diagnostic]:
    yield from waits(view, lambda: RULE, frozenset({"sleep"}), "sleeps")


RULE = Rule("ORM201", "sleep-while-connected", "sleep while a connection is held", check)
