"""Do not wait for somebody else while a connection is checked out

What it does
    Reports polls of queues and brokers, locks, events, futures, ``join``, subprocesses, browsers, loops that wait for a
    file, ``input()`` and slow password hashing while a session or connection holds a pooled connection. What the
    dependencies of a FastAPI endpoint have used before it counts, too; then its first wait is reported. So does the
    ``yield`` of a lifespan handler of FastAPI or Starlette, which comes back when the application is stopped.

Why it matters
    The wait has no relation to the database, but lasts as long as the other side likes, and the connection is idle all
    that time. Where what is waited for needs a connection itself, the pool can deadlock.

Stays silent when
    Nothing is held: before the first SQL, after commit, rollback or close, after the ``with`` block; for waits that
    return at once (``block=False``); where the call asks the network as well, which is told as ORM202; for a lock of
    the file that is only ever held to change values in memory, or that is taken inside of another one and held for no
    wait; for a lock under which the session itself, which others have, too, was used before; in what a script runs from
    its menu, for one person; for hashes in what sets a database up, and for those of a few thousand rounds, or of a
    cost below eight; in what only runs as a process starts; where all there is are files of SQLite under SQLAlchemy 1,
    which have no pool.

Fix safety
    ``session.commit()`` goes before the wait, or before the loop around it that leaves the session alone. Columns that
    are read afterwards are read before it and kept in names of their own; setting attributes of a row needs no
    connection. Safe where the function opened the session, or handles a request whose hooks and dependencies have only
    read with it, has only read so far itself, and loads no row anew afterwards. Unsafe where others have the session
    too (what they changed would be committed, and their rows expire), where rows are changed afterwards, in another
    transaction than they were read in, or where they are read in another way. Shown only where the function changed
    something before, where a row is read before the wait is over, and for rows of an async session that are read in
    another way. None for what only dependencies have used: let them end the transaction, or read in a session of their
    own.

Configuration
    ``blocking-calls`` adds calls of your own.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..view import View
from .holding import file_waits, lifetimes, waits


def check(view: View) -> Iterator[Diagnostic]:
    yield from waits(view, lambda: RULE, frozenset({"wait", "hash"}), "waits")
    yield from file_waits(view, lambda: RULE)
    yield from lifetimes(view, lambda: RULE)


RULE = Rule("ORM203", "wait-while-connected", "wait for something else while a connection is held", check)
