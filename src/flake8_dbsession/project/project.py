"""Everything around one function: what names, attributes and calls of the whole project mean.

Facts are computed on demand and remembered for the process; a module that is missing or broken, a circle of
definitions and a chain of calls that is too long are answered with "unknown", which means silence.
"""

from __future__ import annotations

import ast
import contextlib
import os
from collections.abc import Callable, Iterator, Set
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from ..files.sources import Answers, Sources
from ..known import Known, load
from ..names import Names, is_none
from ..session.body import Body
from ..session.flow import Flow
from ..session.summary import Summary
from ..session.values import (
    OBJECT,
    SESSION,
    TUPLE,
    UNKNOWN,
    Resource,
    Value,
)
from .app import Application
from .classes.attributes import Classes
from .classes.fields import fields
from .classes.handles import Handles
from .classes.implementations import Implementations
from .classes.keys import kept_under
from .classes.lineage import Lineages
from .classes.makers import Makers
from .classes.opened_late import opened_when_asked
from .classes.own_sessions import packages_that_roll_back
from .classes.single import is_made_once, makes_registry, may_be_single
from .contexts import is_removed_with_contexts
from .functions.flows import Flows
from .functions.functions import Functions
from .functions.targets import Target
from .functions.wrapping import Wrapping
from .modules.module import ClassInfo, Module
from .modules.modules import Modules
from .names.annotations import annotated
from .names.evidence import may_be_session, session_type
from .names.foreign import is_of_library
from .names.meanings import Meanings
from .names.naming import called
from .names.of_modules import OfModules
from .reach import Reach
from .session_options import flushes_before_queries, keeps_rows

if TYPE_CHECKING:
    from ..config import Config

Given = ParamSpec("Given")
Found = TypeVar("Found")

_ROLES = {"closer": "closers", "owner": "owners", "wait": "blocking_calls", "manager": "context_managers"}


class Project:
    """The project of a configuration. One for a process; it holds what it has learnt.

    ``root`` is the folder that relative source roots and test paths start from.
    """

    def __init__(self, config: Config, root: str = ".") -> None:
        self.config = config
        self.root = os.path.abspath(root)
        self.known: Known = load(config.tables)
        self.sources = Sources()
        self.modules = Modules(
            self.root,
            tuple(config.src),
            self._forget,
            self.sources,
            lambda package: self.app.packages_beside.get(package, ""),
            lambda package: self.app.starting_with(package),
        )
        self.lineages = Lineages(self)
        self.app = Application(self)
        self.reach = Reach(self)
        self.flows = Flows(self)
        self._once = Answers(self.sources, self._find_once)
        self._asked: dict[tuple[Body, str], str] = {}
        self._begin()

    def _begin(self) -> None:
        """Nothing is known about dotted names."""
        self.meanings = Meanings(self)
        self.of_modules = OfModules(self)
        self.classes = Classes(self)
        self.implementations = Implementations(self)
        self.handles = Handles(self)
        self.makers = Makers(self)
        self.functions = Functions(self)
        self.wrapping = Wrapping(self)

    def _forget(self, sources: int, modules: Set[Module]) -> None:
        """Some dotted names mean other modules from here on, or none: what rests on one of the sources, a set of bits,
        goes, and what was learnt of ``modules``."""
        self._lose(sources, modules)
        self.reach.forget(sources)

    def lose(self, path: str) -> None:
        """Forget the file at ``path`` and what hangs on it, because it has another text; what names outside of its
        functions stand for is found anew, and what has been learnt of functions that never come by stays."""
        module = self.modules.lose(path)
        if module is not None:
            self._lose(self.sources.bit(module.file), {module})

    def _lose(self, sources: int, modules: Set[Module]) -> None:
        self.flows.lose(sources, modules)
        self._once.lose(sources)
        self.reach.lose(sources)
        self._begin()

    # -- names

    def value(self, name: str) -> Value:
        """What a dotted name stands for."""
        return self.meanings.value(name)

    def stored(self, module_name: str, text: str) -> Value:
        """What ``g.db`` stands for where its module sets it to a session somewhere."""
        return self.meanings.stored(module_name, text)

    def split(self, name: str) -> tuple[Module | None, str]:
        """The longest prefix that is a module of the project, and the rest."""
        return self.modules.split(name)

    def evaluate(self, module: Module, expression: ast.expr, names: dict[str, Value] | None = None) -> Value:
        """What an expression at module level (or with ``names`` bound) stands for; nothing is done with its effects."""
        return self.of_modules.value(module, expression, names)

    def makes_engine(self, module: Module, expression: ast.expr) -> bool:
        """Whether evaluating an expression at module level makes an engine, or an object with one of its own."""
        return self.of_modules.makes_engine(module, expression)

    def apart(self) -> contextlib.AbstractContextManager[None]:
        """What is asked inside the block is asked as if by nobody; whoever asks sees to it that it ends."""
        return self.flows.solved.apart()

    def evaluate_in(self, names: Names, expression: ast.expr) -> Value:
        """As :meth:`evaluate`, in the module that ``names`` belong to."""
        module = self.modules.find(names.module)
        return self.evaluate(module, expression) if module is not None else UNKNOWN

    def outer(self, module: Module, enclosing: dict[str, Value] | None = None) -> Callable[[str], Value]:
        """What a free name of a function of ``module`` stands for."""

        def lookup(name: str) -> Value:
            return enclosing[name] if enclosing and name in enclosing else self.of_modules.free(module, name)

        return lookup

    # -- classes

    def class_info(self, qualified: str) -> ClassInfo | None:
        """The project class of a dotted name."""
        return self.lineages.info(qualified)

    def lineage(self, info: ClassInfo) -> Iterator[ClassInfo | str]:
        """The class, then its bases depth first; a base outside the project is its dotted name."""
        return self.lineages.of(info)

    def inherited(self, owner: str, name: str, me: Value) -> Value:
        """The method that ``super()`` finds in the bases of a project class, bound to ``me``; UNKNOWN for none."""
        return self.lineages.inherited(owner, name, me)

    def foreign_bases(self, name: str) -> tuple[str, ...]:
        """The dotted names of the library classes that a project class extends."""
        return self.lineages.foreign(name)

    def attribute(self, owner: Value, name: str) -> Value:
        """An attribute of a project class, of an object of it, or of a known type."""
        return self.classes.attribute(owner, name)

    def property_of(self, owner: Value, name: str) -> Value:
        """The function behind a property of a project class; UNKNOWN for any other attribute."""
        return self.classes.property_of(owner, name)

    def owns_engine(self, name: str) -> bool:
        """Whether a property of a project class makes an engine for each object of it."""
        return self.classes.owns_engine(name)

    def fields(self, name: str) -> tuple[str, ...]:
        """What the constructor of a project class takes, where it is made from the annotations of the class."""
        info = self.lineages.info(name)
        return fields(self.lineages.of(info)) if info is not None else ()

    def is_set_later(self, name: str, attribute: str) -> bool:
        """Whether a method of a project class, beside its constructor, sets an attribute of the object."""
        values = (pair for info in self.lineages.own(name) for pair in info.attribute_values.get(attribute, ()))
        return any(method.name != "__init__" and not is_none(value) for value, method in values)

    def opened_when_asked(self, name: str, attribute: str) -> Value:
        """The session that an object of a project class opens when it is first asked for it; UNKNOWN for none."""
        return opened_when_asked(self, name, attribute)

    def is_single(self, name: str) -> bool:
        """Whether a project class may give the same object each time."""
        return may_be_single(self.lineages.own(name))

    def makes_registry(self, name: str, attribute: str) -> bool:
        """Whether each object of a project class makes a registry of its own, which it keeps under the attribute."""
        return makes_registry(self.lineages.own(name), attribute)

    def is_made_once(self, name: str) -> bool:
        """Whether the constructor of a project class runs once, as far as can be seen."""
        return is_made_once(self.lineages.own(name))

    def carried_out(self, method: Value) -> tuple[Value, ...]:
        """The methods of the project's classes that carry out an abstract one."""
        return self.implementations.carried_out(method)

    def kept_by_others(self, method: Value, carried_out: Value) -> tuple[Resource, ...]:
        """The sessions on objects of other classes that carry out the same, which those of the method's do not have."""
        return self.implementations.kept_by_others(method, carried_out)

    def methods_called(self, name: str) -> tuple[Value, ...]:
        """The methods of the project's classes that have a telling name."""
        return self.implementations.methods_called(name)

    def attributes_used(self, method: Value, *, at_once: bool = False) -> list[tuple[str, Value]]:
        """The attributes of ``self`` that a bound method (and the methods it calls on ``self``) reads."""
        return self.classes.attributes_used(method, at_once)

    def optional_sessions(self, method: Value) -> tuple[tuple[str, Value], ...]:
        """Those of them that are sessions or None."""
        return self.classes.optional_sessions(method)

    # -- functions

    def target(self, function: Value) -> Target | None:
        """The project function a value stands for; None where it cannot be found."""
        return self.functions.target(function)

    def decorators(self, module: Module, body: Body) -> frozenset[str]:
        """The dotted names of a function's decorators, called or not."""
        return self.functions.decorators(module, body)

    def session_said_by(self, function: Value) -> str:
        """The type of session that a return annotation speaks of, whoever opens it; "" for none."""
        return self.functions.session_said_by(function)

    def returned(self, function: Value) -> Value:
        """What calling a function gives as far as its return annotation says."""
        return self.functions.returned(function)

    def summary(self, function: Value, sessions: tuple[tuple[str, Value], ...]) -> Summary | None:
        """What a call does where the named parameters are ``sessions``; None where that cannot be seen."""
        return self.flows.summary(function, sessions)

    @property
    def summaries(self) -> int:
        """How often a summary was asked for so far."""
        return self.flows.asked

    def flow(
        self, module: Module, body: Body, given: dict[str, Value], enclosing: dict[str, Value] | None = None
    ) -> Flow:
        """One function, with ``given`` parameters and what the functions around it bind."""
        return self.flows.flow(module, body, given, enclosing)

    def called(self, body: Body, name: str) -> Value:
        """What a variable of a function is by its name alone: ``SessionLocal``, ``ScopedSession``."""
        return called(self, body, name)

    def attribute_called(self, body: Body, node: ast.Attribute) -> Value:
        """The factory or registry that an attribute of something unseen is: ``app.state.session_factory``."""
        return self.handles.called(body, node)

    def kept_under(self, body: Body, node: ast.Subscript) -> Value:
        """The factory, registry or engine that an application keeps under a key: ``request.app["db"]``."""
        return kept_under(self, body, node)

    def declared(self, body: Body, annotation: ast.expr) -> Value:
        """The session, object or several that an annotation inside a function speaks of; UNKNOWN for anything else."""
        module = self.modules.find(body.module)
        value = annotated(self, module.names, annotation, "") if module is not None else UNKNOWN
        return value if value.kind in (SESSION, OBJECT, TUPLE) else UNKNOWN

    def asked(self, body: Body, name: str) -> str:
        """The type of session that a name or chain of a function is by what it is asked; "" for none."""
        if not may_be_session(name.rpartition(".")[2]):
            return ""
        key = (body, name)
        if key not in self._asked:
            module = self.modules.find(body.module)
            self._asked[key] = session_type(module.names, name, body.own_nodes) if module is not None else ""
        return self._asked[key]

    def is_of_library(self, body: Body, expression: ast.expr) -> bool:
        """Whether an expression is an object of a library, as far as the function itself shows."""
        return is_of_library(self, body, expression)

    # -- configuration and application

    def once(self, find: Callable[Concatenate[Project, Given], Found], *of: Given.args, **more: Given.kwargs) -> Found:
        """What ``find`` finds in the project (``of`` something), which is looked for once."""
        found: Found = self._once((find, of, tuple(more.items())))
        return found

    def _find_once(self, asked: tuple[Callable[..., Any], tuple[Any, ...], tuple[tuple[str, Any], ...]]) -> Any:
        find, of, more = asked
        return find(self, *of, **dict(more))

    def configured(self, name: str, role: str) -> str | None:
        """The user's entry that gives ``name`` a role: its advice (may be ""), or None."""
        return self.config.advice(_ROLES[role], name)

    def rolls_back(self, module: str) -> bool:
        """Whether the sessions of a module's package are of a class that rolls back by itself where a commit fails."""
        return module.partition(".")[0] in self.once(packages_that_roll_back)

    @property
    def flushes_before_queries(self) -> bool:
        """Whether sessions write what waits before a query: unless all that make some are told ``autoflush=False``."""
        return self.once(flushes_before_queries)

    @property
    def keeps_rows(self) -> bool:
        """Whether rows stay as they are after a commit: all that make sessions are told ``expire_on_commit=False``."""
        return self.once(keeps_rows)

    def has_teardown(self, registry: Resource) -> bool:
        """Whether the application removes the registry when an app context or request ends."""
        return registry.flavour == "flask" or self.once(is_removed_with_contexts, registry)
