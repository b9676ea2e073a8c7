"""Ask the database when a request comes, not while modules are imported

What it does
    Reports a query that runs while a module is imported or while an application factory builds the application: a
    session or connection used at module level, or by a function or class that module-level code or the factory calls.

Why it matters
    Every worker runs it at the same moment, right after a start or deployment, when all of them open their first
    connection: that is when a small server answers "Too many connections". And the import fails wherever there is no
    database yet: in migrations, in tests, in ``--help``. The result is then as old as the process.

Stays silent when
    The file is a script, a test, a migration or a command, or nothing imports it; all that it has of the application
    is its context, and another file is there to be served; the code stands under ``if __name__ == "__main__"``, or
    calls what goes on for good; nothing in the project serves the web or runs jobs: then one process loads what it
    needs; the database is SQLite, or the project declares no driver of a server and speaks of SQLite; a function only
    defines what runs later (start-up hooks, lifespan handlers, cached loaders), or takes a connection and gives it
    back without asking it for anything, to know whether the server is there; a ``try`` around the query takes
    whatever comes of it, and the start goes on; a factory asks only where it is told to, by a parameter that is False
    by itself; a block makes the database itself, or stands where
    ``database_exists(url)`` has told that there was none.
    ``create_all()`` is reported only where the deployment starts more than one process, which then create tables in
    a race.

Fix safety
    No fix is offered: when the answer is needed is yours to say. Load it on first use, in a cached function, or once
    before the workers start.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..names import last_part
from ..pool.asking import Asking, asking_of, may_have_workers
from ..pool.budget import budgets
from ..pool.judge import FilePool, pool_of
from ..pool.put_up_with import is_put_up_with
from ..pool.run_beside import is_run_beside
from ..pool.url import parse
from ..pool.without import is_without_server
from ..questions.asking import SCHEMA
from ..questions.lasting import asks_somebody
from ..session.body import Body
from ..session.flow import Flow
from ..session.values import FUNCTION, UNKNOWN
from ..view import View

_REFUSAL = "when the answer is needed is yours to say"


def check(view: View) -> Iterator[Diagnostic]:
    """Each query of the module's own statements and of its application factories."""
    pool = pool_of(view)
    asking = asking_of(view.project)
    for flow in view.flows if not (view.is_test or view.is_script) else ():
        is_module = flow.body.node is None
        if not is_module and not is_factory(flow, asking, view):
            continue
        when = "while the module is imported" if is_module else f"while {flow.body.name}() builds the application"
        if is_module and is_program(view):
            continue
        found = [node for node in queries(flow, asking, view, pool) if not is_guarded(node, view)]
        found = [node for node in found if not is_left_out(node, flow)]
        found = [node for node in found if not (is_told_inside(node, asking, view) or is_the_program(node, view))]
        if not found or is_sqlite(pool) or is_without_server(view):
            continue
        is_read = not is_module or (is_imported(view, asking, pool) and view.project.once(may_have_workers))
        if not pool.is_aside and is_read:
            for node in found:
                message = f"{view.text(node)!r} asks the database {when}, in every worker"
                yield view.diagnostic(RULE, node, message, refusal=_REFUSAL, body=flow.body)


def is_imported(view: View, asking: Asking, pool: FilePool) -> bool:
    """Whether workers import the file: it is a module of the application, or makes the application itself, for a server
    that is told the file or looks for the name that PEP 3333 gives it."""
    stem = os.path.splitext(os.path.basename(view.source.path))[0]
    is_for_server = stem in ("wsgi", "asgi") or "application" in view.names.bindings
    is_begun = asking.begins_application(view.module) and not is_run_beside(view, asking, pool)
    return is_for_server or pool.is_imported or is_begun


def is_sqlite(pool: FilePool) -> bool:
    """Whether every engine that the file makes is SQLite."""
    return bool(pool.engines) and all(made.is_sqlite for made in pool.engines)


def is_told_inside(node: ast.expr, asking: Asking, view: View) -> bool:
    """Whether the node calls a factory of an application, whose own queries are reported where they stand."""
    function = view.project.evaluate(view.module, node.func) if isinstance(node, ast.Call) else UNKNOWN
    target = view.project.target(function) if function.kind == FUNCTION else None
    return target is not None and gives(target.body) and asking.makes_application(target.body, target.module)


def is_the_program(node: ast.expr, view: View) -> bool:
    """Whether the node calls a function that goes on for good: nobody imports the file to do something else then."""
    function = view.project.evaluate(view.module, node.func) if isinstance(node, ast.Call) else UNKNOWN
    target = view.project.target(function) if function.kind == FUNCTION else None
    loops = any(target.body.own(ast.While)) if target is not None else False
    return target is not None and loops and not view.project.flow(target.module, target.body, {}, {}).returned


def is_factory(flow: Flow, asking: Asking, view: View) -> bool:
    """Whether the function makes a web application or job runner and gives it to its caller; not one that is run by a
    server itself, and makes it to ask it something."""
    return gives(flow.body) and asking.makes_application(flow.body, view.module) and not view.units.entries(flow.body)


def gives(body: Body) -> bool:
    """Whether the function returns something."""
    return any(returned.value is not None for returned in body.own(ast.Return))


def queries(flow: Flow, asking: Asking, view: View, pool: FilePool) -> list[ast.expr]:
    """The expressions that take a connection, one a line, in the order of the file."""
    found = {node.lineno: node for node in asking.asking(flow, view.module)}
    for node in flow.body.own(ast.Call):
        makes = last_part(node.func) in SCHEMA and starts_several(pool) and makes_tables(view, node)
        if makes and not is_put_up_with(view.project, view.module, flow.body, node.lineno):
            found.setdefault(node.lineno, node)
    asked = [found[line] for line in sorted(found)]
    return [
        node
        for node in asked
        if not (names_sqlite(node) or makes_database(flow, node) or fills_new_database(view, flow, node))
    ]


def makes_tables(view: View, call: ast.Call) -> bool:
    """Whether ``create_all()`` is of some metadata, and no function of a library's module: ``uploads.create_all()``."""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    binding = view.names.bindings.get(of.id) if isinstance(of, ast.Name) else None
    module = binding.imported if binding is not None and "." not in binding.imported else ""
    return not module or view.project.modules.find(module) is not None


def makes_database(flow: Flow, node: ast.expr) -> bool:
    """Whether the node's block or statement makes the database, without which there is nothing to be asked later."""
    kinds = (ast.With, ast.AsyncWith, ast.Expr)
    around = (each for kind in kinds for each in flow.body.own(kind) if any(part is node for part in ast.walk(each)))
    texts = (part.value for each in around for part in ast.walk(each) if isinstance(part, ast.Constant))
    return any(isinstance(text, str) and text.strip().upper().startswith("CREATE DATABASE") for text in texts)


def fills_new_database(view: View, flow: Flow, node: ast.expr) -> bool:
    """Whether the node stands where it depends on whether there is a database yet: only the first start comes there."""
    around = (each for each in flow.body.own(ast.If) if any(part is node for part in ast.walk(each)))
    asked = (part for each in around for part in ast.walk(each.test) if isinstance(part, ast.Call))
    return any((view.names.resolve(call.func) or "").endswith(".database_exists") for call in asked)


def names_sqlite(node: ast.expr) -> bool:
    """``connect_to(f"sqlite:///{path}")``: the call is told a database that is a file."""
    given = [*node.args, *(word.value for word in node.keywords)] if isinstance(node, ast.Call) else []
    texts = [each.values[0] if isinstance(each, ast.JoinedStr) and each.values else each for each in given]
    constants = (text.value for text in texts if isinstance(text, ast.Constant))
    return any(isinstance(constant, str) and parse(constant).is_sqlite for constant in constants)


def is_guarded(node: ast.expr, view: View) -> bool:
    """Whether the node stands under ``if __name__ == "__main__"``."""
    guards = (s for s in view.source.tree.body if isinstance(s, ast.If) and "__name__" in ast.unparse(s.test))
    return any(guard.lineno <= node.lineno <= (guard.end_lineno or 0) for guard in guards)


def is_left_out(node: ast.expr, flow: Flow) -> bool:
    """Whether the factory asks only where somebody tells it to: under ``if make_tables:``, which is False by itself."""
    for check in flow.body.own(ast.If):
        usual = flow.body.defaults.get(check.test.id) if isinstance(check.test, ast.Name) else None
        last = check.body[-1].end_lineno or 0
        if isinstance(usual, ast.Constant) and not usual.value and check.body[0].lineno <= node.lineno <= last:
            return True
    return False


def is_program(view: View) -> bool:
    """Whether the file is run and not imported: it says what runs it, or as it goes it reads its command line or asks
    somebody."""
    if view.source.text.startswith("#!") or any(map(asks_somebody, view.source.tree.body)):
        return True
    read = (part for statement in view.source.tree.body for part in parts_of(statement))
    return any(isinstance(part, ast.Attribute) and part.attr in ("argv", "parse_args") for part in read)


def parts_of(statement: ast.stmt) -> Iterator[ast.AST]:
    """What a statement of the module does itself: no functions and classes."""
    if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield from ast.walk(statement)


def starts_several(pool: FilePool) -> bool:
    """Whether the deployment is known to start more than one process."""
    return any((budget.process_count or 0) > 1 for budget in budgets(pool.survey))


RULE = Rule("ORM418", "query-at-import", "a query while modules are imported or the application is built", check)
