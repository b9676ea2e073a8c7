"""Ask the server for no more connections than it has

What it does
    Adds up what the application may come to, processes × (pool_size + max_overflow) over all engines, and reports the
    engines when that is more than the server's ``max_connections`` less what is reserved. Processes are read from
    gunicorn, uvicorn, uWSGI and Celery command lines and settings (compose files, Procfile, systemd units, Dockerfile),
    the limit from a compose file, ``my.cnf`` or ``postgresql.conf``, and both from ``[tool.dbsession.pool]``. A program
    that is told which module to serve, or runs jobs, counts where that module, or those of the jobs, import an engine,
    directly or not; an engine that none of them imports does not.

Why it matters
    Every worker process has a pool of its own. Under load they fill up together, and the server answers with error 1040
    "Too many connections" or "sorry, too many clients already", to everybody (shown on real servers in the tests).

One worked example
    Four gunicorn workers with ``pool_size=2, max_overflow=3`` may take 4 × 5 = 20 connections. On a server that lets
    the application have 15, ``pool_size=1, max_overflow=2`` fits: 4 × 3 = 12.

    | server | memory | CPUs | workers | pool_size | max_overflow | connections |
    |---|---|---|---|---|---|---|
    | small | 2 GB | 2 | 2 | 1 | 2 | 6 |
    | medium | 4 GB | 4 | 4 | 1 | 2 | 12 |
    | large | 8 GB | 8 | 6 | 1 | 2 | 18 |

    ``dbsession pool`` prints the sum for your project, with the file and line of each number.

Stays silent when
    A number that decides is unknown: the pool's settings cannot be seen, the server's limit is neither written nor
    configured, or a proxy of the compose file (PgBouncer and its like) stands before the server. Two things hold all
    the same: a service whose number of processes is unknown has at least one, and a single pool that is larger than the
    server's documented default (151 for MySQL and MariaDB, 97 of 100 for PostgreSQL) is too large for any server that
    nobody changed. An engine beside one that is too large by itself is left alone. Also in a project of more than four
    thousand files, which is not looked through.

Fix safety
    Shown only: smaller pools, fewer processes, a larger limit or a proxy in between are yours to choose from.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator

from ..fix.plans import SetItem, SetKeyword, Step
from ..model import Diagnostic, Note, Plan, Rule, Safety, Span
from ..pool.budget import Budget, Fit, budgets
from ..pool.factors import Factor
from ..pool.judge import pool_of
from ..pool.made import Made
from ..pool.parts import Part
from ..pool.shares import UNLIMITED
from ..project.app import MOST_FILES
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    """Each engine of this file that takes part in a budget that is certainly exceeded."""
    pool = pool_of(view)
    makers = {made.node.lineno: made for made in pool.engines} if pool.is_candidate and not pool.is_aside else {}
    starts = {e.call.node.lineno: e.call.node for e in pool.found.extensions} if makers or pool.is_candidate else {}
    if not (makers or starts) or len(pool.survey.python) > MOST_FILES:
        return
    for budget in budgets(pool.survey) if not pool.is_aside else ():
        here = [s for s in budget.to_blame if s.path == pool.path] if budget.is_proven else []
        for share in here:
            made = makers.get(share.line)
            node = made.node if made else starts.get(share.line)
            if node is not None:
                plan = proposal(made, budget.fit(), view) if made else None
                notes = notes_of(budget, view.project.root)
                refusal = "" if plan else "the settings are not all in one place that can be edited"
                yield view.diagnostic(RULE, node, message_of(budget), notes, plan, refusal)


def message_of(budget: Budget) -> str:
    """The sum and the limit in one line."""
    limits, total = budget.limits, budget.at_least
    if total >= UNLIMITED:
        return (
            f"the pool has no limit, {limits.title} takes {limits.usable} (max_connections {limits.connections.number})"
        )
    known = "" if budget.process_count else " at least"
    reserved = f" less {limits.reserved.number} reserved" if limits.reserved.number else ""
    return (
        f"{' + '.join(map(product, budget.parts))} = {total} connections{known}, {limits.title} takes {limits.usable} "
        f"(max_connections {limits.connections.number}{reserved})"
    )


def product(part: Part) -> str:
    """``4 processes × (5 + 10)``."""
    processes = f"{part.least} {'process' if part.least == 1 else 'processes'}"
    pools = " + ".join(f"{s.size.number} + {s.overflow.number}" for s in part.shares)
    return f"{processes} × ({pools})"


def notes_of(budget: Budget, root: str) -> Iterator[Note]:
    """The factors with a place, the processes first."""
    for service in budget.processes:
        yield from note_of(
            f"{service.service}: {service.workers.number or 'an unknown number of'} workers", service.workers, root
        )
        if service.copies:
            yield from note_of(f"{service.service}: {service.copies.number} copies", service.copies, root)
    connections = budget.limits.connections
    yield from note_of(f"max_connections is {connections.number}", connections, root)


def note_of(sentence: str, factor: Factor, root: str) -> Iterator[Note]:
    if factor.path:
        remark = f" ({factor.remark})" if factor.remark else ""
        line = max(1, factor.line)
        yield Note(sentence + remark, Span(line, 0, line, 0), os.path.relpath(factor.path, root))


def proposal(made: Made, fit: Fit | None, view: View) -> Plan | None:
    """The largest pool that fits, in place of what is written."""
    if fit is None or made.edited is None:
        return None
    numbers = {"pool_size": str(fit.size), "max_overflow": str(fit.overflow)}
    span = view.span(made.edited)
    setter = SetItem if isinstance(made.edited, ast.Dict) else SetKeyword
    steps: tuple[Step, ...] = tuple(setter(span, name, number) for name, number in numbers.items())
    title = f"make the pool fit: pool_size={fit.size}, max_overflow={fit.overflow} ({fit.total} connections in all)"
    return Plan(title, Safety.DISPLAY, steps, "how the connections are shared out is yours to choose")


RULE = Rule("ORM413", "pool-over-budget", "more pooled connections than the server takes", check)
