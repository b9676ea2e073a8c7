"""Remove the scoped session when a request ends

What it does
    Reports a Flask application whose views use a plain ``scoped_session`` that nothing in the project removes: no
    teardown, no ``after_request``, no middleware.

Why it matters
    The session lives as long as the server's thread, so each thread keeps the connection of its last request for good,
    with its transaction and its rows: with a pool of two the third thread was answered with 500 (measured), and later
    requests of a thread read what was true for an earlier one.

Stays silent when
    Anything outside of the views removes or closes the session; when the views give it back themselves; for
    Flask-SQLAlchemy, which removes its own; in tests and scripts; when the project is too large to be looked through.

Fix safety
    Unsafe: ``remove()`` in ``teardown_appcontext`` rolls back what a request has not committed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..app import is_view
from ..fix.plans import AppendStatements
from ..mending import Answer, statement_of
from ..model import Diagnostic, Plan, Rule, Safety
from ..session.flow import Flow
from ..session.values import AMBIENT, REGISTRY, Resource
from ..view import View

_REFUSED = "the application or the registry has no name at module level here"
_NEIGHBOURS = 8
"""So many modules that the file imports are asked for views."""


def check(view: View) -> Iterator[Diagnostic]:
    if view.is_test or view.is_script or b"Flask" not in view.source.data:
        return
    for flow, call in applications(view):
        for resource in kept_by_views(view):
            if not view.project.app.is_removed(resource):
                name = registry_name(view, resource)
                message = f"no teardown removes {name!r} when a request ends, so each thread keeps its connection"
                plan, refusal = repair(view, flow, call, resource)
                yield view.diagnostic(RULE, call, message, (), plan, refusal, flow.body)


def applications(view: View) -> Iterator[tuple[Flow, ast.Call]]:
    """Each ``Flask(…)``."""
    for flow in view.flows:
        for node in flow.body.own_nodes:
            if isinstance(node, ast.Call) and view.names.resolve(node.func) in ("flask.Flask", "flask.app.Flask"):
                yield flow, node


def kept_by_views(view: View) -> list[Resource]:
    """The plain registries that a view of the file, or of a module that it imports, leaves with a connection."""
    kept = {resource for each in (view, *neighbours(view)) for flow in each.flows for resource in left(each, flow)}
    return sorted(kept)


def left(view: View, flow: Flow) -> Iterator[Resource]:
    if is_view(flow.body) or any(entry.kind == "request" for entry in view.units.entries(flow.body)):
        for resource in {r for state in flow.returned for r, life in state.lives.items() if life.may_hold}:
            if resource.origin == AMBIENT and resource.flavour == "scoped" and not resource.is_async:
                yield resource


def neighbours(view: View) -> list[View]:
    """The modules of the project that the file imports, as far as they can hold views."""
    imported = {binding.imported for binding in view.names.bindings.values() if binding.imported}
    names = sorted({*imported, *(name.rpartition(".")[0] for name in imported)} - {"", view.module.name})
    modules = [m for m in map(view.project.modules.find, names) if m is not None and b".route(" in m.source.data]
    return [View(module.source, view.project) for module in modules[:_NEIGHBOURS]]


def registry_name(view: View, resource: Resource) -> str:
    """How the file calls the registry, or its last name."""
    for name in view.names.bindings:
        value = view.project.value(f"{view.module.name}.{name}".lstrip("."))
        if value.kind == REGISTRY and value.resource == resource:
            return name
    return resource.key.rpartition(".")[2]


def repair(view: View, flow: Flow, call: ast.Call, resource: Resource) -> Answer:
    """A teardown right after ``app = Flask(…)`` at module level."""
    statement = statement_of(flow, call)
    name = registry_name(view, resource)
    binding = view.names.bindings.get(name)
    taken = "remove_session" in view.names.bindings
    if flow.body.node is not None or not isinstance(statement, ast.Assign) or binding is None or taken:
        return None, _REFUSED
    target = statement.targets[0]
    bound = [value.lineno for value in binding.values]
    if not isinstance(target, ast.Name) or statement.value is not call or any(n > statement.lineno for n in bound):
        return None, _REFUSED
    code = f"@{target.id}.teardown_appcontext\ndef remove_session(_error=None):\n    {name}.remove()"
    reason = "what a request has not committed is rolled back at its end"
    return Plan(
        f"remove {name!r} in a teardown", Safety.UNSAFE, (AppendStatements(view.span(statement), code),), reason
    ), ""


RULE = Rule("ORM107", "missing-teardown", "scoped session that no teardown removes", check)
