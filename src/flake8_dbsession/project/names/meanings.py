"""What dotted names stand for: in the project, in libraries, and by convention where nothing can be read."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...files.sources import Answers
from ...names import OF_REQUESTS, is_none
from ...session.one_connection import rather_of_many
from ...session.values import (
    AMBIENT,
    ATTRIBUTE,
    CLASS,
    CONSTANT,
    CONTEXT_VAR,
    EMPTY,
    ENGINE,
    FACTORY,
    FLASK_DB,
    FUNCTION,
    MAYBE,
    NAMED,
    OBJECT,
    OWN_CLASS,
    REGISTRY,
    SESSION,
    UNKNOWN,
    Resource,
    Value,
    known_by,
)
from ..classes.kept_objects import left_without
from ..modules.module import ClassInfo, Module
from .annotations import annotated
from .contexts import of_context
from .set_later import as_set_later, session_in_context

if TYPE_CHECKING:
    from ..project import Project

_APPLICATIONS = frozenset({"flask.current_app", "quart.current_app"})


class Meanings:
    """The answers for one project, each found once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.value = Answers(project.sources, self._find_value, lambda name: Value(NAMED, name))
        """What a dotted name stands for."""
        self._stored = Answers(project.sources, self._find_stored, lambda _: UNKNOWN)

    def _find_value(self, name: str) -> Value:
        declared = self._declared(name)
        if declared is not None:
            return declared
        if self.project.known.sqlalchemy_type(name) is not None or self.project.known.call(name) is not None:
            return Value(NAMED, name)
        module, rest = self.project.split(name)
        if module is None:
            return self._unseen(name)
        if not rest:
            return self._bound_in_package(name)
        head, *tail = rest.split(".")
        value = self._member(module, head)
        for attribute in tail:
            value = self.attribute(value, attribute)
        return value

    def _bound_in_package(self, name: str) -> Value:
        """A module, or what its package says under the same name: ``from .load import load``."""
        outer, _, last = name.rpartition(".")
        package = self.project.modules.find(outer) if outer else None
        binding = package.names.bindings.get(last) if package is not None and package.is_package else None
        if package is None or binding is None or binding.imported == name:
            return Value(NAMED, name)
        return self._member(package, last)

    def _declared(self, name: str) -> Value | None:
        """What the user's configuration says the name is."""
        matches = self.project.config.matches
        if matches("session_factories", name):
            return Value(FACTORY, "AsyncSession" if "async" in name.lower() else "Session")
        if matches("scoped_sessions", name):
            return Value(REGISTRY, name, Resource(AMBIENT, name, "Session", flavour="scoped"))
        if matches("engines", name):
            return Value(ENGINE, "Engine")
        return None

    def _unseen(self, name: str) -> Value:
        """A name whose module cannot be read: conventions speak only where the project itself is meant."""
        if "." not in name or self.project.known.is_look_alike(name) or self._is_put_into_application(name):
            return Value(NAMED, name)
        module, _, last = name.rpartition(".")
        conventions = self.project.known.conventions
        if last in conventions.factories or last in conventions.async_factories:
            return Value(FACTORY, "AsyncSession" if last in conventions.async_factories else "Session")
        if last in conventions.registries:
            return Value(REGISTRY, name, Resource(AMBIENT, name, "Session", flavour="scoped"))
        is_foreign = module not in OF_REQUESTS and not self.project.modules.is_first_party(module)
        if last in conventions.flask_objects and is_foreign:
            type_name = "AsyncSession" if "async" in module else "Session"
            return Value(FLASK_DB, name, Resource(AMBIENT, f"{name}.session", type_name, flavour="flask"))
        if last == "session" and module.rpartition(".")[2] in conventions.flask_objects:
            return Value(REGISTRY, name, Resource(AMBIENT, name, "Session", flavour="flask"))
        return Value(NAMED, name)

    def _is_put_into_application(self, name: str) -> bool:
        """Whether it is ``current_app.db``, and the project sets ``app.db`` to something that is not Flask-SQLAlchemy's
        object."""
        application = next((each for each in _APPLICATIONS if name.startswith(f"{each}.")), None)
        if application is None:
            return False
        text = f"app.{name.removeprefix(application).split('.')[1]}"
        found = [
            self.project.evaluate(module, expression)
            for module in self.project.app.modules_with(f"{text} =".encode())
            for expression in module.stored.get(text, ())
        ]
        return bool(found) and all(value.kind != FLASK_DB for value in found)

    def _member(self, module: Module, name: str) -> Value:
        binding = module.names.bindings.get(name)
        qualified = f"{module.name}.{name}"
        if binding is None:
            return self._from_star(module, name)
        if isinstance(binding.definition, ast.ClassDef):
            return self._class(qualified, module.classes.get(name))
        if binding.definition is not None:
            return Value(FUNCTION, qualified, extra=(None, None))
        values = (self._kept_as(self._evaluated(module, expression), qualified) for expression in binding.values)
        values = (value for value in values if value.kind not in ("unknown", CONSTANT) and value != EMPTY)
        known = next(values, None)
        if known is not None and known.kind == FACTORY:  # Session = scoped_session(Session)
            rest = tuple(values)
            return next((value for value in rest if value.kind == REGISTRY), rather_of_many(known, iter(rest)))
        if known is not None and known.kind == SESSION and any(map(is_none, binding.values)):
            return known.with_extra(*known.extra, MAYBE)
        if known is not None:
            return rather_of_many(known, values)
        if binding.imported:
            return self.value(binding.imported)
        if binding.annotation is not None:
            return named_after(annotated(self.project, module.names, binding.annotation, name), qualified)
        if any(self._makes_context(module, value) for value in binding.values):
            return of_context(module.names, name, session_in_context(self.project, module, name))
        return Value(NAMED, qualified) if binding.values else UNKNOWN

    def _makes_context(self, module: Module, expression: ast.expr) -> bool:
        return isinstance(expression, ast.Call) and module.names.resolve(expression.func) == CONTEXT_VAR

    def _evaluated(self, module: Module, expression: ast.expr) -> Value:
        value = self.project.evaluate(module, expression)
        return value if value != UNKNOWN else as_set_later(self.project, module, expression)

    def _kept_as(self, made: Value, qualified: str) -> Value:
        """What a module keeps; where an object of its own was made without a session, it never gets one later on."""
        value = named_after(made, qualified)
        if made.kind != OBJECT:
            return value
        return value.with_extra(*value.extra, *left_without(self.project, made, qualified))

    def _from_star(self, module: Module, name: str) -> Value:
        submodule = self.project.modules.find(f"{module.name}.{name}") if module.is_package else None
        if submodule is not None:
            return Value(NAMED, submodule.name)
        source = self.project.modules.starred(module, name)
        return self.value(f"{source.name}.{name}") if source is not None else UNKNOWN

    def _class(self, qualified: str, info: ClassInfo | None) -> Value:
        """A class; one that extends SQLAlchemy's session makes sessions."""
        for base in self.project.lineage(info) if info is not None else ():
            short = base if isinstance(base, str) else ""
            type_name = self.project.known.sqlalchemy_type(short)
            if type_name in (
                "Session",
                "AsyncSession",
                "sqlmodel.Session",
                "sqlmodel.ext.asyncio.session.AsyncSession",
            ):
                return Value(FACTORY, type_name, extra=((OWN_CLASS, qualified),))
            if type_name == "flask_sqlalchemy.SQLAlchemy":
                return Value(NAMED, short)
        return Value(CLASS, qualified)

    def attribute(self, value: Value, name: str) -> Value:
        """``value.name`` outside of any function."""
        if value.kind == FLASK_DB and name == "session":
            return Value(REGISTRY, f"{value.name}.session", value.resource)
        if value.kind == FLASK_DB and name in ("Model", "Query"):
            return Value(NAMED, f"flask_sqlalchemy.SQLAlchemy.{name}", value.resource)
        if value.kind == NAMED:
            return self.value(f"{value.name}.{name}")
        if value.kind in (CLASS, OBJECT):
            return self.project.attribute(value, name)
        return UNKNOWN

    def stored(self, module_name: str, text: str) -> Value:
        """What ``g.db`` stands for where its module sets it to a session somewhere."""
        return self._stored((module_name, text))

    def _find_stored(self, place: tuple[str, str]) -> Value:
        module_name, text = place
        module = self.project.modules.find(module_name)
        for expression in module.stored.get(text, ()) if module is not None else ():
            value = self.project.evaluate(module, expression)  # type: ignore[arg-type]
            if value.kind == SESSION and value.resource is not None:
                origin = value.resource.origin
                kept = value.resource if origin == AMBIENT else value.resource._replace(origin=ATTRIBUTE, key=text)
                return value._replace(resource=kept)
        return UNKNOWN


def registry_after(value: Value, qualified: str) -> Value:
    """A registry that the constructor of an object has built is known by where the object keeps it."""
    resource = value.resource
    if value.kind != REGISTRY or resource is None or ":" not in resource.key:
        return value
    return value._replace(name=qualified, resource=resource._replace(key=qualified))


def named_after(value: Value, qualified: str) -> Value:
    """A registry, engine or session at module level is known by its name; an object lives on there."""
    resource = value.resource
    if value.kind in (REGISTRY, FLASK_DB) and resource is not None and ":" in resource.key:
        key = f"{qualified}.session" if value.kind == FLASK_DB else qualified
        return value._replace(name=qualified, resource=resource._replace(key=key))
    if value.kind == SESSION and resource is not None:
        return value._replace(resource=resource._replace(origin=ATTRIBUTE, key=qualified))
    if value.kind == OBJECT:  # its flags are what they are later on
        kept = (pair for pair in value.extra if pair[1].kind != CONSTANT)
        return value.with_extra(*((name, registry_after(each, f"{qualified}.{name}")) for name, each in kept))
    return known_by(value, qualified)
