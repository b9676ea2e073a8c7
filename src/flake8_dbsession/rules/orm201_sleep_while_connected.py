"""Do not sleep while a connection is checked out

What it does
    Reports ``time.sleep``, ``asyncio.sleep`` and their like while a session or connection holds a pooled connection,
    directly or through functions of the project. What the dependencies of a FastAPI endpoint have used before it
    counts, too; then its first sleep is reported.

Why it matters
    The connection is idle and nobody else can have it. With a pool of 2, two sleepers are enough for the third caller
    to get ``TimeoutError`` (measured); on the server the transaction stays open, and a connection that sleeps longer
    than ``wait_timeout`` is gone, ``pool_pre_ping`` or not.

Stays silent when
    Nothing is held: before the first SQL, after commit, rollback or close, after the ``with`` block; for ``sleep(0)``
    and less than a millisecond, which only let others run; where a setting gives the time and its default is nought;
    for the pause of a called function between a few attempts at something that needs no waiting by itself; where the
    call that sleeps asks the network as well, or waits for somebody else, which is told as ORM202 or ORM203; where all
    there is are files of SQLite under SQLAlchemy 1, which have no pool; in tests, one-shot commands, interactive shells
    and what only runs as a process starts.

Fix safety
    ``session.commit()`` goes before the sleep, or before the loop around it that leaves the session alone. Columns that
    are read afterwards are read before it and kept in names of their own; setting attributes of a row needs no
    connection. Safe where the function opened the session, or handles a request whose hooks and dependencies have only
    read with it, has only read so far itself, and loads no row anew afterwards. Unsafe where others have the session
    too (what they changed would be committed, and their rows expire), where rows are changed afterwards, in another
    transaction than they were read in, or where they are read in another way. Shown only where the function changed
    something before, where a row is read before the sleep is over, and for rows of an async session that are read in
    another way. None for what only dependencies have used: let them end the transaction, or read in a session of their
    own.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..view import View
from .holding import waits


def check(view: View) -> Iterator[Diagnostic]:
    yield from waits(view, lambda: RULE, frozenset({"sleep"}), "sleeps")


RULE = Rule("ORM201", "sleep-while-connected", "sleep while a connection is held", check)
