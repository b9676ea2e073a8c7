"""Whether a unit of work begins with a function: what has used its session before has left no change in it.

A request's session is shared with what runs before the handler: hooks, loaders of users, other dependencies. Where all
of them can be seen and only read, the transaction that the handler ends is its own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..names import bare
from ..project.app import MOST_FILES
from ..project.modules.module import Module
from ..project.project import Project
from ..project.runs.hooks import hooks
from ..project.runs.injection import added, is_unseen, providers
from ..project.runs.teardown import is_removed_around
from ..session.body import Body
from ..session.flow import Flow
from ..session.state import CHANGED, TOUCHED, WRITTEN, Life
from ..session.values import AMBIENT, FUNCTION, OPENED, PARAMETER, SESSION, Resource, Value
from ..view import View

_DEEPEST = 4
"""How many dependencies of dependencies are followed."""


def begins_unit(view: View, flow: Flow, resource: Resource) -> bool:
    """Whether only what can be seen, and changes nothing, has the session before the function."""
    if len(view.project.app.files) > MOST_FILES or not is_run_from_outside(view, flow):
        return False
    if resource.origin == AMBIENT:
        return is_given_back(view, flow, resource) and not any(
            is_changing(view.project, hook.module, hook.body, resource) for hook in hooks(view.project)
        )
    return resource.origin == PARAMETER and is_filled_anew(view, flow, resource)


def is_run_from_outside(view: View, flow: Flow) -> bool:
    """Whether requests or threads of its own run the function, and no code of the project, a decorator included."""
    entries = view.units.entries(flow.body)
    outside = bool(entries) and all(e.kind == "request" or e.framework == "threading" for e in entries)
    return outside and not any(is_ours(view, d) for d in flow.body.decorators) and not is_called(view, flow.body)


def is_ours(view: View, decorator: ast.expr) -> bool:
    """Whether a decorator is a function of the project, and not a method of a router or an app that it has."""
    return view.project.target(view.project.evaluate(view.module, bare(decorator))) is not None


def is_called(view: View, body: Body) -> bool:
    """Whether the project may call the function itself: any call by its name, of a method on an object of its class."""
    name = body.name.rpartition(".")[2]
    sought = body.owner.rpartition(".")[2] if body.owner else name
    modules = view.project.app.modules_with(sought.encode())
    calls = (
        (module, other, call.func)
        for module in modules
        if not view.config.is_test(module.path)
        for other in (module.top, *module.bodies.values())
        for call in other.own(ast.Call)
    )
    return any(names(f, name, body) and not is_of_another(view, m, other, f, body) for m, other, f in calls)


def is_of_another(view: View, module: Module, caller: Body, function: ast.expr, body: Body) -> bool:
    """Whether what is called by the name of ``body`` is surely another function of the project: ``crud.create``."""
    first = function
    while isinstance(first, ast.Attribute):
        first = first.value
    if not isinstance(first, ast.Name) or (caller.node is not None and first.id in caller.local_names):
        return False
    target = view.project.target(view.project.evaluate(module, function))
    return target is not None and target.body.qualified != body.qualified


def names(function: ast.expr, name: str, body: Body) -> bool:
    match function:
        case ast.Name(id=called):
            return called == name
        case ast.Attribute(value=receiver, attr=called) if called == name:
            text = ast.unparse(receiver)
            return not body.owner or text in ("self", "cls", "super()") or body.owner.rpartition(".")[2] in text
    return False


def is_given_back(view: View, flow: Flow, registry: Resource) -> bool:
    """Whether the unit of work before has left nothing: a new thread has its own session, a request's is removed."""
    threads = all(entry.framework == "threading" for entry in view.units.entries(flow.body))
    return threads or registry.flavour == "flask" or is_removed_around(view.project, registry)


def is_changing(project: Project, module: Module, body: Body, resource: Resource) -> bool:
    """Whether a function may leave changes in the registry's session, not committed."""
    lives = (state.lives.get(resource) for state in project.flow(module, body, {}, {}).returned)
    return any(life is not None and is_changed(life) for life in lives)


def is_changed(life: Life) -> bool:
    return bool(life.marks & (WRITTEN | CHANGED | TOUCHED))


def is_filled_anew(view: View, flow: Flow, resource: Resource) -> bool:
    """Whether a dependency opens the session for the request, and the others that get it change nothing."""
    filled = dict(providers(view.project, view.module, flow.body))
    provider = filled.get(resource.key)
    if provider is None or not opens(view.project, provider):
        return False
    others = list(added(view.project, view.module, flow.body))
    if is_unseen(view.project, view.module, flow.body) or any(view.project.target(other) is None for other in others):
        return False
    lives = list(lives_before(view.project, view.module, flow.body, provider.name))
    lives += [life for other in others for life in lives_in(view.project, other, provider.name)]
    has_rows = resource.is_async and not resource.keeps_rows and bool(lives)
    return not has_rows and not any(map(is_changed, lives))


def opens(project: Project, provider: Value) -> bool:
    """Whether each call of a provider gives a session of its own."""
    summary = project.summary(provider, ())
    given = [] if summary is None else [summary.yields, summary.returns]
    return any(v.kind == SESSION and v.resource is not None and v.resource.origin == OPENED for v in given)


def lives_before(project: Project, module: Module, body: Body, provider: str, depth: int = _DEEPEST) -> Iterator[Life]:
    """What the other dependencies of an endpoint, and theirs, do with the session of a provider."""
    for _, dependency in providers(project, module, body) if depth else ():
        yield from lives_in(project, dependency, provider, depth)


def lives_in(project: Project, dependency: Value, provider: str, depth: int = _DEEPEST) -> Iterator[Life]:
    """What one dependency, and those that it has itself, do with the session of a provider."""
    target = project.target(dependency)
    if dependency.kind != FUNCTION or target is None or dependency.name == provider:
        return
    shared = [name for name, value in providers(project, target.module, target.body) if value.name == provider]
    summary = project.summary(dependency, ())
    for resource, life in summary.normal if summary is not None else ():
        if resource.origin == PARAMETER and resource.key in shared:
            yield life
    yield from lives_before(project, target.module, target.body, provider, depth - 1)
