"""Recycle MySQL connections before the server closes them

What it does
    Reports an engine on MySQL or MariaDB whose connections may grow older than the server lets them idle:
    ``pool_recycle`` is missing, -1, or not below ``wait_timeout`` (28,800 seconds by default; from the configuration,
    a compose file or a ``my.cnf`` where one says otherwise).

Why it matters
    The server closes a connection that was idle for ``wait_timeout`` seconds. The pool does not hear of it, and the
    next statement on it fails with error 2006 or 2013 (measured with ``wait_timeout = 1``: it fails without, and works
    with ``pool_recycle`` below the limit, and with ``pool_pre_ping``). ``pool_recycle`` is -1 by default: never.

Stays silent when
    ``pool_pre_ping`` is set, which replaces dead connections; the value cannot be seen; Flask-SQLAlchemy makes the
    engine from a ``mysql`` URL and nothing overrides its own 7,200 seconds (it sets none for ``mariadb`` URLs:
    measured); the engine does not outlive the function, is not pooled, or some options cannot be seen; its
    callers name the database; the branch is for SQLite; the file is run by hand.

Fix safety
    Shown only: the number is yours to choose.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..fix.plans import SetItem, SetKeyword
from ..model import Diagnostic, Plan, Rule, Safety
from ..pool.judge import FilePool, pool_of
from ..pool.made import Made
from ..pool.stale import age, idle_limit, is_pooled, judged
from ..pool.values import is_off
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    """Each kept engine on a server that closes idle connections, with a recycle time that is none or too long."""
    pool = pool_of(view)
    for made in judged(view, pool):
        limit = idle_limit(made, pool)
        if not limit or not made.kept or not made.options.whole or not is_pooled(made, pool):
            continue
        server, seconds = limit
        found = age(made, pool)
        if found is None or 0 <= found < seconds or is_pinged(made, pool):
            continue
        what = "never recycled" if found < 0 else f"recycled after {found} s"
        what += by_default(made, pool)
        message = f"connections are {what}, {server.title} closes them after {seconds} s idle ({server.idle_setting})"
        plan = proposal(made, view, seconds)
        refusal = "" if plan else "the recycle time is not written where it can be edited"
        yield view.diagnostic(RULE, made.node, message, plan=plan, refusal=refusal)


def by_default(made: Made, pool: FilePool) -> str:
    """Says so where the environment can give another recycle time."""
    variable = pool.value(made.options.items.get("pool_recycle")).variable
    return f" unless {variable} is set" if variable else ""


def is_pinged(made: Made, pool: FilePool) -> bool:
    """Whether connections are tested, as far as can be seen: only a plain False says no."""
    item = made.options.items.get("pool_pre_ping")
    value = pool.value(item)
    return item is not None and not (value.known and not value.variable and is_off(value.data))


def proposal(made: Made, view: View, seconds: int) -> Plan | None:
    """A recycle time of half the limit, half an hour at most."""
    if made.has("pool_recycle"):
        written = made.options.items["pool_recycle"].value
        if not isinstance(written, (ast.Constant, ast.UnaryOp)):
            return None
    number = str(max(1, min(1800, seconds // 2)))
    reason = "the number is yours to choose: anything well below the server's limit"
    title = f"recycle connections: pool_recycle={number}"
    match made.edited:
        case ast.Dict() as display:
            return Plan(title, Safety.DISPLAY, (SetItem(view.span(display), "pool_recycle", number),), reason)
        case ast.Call() as call:
            return Plan(title, Safety.DISPLAY, (SetKeyword(view.span(call), "pool_recycle", number),), reason)
    return None


RULE = Rule("ORM412", "no-recycle", "pooled connections that outlive the server's patience", check)
