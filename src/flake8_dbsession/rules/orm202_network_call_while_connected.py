"""Do not call the network while a connection is checked out

What it does
    Reports HTTP requests, calls of cloud and LLM services, mail, RPC and the like while a session or connection holds a
    pooled connection, directly or through functions of the project. What the dependencies of a FastAPI endpoint, or the
    loader of Flask-Login's user, have used before it counts, too; then its first call is reported. So does what
    SQLAlchemy calls while a session writes or commits, ``@event.listens_for(Order, "after_insert")``.

Why it matters
    The pool's size becomes the number of slow calls that can run at once. When the other side hangs, every connection
    hangs with it, and requests that need nothing but the database time out.

Stays silent when
    Nothing is held: before the first SQL, after commit, rollback or close, after the ``with`` block. A row read after a
    commit takes a connection again, in a function that it is passed to as well, so ``commit(); post(row.name)`` and
    ``commit(); send_mail(row)`` are reported and ``name = row.name; commit(); post(name)`` is not. What only runs as a
    process starts keeps nobody waiting, nor does a file of SQLite under SQLAlchemy 1, which has no pool.

Fix safety
    ``session.commit()`` goes before the call, or before the loop around it that leaves the session alone. Columns that
    are read afterwards are read before it and kept in names of their own; setting attributes of a row needs no
    connection. Safe where the function opened the session, or handles a request whose hooks and dependencies have only
    read with it, has only read so far itself, and loads no row anew afterwards. Unsafe where others have the session
    too (what they changed would be committed, and their rows expire), where rows are changed afterwards, in another
    transaction than they were read in, or where they are read in another way. Shown only where the function changed
    something before, where a row is read before the call is over, and for rows of an async session that are read in
    another way. None for what only dependencies have used: let them end the transaction, or read in a session of their
    own; and none where a function reads a row that it is passed: read its columns before the commit, and pass those.

Configuration
    ``blocking-calls`` adds calls: ``"app.clients.*"`` or ``"app.mail.send -> queue the mail instead"``.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..view import View
from .holding import waits


def check(view: View) -> Iterator[Diagnostic]:
    yield from waits(view, lambda: RULE, frozenset({"network"}), "waits for the network")


RULE = Rule("ORM202", "network-call-while-connected", "network call while a connection is held", check)
