"""Ask the database when a request comes, not while modules are imported

What it does
    Reports a query that runs while a module is imported or while an application factory builds the application: a
    session or connection used at module level, or by a function or class that module-level code or the factory calls.

Why it matters
    Every worker runs it at the same moment, right after a start or deployment, when all of them open their first
    connection: that is when a small server answers "Too many connections". And the import fails wherever there is no
    database yet: in migrations, in tests, in ``--help``. The result is then as old as the process.

Stays silent when
    The file is a script, a test, a migration or a command, or nothing imports it; the code stands under
    ``if __name__ == "__main__"``; the database is SQLite; a function only defines what runs later (start-up hooks,
    lifespan handlers, cached loaders). ``create_all()`` is reported only where the deployment starts more than one
    process, which then create tables in a race.

Fix safety
    No fix is offered: when the answer is needed is yours to say. Load it on first use, in a cached function, or once
    before the workers start.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..pool.budget import budgets
from ..pool.judge import FilePool, pool_of
from ..pool.reading import last_part
from ..pool.settings import knowledge
from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import ENGINE
from ..view import View

_REFUSAL = "when the answer is needed is yours to say"
_SCHEMA = frozenset({"create_all", "drop_all"})
_ASKING = frozenset({"inspect", "reflect", "prepare", "read_sql", "read_sql_query", "read_sql_table", "to_sql"})
"""Functions that take a connection from the engine they are given."""


def check(view: View) -> Iterator[Diagnostic]:
    """Each query of the module's own statements and of its application factories."""
    pool = pool_of(view)
    if pool.is_aside or view.is_script or is_sqlite(pool):
        return
    for flow in view.flows:
        factory = flow.body.node is not None and is_factory(flow, view)
        if flow.body.node is not None and not factory:
            continue
        when = f"while {flow.body.name}() builds the application" if factory else "while the module is imported"
        found = [(node, what) for node, what in queries(flow, view) if not is_guarded(node, view)]
        if found and (factory or pool.is_imported):
            for node, what in found:
                if what not in _SCHEMA or starts_several(pool):
                    message = f"{view.text(node)!r} asks the database {when}, in every worker"
                    yield view.diagnostic(RULE, node, message, refusal=_REFUSAL, body=flow.body)


def is_sqlite(pool: FilePool) -> bool:
    """Whether every engine that the file makes is SQLite."""
    return bool(pool.engines) and all(made.is_sqlite for made in pool.engines)


def is_factory(flow: Flow, view: View) -> bool:
    """Whether the function makes a web application or job runner and gives it to its caller."""
    classes = knowledge().applications
    calls = [n for n in flow.body.own_nodes if isinstance(n, ast.Call)]
    makes = any((view.names.resolve(call.func) or "") in classes for call in calls)
    return makes and any(isinstance(n, ast.Return) and n.value is not None for n in flow.body.own_nodes)


def queries(flow: Flow, view: View) -> Iterator[tuple[ast.expr, str]]:
    """The expressions that take a connection, one for each statement, in the order of the file, with the name of
    the method for the ones that only touch the schema."""
    nodes = [e.node for e in flow.events(Happening.TAKEN)]
    nodes += [e.node for e in flow.events(Happening.OPENED) if e.resource and e.resource.is_connection]
    nodes += flow.scope.own
    calls = [n for n in flow.body.own_nodes if isinstance(n, ast.Call)]
    nodes += [call for call in calls if takes_own(call, view) or asks_engine(call, view)]
    found = {node.lineno: (node, "") for node in nodes if isinstance(node, ast.expr)}
    for call in calls:
        if last_part(call.func) in _SCHEMA:
            found.setdefault(call.lineno, (call, last_part(call.func)))
    yield from (found[line] for line in sorted(found))


def asks_engine(call: ast.Call, view: View) -> bool:
    """``inspect(engine)``, ``metadata.reflect(engine)`` and the like."""
    given = [*call.args, *(k.value for k in call.keywords)] if last_part(call.func) in _ASKING else []
    names = [g for g in given if isinstance(g, (ast.Name, ast.Attribute))]
    return any(view.project.evaluate(view.module, name).kind == ENGINE for name in names)


def takes_own(call: ast.Call, view: View) -> bool:
    """Whether the call runs a project function that takes a connection for itself; application factories are
    reported inside."""
    if not isinstance(call.func, (ast.Name, ast.Attribute)) or not view.names.resolve(call.func):
        return False
    function = view.project.evaluate(view.module, call.func)
    target = view.project.target(function)
    if target is None or target.is_generator:
        return False
    classes = knowledge().applications
    made = (target.module.names.resolve(n.func) for n in target.body.own_nodes if isinstance(n, ast.Call))
    if any(name in classes for name in made):
        return False
    summary = view.project.summary(function, ())
    return summary is not None and bool(summary.takes_own)


def is_guarded(node: ast.AST, view: View) -> bool:
    """Whether the node stands under ``if __name__ == "__main__"``."""
    line = node.lineno  # type: ignore[attr-defined]
    guards = (s for s in view.source.tree.body if isinstance(s, ast.If) and "__name__" in ast.unparse(s.test))
    return any(guard.lineno <= line <= (guard.end_lineno or 0) for guard in guards)


def starts_several(pool: FilePool) -> bool:
    """Whether the deployment is known to start more than one process."""
    return any((budget.process_count or 0) > 1 for budget in budgets(pool.survey))


RULE = Rule("ORM418", "query-at-import", "a query while modules are imported or the application is built", check)
