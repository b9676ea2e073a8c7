"""What the attributes of the project's classes stand for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeGuard

from ...files.sources import Answers
from ...names import Function
from ...session.body import Body
from ...session.locked import alone_with
from ...session.state import KEPT
from ...session.values import (
    AMBIENT,
    ATTRIBUTE,
    CLASS,
    CONSTANT,
    FACTORY,
    FUNCTION,
    MAYBE,
    METHOD,
    NAMED,
    NONE,
    OBJECT,
    QUERY,
    REGISTRY,
    SESSION,
    UNKNOWN,
    Value,
    contained,
)
from ..modules.module import ClassInfo, is_property
from ..names.evidence import may_be_session
from .kept_objects import sessions_asked
from .own_attributes import in_method, own_attribute, set_from_outside
from .single import may_be_single

if TYPE_CHECKING:
    from ..project import Project


class Classes:
    """Everything about the classes of one project; attributes are remembered."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._attributes = Answers(project.sources, self._find_attribute, lambda _: UNKNOWN)
        self._of_library = Answers(project.sources, self._find_of_library)
        self._optional = Answers(project.sources, self._find_optional)
        self.owns_engine = Answers(project.sources, self._owns_engine, lambda _: False)
        """Whether a property of the class makes an engine for each object: ``self._engine = create_engine(…)``."""
        self._asking: set[Value] = set()

    def attribute(self, owner: Value, name: str) -> Value:
        """An attribute of a project class, of an object of it, or of a known type."""
        value = self.unbound(owner, name)
        if value.kind == FUNCTION and value.extra[:1] == ("method",):
            return self._bound(value, owner)
        return value

    def property_of(self, owner: Value, name: str) -> Value:
        """The function behind an attribute of an object that is asked anew each time it is read; else UNKNOWN."""
        value = self.unbound(owner, name) if owner.kind == OBJECT else UNKNOWN
        if value.kind != FUNCTION or value.extra[:1] != ("method",):
            return UNKNOWN
        function = value._replace(extra=(owner, None))
        target = self.project.target(function)
        is_asked = target is not None and target.is_property and not target.keeps_its_value
        return function if target is not None and is_asked and not gives_what_it_keeps(target.body) else UNKNOWN

    def unbound(self, owner: Value, name: str) -> Value:
        """As :meth:`attribute`, with methods and properties as the functions that they are in the class."""
        if owner.kind == OBJECT and self._is_of_library(owner.name):
            return Value(METHOD, name, extra=(owner,))
        return self._attributes((owner.kind, owner.name, name))

    def _is_of_library(self, name: str) -> bool:
        """Whether a type belongs to a library, or is one of which something is known."""
        return self._of_library((name, self.project.modules.names.roots.own))

    def _find_of_library(self, asked: tuple[str, tuple[str, ...]]) -> bool:
        name, _ = asked
        return self.project.known.receiver(name) is not None or self._is_foreign(name)

    def _is_foreign(self, name: str) -> bool:
        """Whether a type belongs to a library."""
        return "." in name and not self.project.modules.is_first_party(name) and self.project.class_info(name) is None

    def _bound(self, value: Value, owner: Value) -> Value:
        function = value._replace(extra=(owner if owner.kind == OBJECT else None, None))
        target = self.project.target(function)
        if target is not None and "builtins.classmethod" in target.decorators:
            return function._replace(extra=(owner, None))
        if target is not None and target.is_property:
            summary = self.project.summary(function, (("self", owner),))
            if summary is not None and summary.returns != UNKNOWN:
                found = summary.returns
                if found.resource is not None and found.resource in contained(owner):
                    return found  # what the object was given
                life = summary.returned_life
                kept = target.keeps_its_value or (life is not None and life.marks & KEPT)
                if (
                    found.kind == SESSION
                    and found.resource is not None
                    and found.resource.origin == "opened"
                    and not kept
                ):
                    return Value("opens", found.resource.type)
                if found.resource is not None and found.resource.origin == "opened":
                    return found._replace(
                        resource=found.resource._replace(
                            origin=ATTRIBUTE, key=f"self.{target.body.name.rpartition('.')[2]}"
                        )
                    )
                return found
            ambient = self._ambient(function, owner)
            return ambient if ambient != UNKNOWN else self.project.returned(function)
        return function

    def _ambient(self, function: Value, owner: Value) -> Value:
        """The session of a registry that a property gives, which is the same however deep it is asked; else UNKNOWN."""
        if function in self._asking:
            return UNKNOWN
        self._asking.add(function)
        try:
            with self.project.apart():
                summary = self.project.summary(function, (("self", owner),))
        finally:
            self._asking.discard(function)
        found = summary.returns if summary is not None else UNKNOWN
        return found if found.resource is not None and found.resource.origin == AMBIENT else UNKNOWN

    def _find_attribute(self, asked: tuple[str, str, str]) -> Value:
        kind, of, name = asked
        owner = Value(kind, of)
        info = self.project.class_info(of)
        if info is None:
            return UNKNOWN
        for base in self.project.lineage(info):
            if isinstance(base, str):
                value = self._library_attribute(base, name, owner)
            else:
                value = own_attribute(self.project, base, name)
            if value == UNKNOWN:
                value = set_from_outside(self.project, base if isinstance(base, str) else base.qualified, name)
            if value.kind == CONSTANT and self._is_edited(base, owner):
                return UNKNOWN
            set_later = self._of_those_that_extend(owner, name) if value == NONE else UNKNOWN
            if set_later != UNKNOWN:
                return set_later
            if value != UNKNOWN:
                return of_the_class(value, owner)
        return self._of_those_that_extend(owner, name)

    def _of_those_that_extend(self, owner: Value, name: str) -> Value:
        """What the classes that extend one set a session's name to, where it leaves this to them and they agree."""
        if owner.kind != OBJECT or not may_be_session(name):
            return UNKNOWN
        extending = self.project.implementations.extended(owner.name)
        values = [self.attribute(Value(OBJECT, each), name) for each in extending]
        set_by_them = [value for value in values if value not in (UNKNOWN, NONE)]
        kinds = {(value.kind, value.resource.type if value.resource else "") for value in set_by_them}
        return set_by_them[0] if len(kinds) == 1 and set_by_them[0].kind in (SESSION, FACTORY, REGISTRY) else UNKNOWN

    def _is_edited(self, base: ClassInfo | str, owner: Value) -> bool:
        """Whether a constant of a class is a setting: others may set it, and nobody knows what runs in the end."""
        name = base if isinstance(base, str) else base.qualified
        return owner.kind == CLASS or any(map(self.project.known.conventions.is_of_settings, name.split(".")[-2:]))

    def _library_attribute(self, base: str, name: str, owner: Value) -> Value:
        """An attribute that a library's base class gives: ``Model.query`` of Flask-SQLAlchemy."""
        value = self.project.value(base)
        if name == "query" and value.kind == NAMED and value.resource is not None:
            return Value(QUERY, owner.name, value.resource)
        if self.project.known.receiver(base) is not None and self.project.known.call(f"{base}.{name}") is not None:
            return Value(METHOD, name, extra=(Value(OBJECT, base),))
        return UNKNOWN

    def in_method(self, info: ClassInfo, expression: ast.expr, method: Function) -> Value:
        """The value of an expression inside a method of a class."""
        return in_method(self.project, info, expression, method)

    def _owns_engine(self, name: str) -> bool:
        lineage = self.project.lineages.own(name)
        return not may_be_single(lineage) and any(map(self._makes_engine, lineage))

    def _makes_engine(self, info: ClassInfo) -> bool:
        values = [value for values in info.attribute_values.values() for value in values]
        lazy = (e for e, method in values if isinstance(e, ast.Call) and is_property(method))
        return any(self.project.makes_engine(info.module, expression) for expression in lazy)

    def attributes_used(self, method: Value, at_once: bool = False) -> list[tuple[str, Value]]:
        """The attributes of ``self`` that a bound method (and the methods it calls on ``self``) reads; ``at_once``:
        where several calls at the same time do so, and with the sessions of the objects that they ask."""
        owner, found, seen = method.extra[0], {}, set()
        waiting = [method]
        while waiting:
            target = self.project.target(waiting.pop())
            if target is None or target.body.name in seen or not target.body.parameters:
                continue
            seen.add(target.body.name)
            me = target.body.parameters[0].arg
            alone = alone_with(target.body) if at_once else frozenset()
            for node in (each for each in target.body.own(ast.Attribute) if each not in alone):
                if is_attribute_of(node, me):
                    value = self.attribute(owner, node.attr)
                    found[node.attr] = value
                    if value.kind == FUNCTION:
                        waiting.append(value)
                elif at_once and is_attribute_of(node.value, me):
                    found.update(sessions_asked(self.project, owner, node.value.attr, node.attr))
        return sorted(found.items())

    def optional_sessions(self, method: Value) -> tuple[tuple[str, Value], ...]:
        """Those of them that are sessions or None."""
        owner: Value = method.extra[0]
        return self._optional(method._replace(extra=(Value(owner.kind, owner.name), None)))

    def _find_optional(self, method: Value) -> tuple[tuple[str, Value], ...]:
        used = self.attributes_used(method)
        return tuple(item for item in used if item[1].kind == SESSION and MAYBE in item[1].extra)


def is_attribute_of(node: ast.expr, me: str) -> TypeGuard[ast.Attribute]:
    """``self.orders``."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == me


def gives_what_it_keeps(body: Body) -> bool:
    """``return self._markets``: what a property makes when it is read for the first time."""
    me = body.parameters[0].arg if body.parameters else ""
    values = (node.value for node in body.own(ast.Return) if isinstance(node.value, ast.Attribute))
    return any(isinstance(value.value, ast.Name) and value.value.id == me for value in values)


def of_the_class(value: Value, owner: Value) -> Value:
    """A query that a registry gives to all classes is one for the class that is asked: ``Member.query``."""
    return value._replace(name=owner.name) if value.kind == QUERY and not (value.name or value.extra) else value
