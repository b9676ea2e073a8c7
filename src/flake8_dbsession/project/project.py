"""Everything around one function: what names, attributes and calls of the whole project mean.

Facts are computed on demand and remembered for the process; a module that is missing or broken, a circle of
definitions and a chain of calls deeper than :data:`DEPTH` are answered with "unknown", which means silence.
"""

from __future__ import annotations

import ast
import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..known import Known, load
from ..names import Names, is_none
from ..session.body import Body
from ..session.evaluate import Evaluation
from ..session.flow import Flow, starts
from ..session.memory import Key, Outcomes
from ..session.scope import Scope
from ..session.state import State
from ..session.summary import Summary
from ..session.values import (
    AMBIENT,
    ATTRIBUTE,
    CLASS,
    CONSTANT,
    ENGINE,
    FACTORY,
    FLASK_DB,
    FUNCTION,
    MAYBE,
    NAMED,
    OBJECT,
    REGISTRY,
    SESSION,
    UNKNOWN,
    Resource,
    Value,
    pool_of,
)
from .annotations import annotated
from .app import Application
from .classes import Classes
from .evidence import may_be_session, session_type
from .functions import Functions
from .modules import ClassInfo, Module, Modules
from .parameters import parameter_of, untold_in
from .reach import Reach
from .solved import Solved
from .targets import Target

if TYPE_CHECKING:
    from ..config import Config

DEPTH = 4
"""How many calls deep a function is followed: four hops resolve more than nine in ten of what crosses files."""

_ROLES = {"closer": "closers", "owner": "owners", "wait": "blocking_calls", "manager": "context_managers"}


class Project:
    """The project of a configuration. One for a process; it holds what it has learnt.

    ``root`` is the folder that relative source roots and test paths start from.
    """

    def __init__(self, config: Config, root: str = ".") -> None:
        self.config = config
        self.root = os.path.abspath(root)
        self.known: Known = load(config.tables)
        self.modules = Modules(self.root, tuple(config.src), self._forget)
        self.app = Application(self)
        self._forget()

    def _forget(self) -> None:
        """Nothing is known about dotted names: at first, and where they mean other modules than before."""
        self._values: dict[str, Value] = {}
        self.classes = Classes(self)
        self.reach = Reach(self)
        self._solved = Solved(DEPTH)
        self._remembered: dict[Body, dict[Key, Outcomes]] = {}
        self.summaries = 0
        self.functions = Functions(self)
        self._asked: dict[tuple[Body, str], str] = {}
        self._stored: dict[tuple[str, str], Value] = {}
        self.app.forget()

    # -- names

    def value(self, name: str) -> Value:
        """What a dotted name stands for."""
        if name not in self._values:
            self._values[name] = Value(NAMED, name)  # a circle ends here
            self._values[name] = self._find_value(name)
        return self._values[name]

    def _find_value(self, name: str) -> Value:
        declared = self._declared(name)
        if declared is not None:
            return declared
        if self.known.sqlalchemy_type(name) is not None or self.known.call(name) is not None:
            return Value(NAMED, name)
        module, rest = self.split(name)
        if module is None:
            return self._unseen(name)
        if not rest:
            return self._bound_in_package(name)
        head, *tail = rest.split(".")
        value = self._member(module, head)
        for attribute in tail:
            value = self.member_of(value, attribute)
        return value

    def _bound_in_package(self, name: str) -> Value:
        """A module, or what its package says under the same name: ``from .load import load``."""
        outer, _, last = name.rpartition(".")
        package = self.modules.find(outer) if outer else None
        binding = package.names.bindings.get(last) if package is not None and package.is_package else None
        if package is None or binding is None or binding.imported == name:
            return Value(NAMED, name)
        return self._member(package, last)

    def _declared(self, name: str) -> Value | None:
        """What the user's configuration says the name is."""
        matches = self.config.matches
        if matches("session_factories", name):
            return Value(FACTORY, "AsyncSession" if "async" in name.lower() else "Session")
        if matches("scoped_sessions", name):
            return Value(REGISTRY, name, Resource(AMBIENT, name, "Session", flavour="scoped"))
        if matches("engines", name):
            return Value(ENGINE, "Engine")
        return None

    def split(self, name: str) -> tuple[Module | None, str]:
        """The longest prefix that is a module of the project, and the rest."""
        return self.modules.split(name)

    def _unseen(self, name: str) -> Value:
        """A name whose module cannot be read: conventions speak only where the project itself is meant."""
        if "." not in name or self.known.is_look_alike(name):
            return Value(NAMED, name)
        module, _, last = name.rpartition(".")
        conventions = self.known.conventions
        if last in conventions.factories or last in conventions.async_factories:
            return Value(FACTORY, "AsyncSession" if last in conventions.async_factories else "Session")
        if last in conventions.registries:
            return Value(REGISTRY, name, Resource(AMBIENT, name, "Session", flavour="scoped"))
        if last in conventions.flask_objects and not self.modules.is_first_party(module):
            return Value(FLASK_DB, name, Resource(AMBIENT, f"{name}.session", "Session", flavour="flask"))
        if last == "session" and module.rpartition(".")[2] in conventions.flask_objects:
            return Value(REGISTRY, name, Resource(AMBIENT, name, "Session", flavour="flask"))
        return Value(NAMED, name)

    def _member(self, module: Module, name: str) -> Value:
        binding = module.names.bindings.get(name)
        qualified = f"{module.name}.{name}"
        if binding is None:
            return self._from_star(module, name)
        if isinstance(binding.definition, ast.ClassDef):
            return self._class(qualified, module.classes.get(name))
        if binding.definition is not None:
            return Value(FUNCTION, qualified, extra=(None, None))
        values = (self.named_after(self.evaluate(module, expression), qualified) for expression in binding.values)
        known = next((value for value in values if value.kind not in ("unknown", CONSTANT)), None)
        if known is not None and known.kind == FACTORY:  # Session = scoped_session(Session)
            return next((value for value in values if value.kind == REGISTRY), known)
        if known is not None and known.kind == SESSION and any(map(is_none, binding.values)):
            return known.with_extra(*known.extra, MAYBE)
        if known is not None:
            return known
        if binding.imported:
            return self.value(binding.imported)
        if binding.annotation is not None:
            return self.named_after(annotated(self, module.names, binding.annotation, name), qualified)
        return Value(NAMED, qualified) if binding.values else UNKNOWN

    def _from_star(self, module: Module, name: str) -> Value:
        submodule = self.modules.find(f"{module.name}.{name}") if module.is_package else None
        if submodule is not None:
            return Value(NAMED, submodule.name)
        for star in module.names.stars:
            source = self.modules.find(star)
            if source is not None and source is not module and name in source.names.bindings:
                return self.value(f"{star}.{name}")
        return UNKNOWN

    def _class(self, qualified: str, info: ClassInfo | None) -> Value:
        """A class; one that extends SQLAlchemy's session makes sessions."""
        for base in self.lineage(info) if info is not None else ():
            short = base if isinstance(base, str) else ""
            type_name = self.known.sqlalchemy_type(short)
            if type_name in (
                "Session",
                "AsyncSession",
                "sqlmodel.Session",
                "sqlmodel.ext.asyncio.session.AsyncSession",
            ):
                return Value(FACTORY, type_name)
            if type_name == "flask_sqlalchemy.SQLAlchemy":
                return Value(NAMED, short)
        return Value(CLASS, qualified)

    @staticmethod
    def named_after(value: Value, qualified: str) -> Value:
        """A registry, engine or session at module level is known by its name."""
        resource = value.resource
        if value.kind in (REGISTRY, FLASK_DB) and resource is not None and ":" in resource.key:
            key = f"{qualified}.session" if value.kind == FLASK_DB else qualified
            return value._replace(name=qualified, resource=resource._replace(key=key))
        if value.kind == SESSION and resource is not None:
            return value._replace(resource=resource._replace(origin=ATTRIBUTE, key=qualified))
        if value.kind == ENGINE and not pool_of(value) and not {"flask", "NullPool", "StaticPool"} & set(value.extra):
            return value.with_extra(*value.extra, ("pool", qualified))
        return value

    def evaluate(self, module: Module, expression: ast.expr, names: dict[str, Value] | None = None) -> Value:
        """What an expression at module level (or with ``names`` bound) stands for; nothing is done with its effects."""
        return self._evaluated(module, expression, Scope(module.top, self.outer(module)), names)

    def makes_engine(self, module: Module, expression: ast.expr) -> bool:
        """Whether evaluating an expression at module level makes an engine, or an object with one of its own."""
        scope = Scope(module.top, self.outer(module))
        self._evaluated(module, expression, scope, None)
        return bool(scope.engines or scope.owners)

    def _evaluated(self, module: Module, expression: ast.expr, scope: Scope, names: dict[str, Value] | None) -> Value:
        body = Body(module.name, "<value>", None, [], is_package=module.is_package)
        scope.local_names = frozenset()
        try:
            return Evaluation(body, self, scope, State(names or {}, {}), {}).value(expression)
        except RecursionError:
            return UNKNOWN

    def evaluate_in(self, names: Names, expression: ast.expr) -> Value:
        """As :meth:`evaluate`, in the module that ``names`` belong to."""
        module = self.modules.find(names.module)
        return self.evaluate(module, expression) if module is not None else UNKNOWN

    def outer(self, module: Module, enclosing: dict[str, Value] | None = None) -> Callable[[str], Value]:
        """What a free name of a function of ``module`` stands for."""

        def lookup(name: str) -> Value:
            if enclosing and name in enclosing:
                return enclosing[name]
            if name in module.names.bindings or module.names.stars:
                value = self.value(f"{module.name}.{name}".lstrip("."))
                if value != UNKNOWN:
                    return value
            qualified = module.names.qualify(name)
            return Value(NAMED, qualified) if qualified and qualified.startswith("builtins.") else UNKNOWN

        return lookup

    # -- classes

    def class_info(self, qualified: str) -> ClassInfo | None:
        """The project class of a dotted name."""
        return self.classes.info(qualified)

    def lineage(self, info: ClassInfo) -> Iterator[ClassInfo | str]:
        """The class, then its bases depth first; a base outside the project is its dotted name."""
        return self.classes.lineage(info)

    def inherited(self, owner: str, name: str, me: Value) -> Value:
        """The method that ``super()`` finds in the bases of a project class, bound to ``me``; UNKNOWN for none."""
        return self.classes.inherited(owner, name, me)

    def foreign_bases(self, name: str) -> tuple[str, ...]:
        """The dotted names of the library classes that a project class extends."""
        return self.classes.foreign_bases(name)

    def attribute(self, owner: Value, name: str) -> Value:
        """An attribute of a project class, of an object of it, or of a known type."""
        return self.classes.attribute(owner, name)

    def owns_engine(self, name: str) -> bool:
        """Whether a property of a project class makes an engine for each object of it."""
        return self.classes.owns_engine(name)

    def is_single(self, name: str) -> bool:
        """Whether a project class may give the same object each time."""
        return self.classes.is_single(name)

    def carried_out(self, method: Value) -> tuple[Value, ...]:
        """The methods of the project's subclasses that carry out an abstract one."""
        return self.classes.carried_out(method)

    def attributes_used(self, method: Value) -> list[tuple[str, Value]]:
        """The attributes of ``self`` that a bound method (and the methods it calls on ``self``) reads."""
        return self.classes.attributes_used(method)

    def member_of(self, value: Value, name: str) -> Value:
        """``value.name`` outside of any function."""
        if value.kind == FLASK_DB and name == "session":
            return Value(REGISTRY, f"{value.name}.session", value.resource)
        if value.kind == FLASK_DB and name in ("Model", "Query"):
            return Value(NAMED, f"flask_sqlalchemy.SQLAlchemy.{name}", value.resource)
        if value.kind == NAMED:
            return self.value(f"{value.name}.{name}")
        if value.kind in (CLASS, OBJECT):
            return self.attribute(value, name)
        return UNKNOWN

    def stored(self, module_name: str, text: str) -> Value:
        """What ``g.db`` stands for where its module sets it to a session somewhere."""
        key = (module_name, text)
        if key not in self._stored:
            self._stored[key] = UNKNOWN  # a circle ends here
            self._stored[key] = self._find_stored(module_name, text)
        return self._stored[key]

    def _find_stored(self, module_name: str, text: str) -> Value:
        module = self.modules.find(module_name)
        for expression in module.stored.get(text, ()) if module is not None else ():
            value = self.evaluate(module, expression)  # type: ignore[arg-type]
            if value.kind == SESSION and value.resource is not None:
                origin = value.resource.origin
                kept = value.resource if origin == AMBIENT else value.resource._replace(origin=ATTRIBUTE, key=text)
                return value._replace(resource=kept)
        return UNKNOWN

    # -- functions

    def target(self, function: Value) -> Target | None:
        """The project function a value stands for; None where it cannot be found."""
        return self.functions.target(function)

    def decorators(self, module: Module, body: Body) -> frozenset[str]:
        """The dotted names of a function's decorators, called or not."""
        return self.functions.decorators(module, body)

    def returned(self, function: Value) -> Value:
        """What calling a function gives as far as its return annotation says."""
        return self.functions.returned(function)

    def summary(self, function: Value, sessions: tuple[tuple[str, Value], ...]) -> Summary | None:
        """What a call does where the named parameters are ``sessions``; None where that cannot be seen."""
        self.summaries += 1
        key = (function._replace(extra=function.extra[1:]), sessions)
        found = self._solved.recall(key)
        if found is not None:
            return found[0]
        target = self.target(function)
        if target is None:
            return None
        with self._solved.solving(key) as solved, contextlib.suppress(RecursionError):
            solved.summary = self.flow(target.module, target.body, dict(sessions)).summary()
        return solved.summary

    def flow(
        self,
        module: Module,
        body: Body,
        given: dict[str, Value],
        enclosing: dict[str, Value] | None = None,
        is_quiet: bool = False,
    ) -> Flow:
        """One function, with ``given`` parameters and what the functions around it bind; ``is_quiet`` as in `Flow`."""
        if body.owner and body.parameters and body.parameters[0].arg not in given:
            me = body.parameters[0].arg
            static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in body.decorators)
            kind = CLASS if any(isinstance(d, ast.Name) and d.id == "classmethod" for d in body.decorators) else OBJECT
            if not static:
                given = {**given, me: Value(kind, f"{module.name}.{body.owner}".lstrip("."))}

        def parameter(argument: ast.arg) -> Value:
            return parameter_of(self, module, body, argument)

        untold = frozenset(
            r for p in body.parameters if p.arg in given for r in untold_in(self, given[p.arg], parameter, p)
        )
        outer = self.outer(module, enclosing)
        remembered = self._remembered.setdefault(body, {}) if not enclosing else None
        return Flow(body, self, outer, lambda: starts(body, given, parameter), untold, is_quiet, remembered)

    def called(self, body: Body, name: str) -> Value:
        """What a variable of a function is by its name alone: ``SessionLocal``, ``ScopedSession``."""
        conventions = self.known.conventions
        if conventions.is_factory(name, is_async=True) or (conventions.is_factory(name) and not body.is_async):
            return Value(FACTORY, "AsyncSession" if name in conventions.async_factories else "Session")
        if name in conventions.registries:
            return Value(REGISTRY, name, Resource(AMBIENT, name, "Session", flavour="scoped"))
        return UNKNOWN

    def asked(self, body: Body, name: str) -> str:
        """The type of session that a name of a function is by what it is asked; "" for none."""
        if not may_be_session(name):
            return ""
        key = (body, name)
        if key not in self._asked:
            module = self.modules.find(body.module)
            self._asked[key] = session_type(module.names, name, body.own_nodes) if module is not None else ""
        return self._asked[key]

    # -- configuration and application

    def configured(self, name: str, role: str) -> str | None:
        """The user's entry that gives ``name`` a role: its advice (may be ""), or None."""
        return self.config.advice(_ROLES[role], name)

    def has_teardown(self, registry: Resource) -> bool:
        """Whether the application removes the registry when an app context or request ends."""
        return registry.flavour == "flask"
