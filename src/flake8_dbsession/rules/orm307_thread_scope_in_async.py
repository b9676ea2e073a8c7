"""Do not use a thread's registry in coroutines

What it does
    Reports a thread-local scoped_session that an ``async def`` function uses, and one whose session a dependency of
    FastAPI yields.

Why it matters
    All coroutines of an event loop run in one thread and so share one session: ten concurrent requests had one session
    between them (measured), and the ``remove()`` of one ends the transaction of the others. FastAPI runs a plain
    dependency, the endpoint and the end of the dependency in whatever threads are free: of 300 requests that came one
    after the other and overlapped, 26 to 240 were given the session of a request that was still running, and 100 to
    151 ended in another thread than they began in (measured in four runs).

Stays silent when
    The registry has a scope function of its own, or is made where it cannot be seen; when the work runs in a thread; in
    a command that starts no tasks, so that one coroutine follows the other; where an object has a registry of its own
    and is made for one call.

Fix safety
    No fix is offered: open a session in the coroutine, or give the registry a scope function.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..names import dotted
from ..questions.asking import is_out_of_scope
from ..questions.lasting import is_made_for_calls
from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import AMBIENT, REGISTRY, SESSION, Resource
from ..story import name_of
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if flow.body.node is None or (is_out_of_scope(view, flow) and not starts_tasks(view, flow)):
            continue
        is_async = flow.body.is_async
        places = in_coroutine(view, flow) if is_async else in_dependency(view, flow)
        first = min(places, key=lambda place: (place[1].lineno, place[1].col_offset), default=None)  # type: ignore[attr-defined]
        if first is not None:
            name, node = first
            shared = "all coroutines of the thread" if is_async else "all requests whose dependencies the thread runs"
            message = f"{name or view.text(node)!r} is one session for {shared}"
            place = "coroutine" if is_async else "dependency"
            refusal = f"open a session in the {place}, or give the registry a scope function"
            yield view.diagnostic(RULE, node, message, (), None, refusal, flow.body)


def starts_tasks(view: View, flow: Flow) -> bool:
    """Whether coroutines go on side by side, in a command as well; what a test does is left to it."""
    if view.is_test:
        return False
    made = (view.project.known.handover(view.names.resolve(call.func) or "") for call in flow.body.own(ast.Call))
    return any(each is not None and each.entry.runs == "task" for each in made)


def in_coroutine(view: View, flow: Flow) -> list[tuple[str, ast.AST]]:
    """Where a coroutine asks a registry, itself or in a function that it calls."""
    taken = [(e.resource, e.node) for e in flow.events(Happening.TAKEN) if e.resource is not None]
    asked_here = [(r, node) for r, node in taken if is_of_thread(r) and is_made_somewhere(view, r)]
    if any(is_of_its_object(r) for r, _ in asked_here) and is_alone(view, flow):
        asked_here = [(r, node) for r, node in asked_here if not is_of_its_object(r)]
    places = [(name_on_object(r) or name_of(flow, r), node) for r, node in asked_here]
    for node in flow.body.own_nodes:
        asked = asked_registry(view, flow, node)
        if asked is not None:
            places.append((ast.unparse(asked), node))
    return places


def is_of_its_object(registry: Resource) -> bool:
    """Whether the object whose method asks has made the registry for itself."""
    return registry.key.startswith("self:")


def name_on_object(registry: Resource) -> str:
    """``self.session``, the name of an object's own registry; "" for another."""
    return registry.key.replace(":", ".") if is_of_its_object(registry) else ""


def is_alone(view: View, flow: Flow) -> bool:
    """Whether the object of a method is made for one call, and the method starts no tasks: one coroutine after the
    other asks what the object has."""
    return is_made_for_calls(view.project, f"{view.module.name}.{flow.body.owner}") and not starts_tasks(view, flow)


def asked_registry(view: View, flow: Flow, node: ast.AST) -> ast.expr | None:
    """``Session`` of ``Session()`` and ``Session.get(…)``, where it is a registry of the module."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute() as asked, attr=method)) if (
            method != "remove"
        ):
            pass
        case ast.Call(func=ast.Name() as asked):
            pass
        case _:
            return None
    root = (dotted(asked) or "").partition(".")[0]
    if not root or root in flow.body.local_names or root not in view.names.bindings:
        return None
    value = view.project.evaluate(view.module, asked)
    registry = value.resource if value.kind == REGISTRY else None
    of_thread = registry is not None and is_of_thread(registry) and is_made_somewhere(view, registry)
    return asked if of_thread else None


def in_dependency(view: View, flow: Flow) -> list[tuple[str, ast.AST]]:
    """Where a dependency of FastAPI yields the session of a registry: its end may run in another thread."""
    yields = [(v, n) for v, n in flow.scope.yields if v.kind in (SESSION, REGISTRY) and is_of_thread(v.resource)]
    if not yields or not is_dependency(view, flow.body.name):
        return []
    return [(name_of(flow, value.resource), node) for value, node in yields if value.resource is not None]


def is_dependency(view: View, name: str) -> bool:
    """Whether the file says ``Depends(name)``."""
    if not view.mentions(b"Depends"):
        return False
    calls = (node for node in ast.walk(view.source.tree) if isinstance(node, ast.Call) and node.args)
    return any(
        isinstance(call.args[0], ast.Name)
        and call.args[0].id == name
        and (view.names.resolve(call.func) or "").rpartition(".")[2] == "Depends"
        for call in calls
    )


def is_made_somewhere(view: View, resource: Resource) -> bool:
    """Whether the registry is known by more than its name or an annotation, which do not tell its scope function."""
    if ":" in resource.key or view.project.config.matches("scoped_sessions", resource.key):
        return True
    is_seen = view.project.split(resource.key)[0] is not None
    return is_seen and view.project.value(resource.key).kind == REGISTRY


def is_of_thread(resource: Resource | None) -> bool:
    """Whether the session is that of the current thread."""
    return (
        resource is not None and resource.origin == AMBIENT and resource.flavour == "scoped" and not resource.is_async
    )


RULE = Rule("ORM307", "thread-scope-in-async", "thread-local registry used in a coroutine", check)
