"""Why an engine may hand out a connection that the server closed, and whether anything stands against it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..names import dotted, last_part
from ..questions.chosen import is_chosen_by_caller
from ..questions.lasting import keeper_of
from ..session.flow import Flow
from ..view import View
from .jobs import may_ask
from .judge import FilePool
from .made import Made
from .settings import TUNING, Server, knowledge, server_of
from .url import NOWHERE

_TESTS = (b"'engine_connect'", b'"engine_connect"', b"'checkout'", b'"checkout"')
_SHORT = 3600
"""A recycle time (seconds) that is meant against dead connections where the server itself sets no limit."""


def judged(view: View, pool: FilePool) -> Iterator[Made]:
    """The engines of the file; of one whose callers name the database the server is unknown, whatever the project's own
    is."""
    for made in pool.engines:
        yield made if made.url.dialect or not is_for_any_database(view, made) else made._replace(server=NOWHERE)


def is_for_any_database(view: View, made: Made) -> bool:
    """Whether a function makes the engine of a URL that it is given.

    A configuration is the application's own, and so is a database whose engine, or object with it, the process keeps.
    """
    call = made.node
    if not isinstance(call, ast.Call) or last_part(call.func).endswith("from_config") or made.keeper == "module":
        return False
    flow = next((flow for flow in view.flows if flow.body.node is not None and call in flow.body.own_nodes), None)
    if flow is None or not is_chosen_by_caller(view, flow, call):
        return False
    if is_on_class(flow, call):
        return False
    owner = f"{view.module.name}.{flow.body.owner}"
    return made.keeper != "attribute" or not flow.body.owner or not keeper_of(view.project, owner, 1)


def is_on_class(flow: Flow, made: ast.Call) -> bool:
    """``Database.engine = create_engine(url)``, ``cls.engine = …``: there is one for the process."""
    heads = (dotted(target) or "" for target, value in flow.body.assigned() if value is made)
    owners = {head.partition(".")[0] for head in heads if "." in head}
    return any(owner == "cls" or owner not in flow.body.local_names for owner in owners - {"self"})


def is_pooled(made: Made, pool: FilePool) -> bool:
    """Whether the engine keeps connections to a server for later; False where that cannot be said.

    A pool class set by hand counts only when it is known to pool; a ready-made ``pool=`` does not.
    """
    if made.is_sqlite or made.has("pool"):
        return False
    if made.has("poolclass"):
        pool_class = pool.pool_class(made)
        return bool(pool_class and pool_class.pools)
    return True


def idle_limit(made: Made, pool: FilePool) -> tuple[Server, int] | None:
    """The server and the seconds after which it closes an idle connection; None where it never does or is unknown."""
    server = server_of(made.server.dialect)
    if server is None and not made.server.dialect:
        server = server_of(pool.survey.configured.server)
    if server is None or not server.closes_idle:
        return None
    seconds = pool.survey.limits(server.name).idle.number
    return (server, seconds) if seconds else None


def is_recycled(made: Made, pool: FilePool) -> bool:
    """Whether ``pool_recycle``, set or by default, keeps connections younger than the server's idle limit.

    A value that cannot be seen is believed.
    """
    seconds = age(made, pool)
    if seconds is None:
        return True
    limit = idle_limit(made, pool)
    return 0 <= seconds < (limit[1] if limit else _SHORT + 1)


def age(made: Made, pool: FilePool) -> int | None:
    """The seconds after which a connection is replaced (-1: never); None where they cannot be seen."""
    item = made.options.items.get("pool_recycle")
    if item is not None:
        return pool.value(item).number
    known = knowledge()
    if made.flask and (made.url.dialect == "mysql" or not made.url.dialect):
        return known.flask_mysql["pool_recycle"]
    return int(known.options["pool_recycle"])


def is_tested(pool: FilePool) -> bool:
    """Whether a listener of the project tests connections when they are taken."""
    return pool.found.pings or any(found.pings for found in pool.survey.naming(*_TESTS))


def reason(made: Made, pool: FilePool) -> str:
    """What may close the connections of ``made`` while they wait in the pool, as the end of a sentence; "" where
    nothing in the project speaks for it. Defaults with a server that closes nothing are left alone."""
    limit = idle_limit(made, pool)
    if limit:
        server, _ = limit
        return f"{server.title} closes connections that idle longer than {server.idle_setting}"
    tuned = sorted(TUNING & made.options.items.keys())
    if tuned:
        return f"a pool with {' and '.join(tuned[:2])} keeps connections open, dead ones too"
    server_known = server_of(made.server.dialect)
    job = pool.survey.jobs(pool.path)
    if server_known and job and made.keeper == "module" and may_ask(pool, job, made.flask):
        return f"{job} workers wait between jobs for longer than networks and restarts leave a connection alive"
    return ""
