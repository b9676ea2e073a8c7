"""Test pooled connections before they are used.

What it does
    Reports an engine that is kept for the life of the process without ``pool_pre_ping``, where something in the
    project speaks for dead connections: a server that closes idle ones (MySQL and MariaDB after ``wait_timeout``),
    a pool whose size or times were chosen by hand, or job workers that wait for hours between two uses.

Why it matters
    The pool cannot know that the server, a restart or a firewall has closed a connection. It hands it out, and the
    first statement fails: ``(2006, "MySQL server has gone away")``, ``server closed the connection unexpectedly``.
    With ``pool_pre_ping`` the pool asks first, for the price of one round trip, and replaces the dead.

What it does not do
    Pre-ping looks only when a connection is taken. One that a session holds for longer than ``wait_timeout`` dies
    all the same; see ORM201 to ORM205.

Stays silent when
    ``pool_pre_ping`` is set at all, to True, False or a setting; ``pool_recycle`` is shorter than the server's limit
    (or cannot be seen), as are the 7,200 seconds that Flask-SQLAlchemy sets for ``mysql`` URLs; the pool class does not
    keep connections (NullPool, StaticPool) or is chosen elsewhere; the database is SQLite, or the branch is for it; the
    files that define the jobs import nothing of the database; the file is run by hand; a ``checkout`` or
    ``engine_connect`` listener tests connections; some of the options come from where they cannot be seen; the engine
    does not outlive the function; nothing reads the options (``SQLALCHEMY_ENGINE_OPTIONS`` without Flask-SQLAlchemy);
    or the file is a test, a script or a migration. Of an engine whose callers name the database only its own options
    speak. An engine with nothing but a URL on PostgreSQL is left alone too: PostgreSQL closes nothing by itself.

    A ``checkout`` listener that catches ``sqlalchemy.exc`` errors around the driver's cursor is no test: the driver
    raises its own exceptions, and the dead connection is handed out (measured).

Fix safety
    Safe where the options are a call or a dictionary that is seen whole: ``pool_pre_ping=True`` is added.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..fix.plans import SetItem, SetKeyword
from ..mending.common import Answer
from ..model import Diagnostic, Plan, Rule, Safety
from ..pool.judge import FilePool, pool_of
from ..pool.made import Made
from ..pool.stale import is_pooled, is_recycled, is_tested, judged, reason
from ..view import View

_TITLE = "test each connection when it is taken: pool_pre_ping=True"


def check(view: View) -> Iterator[Diagnostic]:
    """Each kept engine with a reason to test its connections and nothing that does."""
    pool = pool_of(view)
    for made in (*judged(view, pool), *pool.started()):
        why = needed(made, pool)
        if why and not is_tested(pool):
            plan, refusal = repair(made, view)
            yield view.diagnostic(RULE, made.node, f"engine without pool_pre_ping: {why}", plan=plan, refusal=refusal)


def needed(made: Made, pool: FilePool) -> str:
    """Why connections should be tested; "" where they are, need not be, or the options are not seen whole."""
    if made.has("pool_pre_ping") or not made.options.whole or not made.kept:
        return ""
    if not is_pooled(made, pool) or is_recycled(made, pool):
        return ""
    return reason(made, pool)


def repair(made: Made, view: View) -> Answer:
    """The option added where the engine's options stand."""
    match made.edited:
        case ast.Dict() as display:
            return Plan(_TITLE, Safety.SAFE, (SetItem(view.span(display), "pool_pre_ping", "True"),)), ""
        case ast.Call() as call if any(keyword.arg is None for keyword in call.keywords):
            return None, "the call takes ** arguments, which may hold 'pool_pre_ping' already"
        case ast.Call() as call:
            return Plan(_TITLE, Safety.SAFE, (SetKeyword(view.span(call), "pool_pre_ping", "True"),)), ""
    return None, "the options are not all in one place that can be edited"


RULE = Rule("ORM411", "no-pre-ping", "an engine that may hand out dead connections", check)
