"""Remove the scoped session when a request ends

What it does
    Reports a Flask application whose views use a plain ``scoped_session`` that nothing in the project removes, also one
    that an object at module level keeps: no teardown, no ``after_request``, no middleware. An application that a
    factory of the project makes is reported where it is bound to ``application``, the name that WSGI servers look for,
    too. An application of another library's class is known by the name of that, ``APIFlask(__name__)``. Also an
    application of FastAPI, whose endpoints run in threads where they are no coroutines, and in a task each where they
    are: these use an ``async_scoped_session``; and one of Bottle, CherryPy, Falcon, gRPC or Tornado.

Why it matters
    The session lives as long as the server's thread, so each thread keeps the connection of its last request for good,
    with its transaction and its rows: with a pool of two the third thread was answered with 500 (measured), and later
    requests of a thread read what was true for an earlier one. FastAPI's threads keep theirs just so: with a pool of
    two, two of four requests at once were answered with 500, and so was every request after them (measured). What goes
    by ``asyncio.current_task`` keeps the session of a task that has ended, and the task, for good (measured). So does
    what goes by a context variable or another function: each of its values has a session of its own (measured: with a
    pool of two the third request was answered with 500).

Stays silent when
    Anything outside of views, workers, commands, tests and set-up removes or closes the session; when the views give it
    back themselves; for Flask-SQLAlchemy, which removes its own; for sessions in autocommit mode (1.4), which give each
    connection back as a statement ends (measured: none is checked out after a flush or a query); in tests and scripts;
    when the project is too large to be looked through.

Fix safety
    Unsafe: ``remove()`` in ``teardown_appcontext`` rolls back what a request has not committed. None for FastAPI: what
    runs around an endpoint runs in another thread, so a session of each request's own has to take the place of it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from itertools import islice

from ..fix.plans import AppendStatements, InsertAfter, Step
from ..known import Entry
from ..mending.common import Answer, statement_of
from ..mending.spelling import spelled
from ..model import Diagnostic, Plan, Rule, Safety
from ..names import Names
from ..project.functions.targets import Target
from ..project.modules.module import Module
from ..project.project import Project
from ..project.runs.teardown import (
    all_in_handlers,
    is_of_an_object,
    is_removed,
    is_removed_around,
    is_view,
    making_registries,
    plain,
    reached_from,
    registries,
    registries_of,
    releases,
    runs_around,
)
from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import AMBIENT, BY_FUNCTION, FUNCTION, REGISTRY, Resource
from ..story import name_of
from ..view import View

_REFUSED = "the application or the registry has no name here"
_HANDLER = "remove_session"
_MOVE = "a finally around the request has to remove it"
_FLASK = frozenset({"flask.Flask", "flask.app.Flask"})
_FASTAPI = frozenset({"fastapi.FastAPI", "fastapi.applications.FastAPI"})
_OTHERS = frozenset(
    {
        "bottle.Bottle",
        "bottle.run",
        "cherrypy.quickstart",
        "falcon.API",
        "falcon.App",
        "grpc.server",
        "tornado.web.Application",
    }
)
"""What makes or serves an application of a framework that gives nothing back by itself."""
_A_THREAD_EACH = "open a session for each request instead: what runs around an endpoint runs in another thread"
_A_TASK_EACH = "a dependency or a middleware has to remove it in a finally"
_SERVED = "application"
_REGISTERS = "add_url_rule"
_VIEWS = (
    *(b"route(", b"add_url_rule", b"(Resource", b"(MethodView", b"Blueprint", b"APIRouter", b"FastAPI("),
    *(b"bottle", b"cherrypy", b"def on_", b"RequestHandler", b"Servicer"),
)
"""What the files that hold views say."""
_SAYING = (b"Flask", b"FastAPI", b"application", b"bottle", b"cherrypy", b"falcon", b"grpc", b"tornado")
"""What the files that make an application say."""
_ENDPOINTS = frozenset({"fastapi", "web"})
"""Frameworks whose endpoints may be coroutines, which have sessions of their own."""
_MOST_MODULES = 60
"""So many modules are asked for views."""


def check(view: View) -> Iterator[Diagnostic]:
    if view.is_test or view.is_script:
        return
    if any(map(view.mentions, _SAYING)):
        yield from without_teardown(view)
    if view.mentions(b"environ") or view.mentions(b"iddleware"):
        yield from removing_failures_only(view)


def without_teardown(view: View) -> Iterator[Diagnostic]:
    for flow, call in (*applications(view), *served(view)):
        for resource in left_by_views(view):
            name = registry_name(view, resource)
            who = "no teardown" if is_of_flask(view.names, call) else "nothing"
            each = "task" if resource.is_async else "request" if is_of_requests(resource) else "thread"
            message = f"{who} removes {name!r} when a request ends, so each {each} keeps its connection"
            plan, refusal = repair(view, flow, call, resource)
            yield view.diagnostic(RULE, call, message, (), plan, refusal, flow.body)


def removing_failures_only(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        for resource, attempt in removed_in_handlers(view, flow):
            if runs_around(view.units, flow.body) and not is_removed_around(view.project, resource):
                name = name_of(flow, resource)
                message = f"a request gives the connection of {name!r} back only where it fails"
                yield view.diagnostic(RULE, attempt.body[-1], message, (), None, _MOVE, flow.body)


def removed_in_handlers(view: View, flow: Flow) -> Iterator[tuple[Resource, ast.Try]]:
    """The registries that the function releases in ``except`` blocks alone, with the first such ``try``."""
    closed = flow.events(Happening.CLOSED)
    for resource in sorted({e.resource for e in closed if e.resource is not None and e.resource.origin == AMBIENT}):
        found = list(releases(view.project, view.module, flow.body, resource))
        if found and resource.flavour != "flask" and all_in_handlers(flow.body, found):
            yield from ((resource, t) for t in flow.body.own(ast.Try)[:1])


def applications(view: View) -> Iterator[tuple[Flow, ast.Call]]:
    """Each ``Flask(…)``, and what makes or serves an application of another framework."""
    for flow in view.flows:
        yield from ((flow, call) for call in flow.body.own(ast.Call) if is_application(view.names, call))


def is_application(names: Names, call: ast.Call) -> bool:
    """Whether the call makes an application, or begins to serve one."""
    return names.resolve(call.func) in _FASTAPI | _OTHERS or is_of_flask(names, call)


def is_of_flask(names: Names, call: ast.Call) -> bool:
    """Whether the call makes a ``Flask(…)``, or what a class of another library by such a name makes of a module.

    ``APIFlask(__name__)``, ``FlaskBase(__name__, "shop")``.
    """
    name = names.resolve(call.func) or ""
    named_after = call.args[:1] + [word.value for word in call.keywords if word.arg == "import_name"]
    is_of_module = any(isinstance(each, ast.Name) and each.id == "__name__" for each in named_after)
    return name in _FLASK or (is_of_module and "Flask" in name.rpartition(".")[2])


def served(view: View) -> Iterator[tuple[Flow, ast.Call]]:
    """``application = create_app()`` at module level."""
    binding = view.names.bindings.get(_SERVED)
    calls = [value for value in binding.values if isinstance(value, ast.Call)] if binding is not None else []
    for flow in view.flows if calls else ():
        yield from ((flow, call) for call in calls if flow.body.node is None and makes_application(view, call))


def makes_application(view: View, call: ast.Call) -> bool:
    """Whether the call is one of a project function that makes a ``Flask(…)``."""
    function = view.project.evaluate(view.module, call.func)
    target = view.project.target(function) if function.kind == FUNCTION else None
    made = target.body.own(ast.Call) if target is not None else ()
    return target is not None and any(is_application(target.module.names, each) for each in made)


def left_by_views(view: View) -> Iterator[Resource]:
    """The plain registries that nothing removes and that a view which the file can reach leaves with a connection."""
    known = {*registries(view.project), *plain(registries_of(view.project, view.module))}
    kept = {r for r in known if not is_removed(view.project, r)}
    may_be_left = bool(kept) or any(True for _ in making_registries(view.project))
    reached = reached_from(view.project, view.module) if may_be_left else iter(())
    holding = list(islice((m for m in reached if m is view.module or holds_views(m)), _MOST_MODULES))
    registered = {target.body.qualified: target.module for m in holding for target in registered_in(view.project, m)}
    modules = dict.fromkeys([*holding, *registered.values()])
    left = {r for m in modules for r in left_in(View(m.source, view.project), registered.keys())}
    of_objects = (r for r in left - known if is_of_an_object(view.project, r) and not is_removed(view.project, r))
    yield from sorted({*(left & kept), *of_objects})


def holds_views(module: Module) -> bool:
    return any(mark in module.source.data for mark in _VIEWS)


def registered_in(project: Project, module: Module) -> Iterator[Target]:
    """The functions that the file makes views: ``app.add_url_rule("/orders", view_func=show_orders)``."""
    bodies = (module.top, *module.bodies.values()) if _REGISTERS.encode() in module.source.data else ()
    for call in (call for body in bodies for call in body.own(ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr == _REGISTERS:
            views = [*call.args[2:3], *(word.value for word in call.keywords if word.arg == "view_func")]
            values = (project.evaluate(module, view) for view in views)
            targets = (project.target(value) for value in values if value.kind == FUNCTION)
            yield from (target for target in targets if target is not None)


def left_in(view: View, registered: Collection[str]) -> Iterator[Resource]:
    """The registries that a view of the file leaves with a connection."""
    for flow in view.flows if not view.is_test else ():
        entries = view.units.entries(flow.body)
        is_endpoint = any(e.framework in _ENDPOINTS and e.kind == "request" for e in entries)
        is_async = is_endpoint and flow.body.is_async  # that coroutines share a thread's session is told by ORM307
        if is_endpoint or is_view(flow.body) or flow.body.qualified in registered or answers_for_flask(entries):
            lives = ((r, life) for state in flow.returned for r, life in state.lives.items())
            held = [r for r, life in lives if r.origin == AMBIENT and life.may_hold]
            yield from (r for r in held if r.is_async == is_async or is_of_requests(r))


def is_of_requests(registry: Resource) -> bool:
    """Whether the registry goes by a function of its own, so that threads and tasks that share a session are not told
    by it."""
    return registry.flavour == BY_FUNCTION and not registry.is_async


def answers_for_flask(entries: Collection[Entry]) -> bool:
    return any((entry.framework, entry.kind) == ("flask", "request") for entry in entries)


def registry_name(view: View, resource: Resource) -> str:
    """How the file calls the registry, or its last name."""
    for name in view.names.bindings:
        value = view.project.value(f"{view.module.name}.{name}".lstrip("."))
        if value.kind == REGISTRY and value.resource == resource:
            return name
    words = resource.key.split(".")
    return ".".join(words[-2:] if is_of_an_object(view.project, resource) else words[-1:])


def repair(view: View, flow: Flow, call: ast.Call, resource: Resource) -> Answer:
    """A teardown right after ``app = Flask(…)``: a function at module level, a lambda anywhere else."""
    if view.names.resolve(call.func) in _FASTAPI:
        return None, _A_TASK_EACH if resource.is_async else _A_THREAD_EACH
    if not is_of_flask(view.names, call):
        return None, _MOVE
    statement = statement_of(flow, call)
    registry = spelled(view, flow, resource)
    if registry is None or not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is not call:
        return None, _REFUSED
    target = ast.unparse(statement.targets[0] if isinstance(statement, ast.Assign) else statement.target)
    step: Step
    if flow.body.node is None and target.isidentifier() and _HANDLER not in view.names.bindings:
        code = f"@{target}.teardown_appcontext\ndef {_HANDLER}(_error=None):\n    {registry.text}.remove()"
        step = AppendStatements(view.span(statement), code)
    else:
        step = InsertAfter(
            view.span(statement), f"{target}.teardown_appcontext(lambda _error: {registry.text}.remove())"
        )
    title = f"remove {registry.text!r} in a teardown"
    return Plan(title, Safety.UNSAFE, (step, *registry.steps), "what a request has not committed is rolled back"), ""


RULE = Rule("ORM107", "missing-teardown", "scoped session that no teardown removes", check)
