"""A project function as its callers see it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from ...known.conventions import Conventions
from ...names import all_given
from ...session.body import Body
from ...session.syntax import MUTATORS, first_of
from ...session.values import Value, constant
from ..classes.protocols import is_protocol, says_nothing
from ..modules.module import Module
from ..names.evidence import may_end_session
from .entering_contexts import yields_in_context
from .remembering import makes_once, remembers_by_argument

_GATHERERS = frozenset({"asyncio.gather", "asyncio.wait", "asyncio.as_completed"})
_PROPERTIES = frozenset({"property", "cached_property"})
_MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
_CLOSING = frozenset({"close", "aclose", "remove"})
_ENDING = _CLOSING | {"rollback"}
_ABSTRACT = frozenset({"abc.abstractmethod", "abc.abstractproperty"})
_WAITING = frozenset({"join", "result", "run_until_complete"})
_SIDE_BY_SIDE = frozenset({"enumerate", "zip"})
_TAKING = frozenset({"anext", "list", "max", "min", "next", "set", "sorted", "sum", "tuple"})


class Target:
    """A project function as its callers see it."""

    def __init__(self, module: Module, body: Body, decorators: frozenset[str], conventions: Conventions) -> None:
        self.module = module
        self.body = body
        self.path = module.path
        self.decorators = decorators
        self.is_async = body.is_async
        self.is_generator = body.is_generator
        self.is_manager = bool(decorators & _MANAGERS)
        self.is_fixture = "pytest.fixture" in decorators
        self.is_cached = any(map(conventions.is_remembering, decorators))
        self.is_put_off = any(map(conventions.is_putting_off, decorators))
        self.remembers = self.is_cached or remembers_by_argument(body)
        names = {d.rpartition(".")[2] for d in decorators}
        self.runs_once = makes_once(body) or (self.is_cached and all(each.arg == body.me for each in body.parameters))
        self.is_property = bool(names & _PROPERTIES)
        self.keeps_its_value = "cached_property" in names

    @cached_property
    def is_abstract(self) -> bool:
        """Whether the function is a method that only other classes carry out."""
        refuses = only_raises(self.body) == "NotImplementedError"
        return bool(self.body.owner) and (bool(self.decorators & _ABSTRACT) or refuses or self.is_left_open)

    @cached_property
    def is_left_open(self) -> bool:
        """Whether the function is a method of a protocol that says nothing of what it does."""
        owner = self.module.classes.get(self.body.owner) if self.body.owner else None
        return is_protocol(owner) and not self.decorators & _ABSTRACT and all(map(says_nothing, self.body.statements))

    @property
    def refuses(self) -> bool:
        """Whether the function does nothing but raise."""
        return bool(only_raises(self.body))

    @property
    def is_empty(self) -> bool:
        """Whether the function does nothing at all: it is still to be written."""
        return all(map(says_nothing, self.body.statements))

    @cached_property
    def defaults(self) -> tuple[tuple[str, Value], ...]:
        """What is known of the parameters that a call leaves out.

        None, True, False, 0 or "" for each that conditions look at, None for one with an annotation, and True, False or
        0 for one that is passed on.
        """
        found = []
        for parameter in self.body.parameters:
            default = self.body.defaults.get(parameter.arg)
            tested = parameter.arg in self.body.tested_names
            if isinstance(default, ast.Constant) and (
                (default.value is None and (tested or parameter.annotation is not None))
                or (tested and (isinstance(default.value, bool) or not default.value))
                or (parameter.arg in self._passed_on and (default.value is True or default.value == 0))
            ):
                found.append((parameter.arg, constant(default.value)))
        return tuple(found)

    @cached_property
    def _passed_on(self) -> frozenset[str]:
        """The names that calls are given as they are."""
        calls = self.body.own(ast.Call)
        given = (each for call in calls for each in all_given(call))
        return frozenset(each.id for each in given if isinstance(each, ast.Name))

    @cached_property
    def changes_itself(self) -> bool:
        """Whether the function is a method that sets something on its object, or changes what it has."""
        return any(sets(node, self.body.me) for node in self.body.own_nodes)

    @cached_property
    def asks_itself(self) -> frozenset[str]:
        """The methods that the function calls on its object."""
        asked = (node.func for node in self.body.own(ast.Call) if isinstance(node.func, ast.Attribute))
        return frozenset(f.attr for f in asked if isinstance(f.value, ast.Name) and f.value.id == self.body.me)

    @cached_property
    def ends(self) -> frozenset[str]:
        """The names of what the function rolls back or closes."""
        owners = (node.value for node in self.body.own(ast.Attribute) if node.attr in _ENDING)
        return frozenset(owner.id for owner in owners if isinstance(owner, ast.Name))

    @cached_property
    def rolls_back(self) -> bool:
        """Whether the function speaks of rolling back anything, or of closing what may be a session."""
        return any(may_end_session(node, "rollback") for node in self.body.own(ast.Attribute))

    @cached_property
    def goes_through(self) -> frozenset[str]:
        """The parameters whose items the function takes by itself."""
        names = {parameter.arg for parameter in self.body.parameters}
        nodes = self.body.own(ast.For, ast.AsyncFor, ast.comprehension, ast.YieldFrom, ast.Call)
        return frozenset(gone.id for node in nodes for gone in gone_through(node) if gone.id in names)

    @property
    def yields_whole(self) -> bool:
        """Whether all that it does is to yield once what it is given."""
        parameters = {parameter.arg for parameter in self.body.parameters}
        statements = [s for s in self.body.statements if not is_docstring(s)]
        match statements:
            case [ast.Expr(value=ast.Yield(value=ast.Name(id=name)))]:
                return name in parameters
        return False

    @cached_property
    def yields_first(self) -> int:
        """The line of the first ``yield``; 0 for none."""
        return min((each.lineno for each in self.body.own(ast.Yield)), default=0)

    @cached_property
    def turns(self) -> tuple[tuple[int, int], ...]:
        """The lines, from and to, that a generator runs through between two of its items: the turns of the loops that
        yield, and what stands behind its first ``yield``."""
        yields = [each.lineno for each in self.body.own(ast.Yield, ast.YieldFrom)]
        if not yields or self.body.node is None:
            return ()
        loops = self.body.own(ast.While, ast.For, ast.AsyncFor)
        lines = [(first_of_turn(loop), loop.end_lineno or loop.lineno) for loop in loops]
        between = [(first, last) for first, last in lines if any(first <= line <= last for line in yields)]
        return (*between, (min(yields) + 1, self.body.node.end_lineno or 0))

    @cached_property
    def yields_in_context(self) -> bool:
        """Whether it yields inside of an app context of Flask, which it enters itself."""
        return self.is_manager and yields_in_context(self.body)

    @cached_property
    def awaits(self) -> bool:
        """Whether the function awaits anything."""
        return bool(self.body.own(ast.Await, ast.AsyncFor, ast.AsyncWith))

    @cached_property
    def gathers(self) -> str:
        """``asyncio.gather`` or its like, by which the function runs the coroutines that it is given; "" for none."""
        inner = self.body.node
        if inner is None or not self.body.parameters or b"asyncio" not in self.module.source.data:
            return ""
        names = (self.module.names.resolve(n.func) for n in ast.walk(inner) if isinstance(n, ast.Call))
        return next((name for name in names if name in _GATHERERS), "")

    @cached_property
    def starts(self) -> tuple[tuple[str, ast.Call], ...]:
        """The calls that are given a parameter, or a function inside, by the dotted names of what is called.

        None of a function that waits for anything, or joins a thread: then whoever calls it waits, too.
        """
        if self.body.node is None or self.awaits or any(n.attr in _WAITING for n in self.body.own(ast.Attribute)):
            return ()
        names = {*self.names, *self.functions}
        calls = (node for node in self.body.own(ast.Call) if names & given_by_name(node))
        named = ((self.module.names.resolve(call.func) or "", call) for call in calls)
        return tuple((name, call) for name, call in named if name)

    @cached_property
    def functions(self) -> dict[str, ast.AST]:
        """The functions inside, by their names."""
        return {node.name: node for node in self.body.own(ast.FunctionDef, ast.AsyncFunctionDef)}

    @cached_property
    def names(self) -> frozenset[str]:
        """The parameters that a call can name."""
        plain, rest, others = self.parameters
        return frozenset({*plain, *(p.arg for p in self.body.parameters)} - {rest, others})

    @cached_property
    def parameters(self) -> tuple[tuple[str, ...], str, str]:
        """The parameters in order, and those for the rest of them and for other names; "" for none."""
        if self.body.node is None:
            return (), "", ""
        told = self.body.node.args
        rest, others = (each.arg if each is not None else "" for each in (told.vararg, told.kwarg))
        return tuple(a.arg for a in (*told.posonlyargs, *told.args)), rest, others

    @property
    def closes(self) -> bool:
        """Whether the function speaks of closing anything: ``self.session.close()``."""
        return any(node.attr in _CLOSING for node in self.body.own(ast.Attribute))

    def takes(self, call: ast.Call) -> bool:
        """Whether the method of an object can be called like that: with as many arguments, and of those names."""
        if not isinstance(self.body.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
        arguments = self.body.node.args
        is_static = "builtins.staticmethod" in self.decorators
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)][0 if is_static else 1 :]
        given = {keyword.arg for keyword in call.keywords}
        if None in given or any(isinstance(argument, ast.Starred) for argument in call.args):
            return False
        needed = set(names[len(call.args) : max(0, len(names) - len(arguments.defaults))])
        fits = len(call.args) <= len(names) or arguments.vararg is not None
        known = {*names[len(call.args) :], *(a.arg for a in arguments.kwonlyargs)}
        return fits and needed <= given and (arguments.kwarg is not None or given <= known)

    def bind(
        self, function: Value, positional: tuple[Value, ...], keywords: dict[str, Value]
    ) -> list[tuple[str, Value]]:
        """The parameters with the values given for them; ``self`` or ``cls`` first for a bound method."""
        names = [p.arg for p in self.body.parameters]
        owner = function.extra[0] if function.extra else None
        if isinstance(owner, Value) and "builtins.staticmethod" not in self.decorators:
            positional = (owner, *positional)
        bound = list(zip(names, positional, strict=False))
        return bound + [(name, value) for name, value in keywords.items() if name in names]


def first_of_turn(loop: ast.While | ast.For | ast.AsyncFor) -> int:
    """The line with which each turn begins: what a ``for`` goes through is made before."""
    return loop.lineno if isinstance(loop, ast.While) else loop.body[0].lineno


def given_by_name(call: ast.Call) -> set[str]:
    """The plain names among the arguments of a call."""
    given = all_given(call)
    return {each.id for each in given if isinstance(each, ast.Name)}


def gone_through(node: ast.AST) -> Iterator[ast.Name]:
    """What a loop, a comprehension, ``yield from``, or ``list()``, ``next()`` and their like take the items of."""
    match node:
        case ast.For(iter=ast.Name() as name) | ast.AsyncFor(iter=ast.Name() as name):
            yield name
        case ast.comprehension(iter=ast.Name() as name) | ast.YieldFrom(value=ast.Name() as name):
            yield name
        case ast.For(iter=ast.Call() as call) | ast.AsyncFor(iter=ast.Call() as call):
            if isinstance(call.func, ast.Name) and call.func.id in _SIDE_BY_SIDE:
                yield from (argument for argument in call.args if isinstance(argument, ast.Name))
        case ast.Call(func=ast.Name(id=called), args=[ast.Name() as name, *_]) if called in _TAKING:
            yield name
        case ast.Call(func=ast.Attribute(attr="join"), args=[ast.Name() as name]):
            yield name


def sets(node: ast.AST, me: str) -> bool:
    """``me.name = …``, ``me.tags["new"] = …``, ``me.tags.append(…)``, ``setattr(me, …)``."""
    match node:
        case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
            return first_of(node) == me
        case ast.Call(func=ast.Attribute(value=ast.Attribute() | ast.Subscript() as owner, attr=name)):
            return name in MUTATORS and first_of(owner) == me
        case ast.Call(func=ast.Name(id="setattr"), args=[ast.Name(id=owner), *_]):
            return owner == me
    return False


def only_raises(body: Body) -> str:
    """The name of what is raised where that is all that a function does; "" for any other function."""
    *before, last = body.statements
    raised = last.exc if isinstance(last, ast.Raise) else None
    name = raised.func if isinstance(raised, ast.Call) else raised
    said = all(isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) for s in before)
    return name.id if said and isinstance(name, ast.Name) else ""


def is_docstring(statement: ast.stmt) -> bool:
    """Whether a statement is a text and nothing else."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
