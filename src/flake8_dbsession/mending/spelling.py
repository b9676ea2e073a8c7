"""How a function can write a session or engine that others made: as it does, as its module calls it, or imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ..fix.plans import AddImport
from ..project.modules.module import Module
from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import (
    AMBIENT,
    ATTRIBUTE,
    CLASS,
    CONTEXT,
    ENGINE,
    FLASK_DB,
    FUNCTION,
    OPENED,
    REGISTRY,
    SESSION,
    UNKNOWN,
    Resource,
    pool_of,
)
from ..story import name_of

if TYPE_CHECKING:
    from ..view import View

_VERBS = frozenset({"commit", "rollback", "flush", "add", "delete", "execute", "scalar", "scalars", "query", "get"})
_FAR = 300
"""So many modules are looked at for a circle of imports."""


class Spelled(NamedTuple):
    """An expression for the session, and the imports that it needs."""

    text: str
    steps: tuple[AddImport, ...] = ()


def spelled(view: View, flow: Flow, resource: Resource) -> Spelled | None:
    """How to write the session in the function; None where it has no name."""
    if resource.origin == OPENED:
        name = name_of(flow, resource)
        return Spelled(name) if name.isidentifier() else None
    text = in_function(view, flow, resource) or in_module(view, flow, resource) or alike(view, flow, resource)
    if text:
        return Spelled(text)
    return imported(view, flow, resource.key) if resource.origin == AMBIENT else None


def spelled_as_asked(view: View, flow: Flow, resource: Resource) -> Spelled | None:
    """How to write the session after the function has asked it: by the local name that it has for one of a registry or
    a context variable."""
    has_owner = resource.origin == AMBIENT or resource.flavour == CONTEXT
    local = local_name(flow, resource) if has_owner else ""
    return Spelled(local) if local else spelled(view, flow, resource)


def spelled_registry(view: View, flow: Flow, resource: Resource) -> Spelled | None:
    """How to write what has a ``remove()``: what a property gives is the session of it, which has none."""
    found = spelled(view, flow, resource)
    if found is not None and not found.steps:
        written = ast.parse(found.text, mode="eval").body
        if view.project.evaluate(view.module, written).kind == SESSION:
            return None
    return found


def spelled_engine(view: View, flow: Flow, pool: str) -> Spelled | None:
    """How to write the engine with the dotted name ``pool``: by its name in the module, or imported."""
    for name in view.names.bindings:
        value = view.project.value(f"{view.module.name}.{name}".lstrip("."))
        if value.kind == ENGINE and pool_of(value) == pool and name not in locals_of(flow):
            return Spelled(name)
    return imported(view, flow, pool)


def local_name(flow: Flow, resource: Resource) -> str:
    """The local name by which the function asks a session for all that it asks: ``with scope() as session``; "" for
    none, for several, and for one that is bound more than once."""
    told = flow.events(Happening.QUERIED)
    asked = {ast.unparse(r) for e in told if e.resource == resource and (r := receiver_in(e.node)) is not None}
    bound = [node.id for node in flow.body.own(ast.Name) if isinstance(node.ctx, ast.Store)]
    others = set(receivers_of_others(flow, resource))
    return next((name for name in asked - others if len(asked) == 1 and bound.count(name) == 1), "")


def in_function(view: View, flow: Flow, resource: Resource) -> str:
    """As the function itself surely writes it: ``db.session``, ``models.db.session``; "" where it does not."""
    asked = (each for each in receivers(flow) if view.project.evaluate(view.module, each).resource == resource)
    return next((ast.unparse(each) for each in asked), "")


def alike(view: View, flow: Flow, resource: Resource) -> str:
    """The one receiver that has the session's name and is nothing else, or the name itself: ``self.db``."""
    name = name_of(flow, resource)
    last, others = name.rpartition(".")[2], set(receivers_of_others(flow, resource))
    asked = {ast.unparse(each): view.project.evaluate(view.module, each) for each in receivers(flow)}
    unknown = [t for t, value in asked.items() if value == UNKNOWN and t.rpartition(".")[2] == last and t not in others]
    if unknown:
        return unknown[0] if len(unknown) == 1 else ""
    for node in flow.body.own(ast.Name, ast.Attribute):
        if ast.unparse(node) == name:
            return name
    first = flow.body.parameters[0].arg if flow.body.parameters else ""
    return name if name.startswith("self.") and first == "self" else ""


def receivers(flow: Flow) -> Iterator[ast.expr]:
    """What the function calls methods of sessions on."""
    return (receiver for call in flow.body.own(ast.Call) if (receiver := asked_of(call)) is not None)


def asked_of(node: ast.AST) -> ast.expr | None:
    """``db.session`` of ``db.session.commit()``."""
    match node:
        case ast.Call(func=ast.Attribute(attr=verb)):
            return receiver_in(node) if verb in _VERBS else None
    return None


def receiver_in(node: ast.AST) -> ast.expr | None:
    """``db.session`` of ``db.session.commit()``, whatever it is asked."""
    match node:
        case ast.Call(func=ast.Attribute(value=(ast.Name() | ast.Attribute()) as receiver)):
            return receiver
    return None


def receivers_of_others(flow: Flow, resource: Resource) -> Iterator[str]:
    """What the function asks for something that another session does."""
    told = flow.events(Happening.COMMITTED, Happening.QUERIED, Happening.TAKEN)
    asked = (asked_of(event.node) for event in told if event.resource not in (None, resource))
    return (ast.unparse(receiver) for receiver in asked if receiver is not None)


def in_module(view: View, flow: Flow, resource: Resource) -> str:
    """As the module calls the registry: ``Session``, ``db.session`` of Flask-SQLAlchemy's ``db``, ``store.session`` of
    a module or class that it imports."""
    module, _, last = resource.key.rpartition(".")
    is_of_a_class = not resource.is_of_an_object
    for name, binding in view.names.bindings.items():
        if name in locals_of(flow):
            continue
        if resource.origin in (AMBIENT, ATTRIBUTE) and module and binding.imported == module:
            return f"{name}.{last}"
        value = view.project.value(f"{view.module.name}.{name}".lstrip("."))
        if value.resource == resource and value.kind in (REGISTRY, FLASK_DB):
            return f"{name}.session" if value.kind == FLASK_DB else name
        if value.kind == FUNCTION and f"{value.name}()" == resource.key:  # it remembers the registry
            return f"{name}()"
        if is_of_a_class and value.kind == CLASS and view.project.attribute(value, last).resource == resource:
            return f"{name}.{last}"
    return ""


def locals_of(flow: Flow) -> frozenset[str]:
    """The names that stand for something else in the function than in its module."""
    return flow.body.local_names if flow.body.node is not None else frozenset()


def imported(view: View, flow: Flow, qualified: str) -> Spelled | None:
    """With an import of a registry or an engine by its dotted name, where that makes no circle."""
    module, rest = view.project.split(qualified)
    name, _, tail = rest.partition(".")
    if module is None or not rest or module is view.module or tail not in ("", "session"):
        return None
    if name not in module.names.bindings or name in flow.body.local_names or reaches(view, module, view.module.name):
        return None
    return Spelled(rest, (AddImport(module.name, name),))


def reaches(view: View, start: Module, name: str) -> bool:
    """Whether importing ``start`` imports the module called ``name``, as far as can be seen."""
    waiting, seen = [start], {start.name}
    while waiting and len(seen) < _FAR:
        module = waiting.pop()
        for binding in module.names.bindings.values():
            for target in (binding.imported, (binding.imported or "").rpartition(".")[0]):
                if not target or target in seen:
                    continue
                seen.add(target)
                found = view.project.modules.find(target)
                if target == name:
                    return True
                if found is not None:
                    waiting.append(found)
    return len(seen) >= _FAR
