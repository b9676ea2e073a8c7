"""How a function can write a session or engine that others made: as it does, as its module calls it, or imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ..fix.plans import AddImport
from ..project.modules import Module
from ..session.flow import Flow
from ..session.values import AMBIENT, ENGINE, FLASK_DB, OPENED, REGISTRY, Resource, pool_of
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
    text = in_function(view, flow, resource) or in_module(view, flow, resource)
    if text:
        return Spelled(text)
    return imported(view, flow, resource.key) if resource.origin == AMBIENT else None


def spelled_engine(view: View, flow: Flow, pool: str) -> Spelled | None:
    """How to write the engine with the dotted name ``pool``: by its name in the module, or imported."""
    for name in view.names.bindings:
        value = view.project.value(f"{view.module.name}.{name}".lstrip("."))
        if value.kind == ENGINE and pool_of(value) == pool and name not in locals_of(flow):
            return Spelled(name)
    return imported(view, flow, pool)


def in_function(view: View, flow: Flow, resource: Resource) -> str:
    """As the function itself writes it: ``db.session``, ``models.db.session``, ``self.db``; "" where it is unclear."""
    name = name_of(flow, resource)
    asked = {ast.unparse(each): each for each in receivers(flow)}
    known = {text: view.project.evaluate(view.module, each).resource for text, each in asked.items()}
    named = [text for text, found in known.items() if found == resource]
    tail = name.rpartition(".")[2]
    unknown = [text for text, found in known.items() if found is None and text.rpartition(".")[2] == tail]
    if named or len(unknown) == 1:
        return (named or unknown)[0]
    if unknown:
        return ""
    for node in flow.body.own(ast.Name, ast.Attribute):
        if ast.unparse(node) == name:
            return name
    first = flow.body.parameters[0].arg if flow.body.parameters else ""
    return name if name.startswith("self.") and first == "self" else ""


def receivers(flow: Flow) -> Iterator[ast.expr]:
    """What the function calls methods of sessions on."""
    for call in flow.body.own(ast.Call):
        match call.func:
            case ast.Attribute(value=(ast.Name() | ast.Attribute()) as receiver, attr=verb) if verb in _VERBS:
                yield receiver


def in_module(view: View, flow: Flow, resource: Resource) -> str:
    """As the module calls the registry: ``Session``, or ``db.session`` of Flask-SQLAlchemy's ``db``."""
    for name in view.names.bindings:
        if name in locals_of(flow):
            continue
        value = view.project.value(f"{view.module.name}.{name}".lstrip("."))
        if value.resource == resource and value.kind in (REGISTRY, FLASK_DB):
            return f"{name}.session" if value.kind == FLASK_DB else name
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
    if name in flow.body.local_names or reaches(view, module, view.module.name):
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
