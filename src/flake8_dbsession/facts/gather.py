"""The facts of one module, from its solved functions and the project around it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ..project.app import MOST_FILES
from ..project.modules.module import ClassInfo, Module
from ..project.runs.teardown import is_removed, releasing
from ..session.body import Body
from ..session.events import Happening
from ..session.flow import Flow
from ..session.outside import summary_of
from ..session.state import ENTRY, KEPT, UNSURE, Life
from ..session.summary import Summary
from ..session.values import (
    AMBIENT,
    ENGINE,
    FACTORY,
    FLASK_DB,
    OBJECT,
    PARAMETER,
    REGISTRY,
    SESSION,
    UNKNOWN,
    Resource,
    Value,
)
from ..story import name_of
from ..view import View
from . import ClassFacts, Facts, FunctionFacts, Handed, Kept, Named, Parameter, Release, Step, Teardown
from .packing import portable

_OF_INTEREST = (FACTORY, REGISTRY, ENGINE, SESSION, FLASK_DB)
_DISTRIBUTIONS = (
    *("sqlalchemy", "sqlmodel", "flask-sqlalchemy", "flask", "fastapi", "starlette", "celery"),
    *("psycopg", "psycopg2", "psycopg2-binary", "asyncpg", "pymysql", "mysqlclient", "aiomysql"),
)
_STEPS = (
    *(Happening.OPENED, Happening.TAKEN, Happening.COMMITTED, Happening.CLOSED, Happening.LOST),
    *(Happening.WAITED, Happening.HANDED_OVER, Happening.STREAMED, Happening.ENGINE_MADE, Happening.REGISTRY_MADE),
)


def facts_of(view: View) -> Facts:
    """Everything that is known of the file; raises :class:`flake8_dbsession.source.Unreadable`."""
    named = tuple(_named(view))
    functions = [flow for flow in view.flows if flow.body.node is not None]
    gathered = Facts(
        module=view.module.name,
        path=view.source.path,
        declared=tuple(_declared(view)),
        names=named,
        teardowns=tuple(_teardowns(view, named, functions)),
        classes=tuple(_classes(view, functions)),
        functions=tuple(_function(view, flow) for flow in functions),
        handed_over=tuple(_handed_over(view)),
    )
    found: Facts = portable(gathered)
    return found


def _named(view: View) -> Iterator[Named]:
    for name, binding in view.module.names.bindings.items():
        value = view.project.value(f"{view.module.name}.{name}".lstrip("."))
        if value.kind in _OF_INTEREST and not binding.imported:
            node = binding.definition or next(iter(binding.values), binding.annotation)
            yield Named(name, getattr(node, "lineno", 0), value)


# -- functions


def _function(view: View, flow: Flow) -> FunctionFacts:
    body, summary = flow.body, summary_of(flow)
    return FunctionFacts(
        name=body.name,
        line=getattr(body.node, "lineno", 0),
        is_async=body.is_async,
        is_generator=body.is_generator,
        entries=tuple(dict.fromkeys(view.units.entries(body))),
        summary=summary,
        parameters=(*_typed(summary), *_assumed(view, flow)),
        steps=tuple(dict.fromkeys(_steps(view, flow))),
    )


def _typed(summary: Summary) -> Iterator[Parameter]:
    normal, failed = dict(summary.normal), dict(summary.failed)
    for resource in dict.fromkeys([*normal, *failed]):
        if resource.origin == PARAMETER:
            yield Parameter(resource.key, normal.get(resource), failed.get(resource), is_assumed=False)


def _assumed(view: View, flow: Flow) -> Iterator[Parameter]:
    """What would be done to sessions that are given for parameters of which nothing is known."""
    known = {name for start in flow.starts for name, value in start.items() if value != UNKNOWN}
    for name in (p.arg for p in flow.body.parameters if p.arg not in known):
        session = Resource(PARAMETER, name, "Session")
        given = summary_of(view.project.flow(view.module, flow.body, {name: Value(SESSION, "Session", session)}))
        normal, failed = dict(given.normal).get(session), dict(given.failed).get(session)
        if _tells(normal) or _tells(failed):
            yield Parameter(name, normal, failed, is_assumed=True)


def _tells(life: Life | None) -> bool:
    """Whether more happens to it than that it is passed on to code that cannot be seen."""
    if life is None:
        return False
    return bool(life.phases & ~(ENTRY | UNSURE) or life.marks & KEPT)


def _steps(view: View, flow: Flow) -> Iterator[Step]:
    for event in flow.events(*_STEPS):
        session = name_of(flow, event.resource) if event.resource is not None else ""
        yield Step(getattr(event.node, "lineno", 0), event.happening.value, session, view.text(event.node, 60))


# -- classes


def _classes(view: View, functions: list[Flow]) -> Iterator[ClassFacts]:
    for name, info in view.module.classes.items():
        keeps = tuple(_kept(info, [flow for flow in functions if flow.body.owner == name]))
        if keeps:
            managers = {"__enter__", "__aenter__"}
            yield ClassFacts(name, info.node.lineno, not managers.isdisjoint(info.methods), keeps)


def _kept(info: ClassInfo, methods: list[Flow]) -> Iterator[Kept]:
    told = set()
    for flow in methods:
        for attribute, value in summary_of(flow).attributes:
            if value.kind in (*_OF_INTEREST, OBJECT) and (attribute, value) not in told:
                told.add((attribute, value))
                key = f"self.{attribute}"
                released = tuple(other.body.name for other in methods if _releases(other, key))
                yield Kept(attribute, value, flow.body.name, released)


def _releases(flow: Flow, key: str) -> bool:
    """Whether the method closes, commits or removes what the object keeps under ``key``."""
    happenings = (Happening.CLOSED, Happening.COMMITTED)
    return any(event.resource is not None and event.resource.key == key for event in flow.events(*happenings))


# -- the project around


def _handed_over(view: View) -> Iterator[Handed]:
    for flow in view.flows:
        for function, entry in dict.fromkeys(flow.scope.registered):
            yield Handed(function, entry, flow.body.name)


def _teardowns(view: View, named: tuple[Named, ...], functions: list[Flow]) -> Iterator[Teardown]:
    """Of every registry that the module makes or uses."""
    registries = {n.value.resource for n in named if n.value.kind in (REGISTRY, FLASK_DB)}
    for flow in functions:
        summary = summary_of(flow)
        registries.update(r for r, _ in (*summary.normal, *summary.failed) if r.origin == AMBIENT)
    for registry in sorted(r for r in registries if r is not None):
        if registry.flavour == "flask":
            yield Teardown(registry.key, True, ("Flask-SQLAlchemy, when an application context is left",))
        elif len(view.project.app.files) <= MOST_FILES:
            found = {_place(units.module, body) for units, body in releasing(view.project, registry)}
            yield Teardown(registry.key, is_removed(view.project, registry), tuple(sorted(found)))


def _place(module: Module, body: Body) -> str:
    return f"{body.qualified} ({module.path}:{getattr(body.node, 'lineno', 1)})"


def _declared(view: View) -> Iterator[Release]:
    declared = view.project.app.declared_for(os.path.abspath(view.source.path))
    for name in _DISTRIBUTIONS:
        if declared.has(name):
            need = declared.needs.get(name)
            path = os.path.relpath(need.path, view.project.root) if need is not None else ""
            yield Release(name, str(need.allows) if need is not None else "", declared.pinned.get(name, ""), path)
