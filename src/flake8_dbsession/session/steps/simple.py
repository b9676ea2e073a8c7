"""What a simple statement does to the names and sessions of the moment in which it is carried out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ...names import Function, imports_of
from ..events import Happening
from ..expressions.changing import change_below
from ..expressions.evaluate import Evaluation
from ..expressions.opening import next_of
from ..liveness import CAUGHT
from ..state import FAILED, RETURNED, STORED
from ..values import FUNCTION, GENERATOR, METHOD, NAMED, SESSION, TUPLE, UNKNOWN, Value, contained
from .exceptions import OTHER

_CLOSERS = frozenset({"close", "remove", "aclose", "__exit__"})
_EMPTY = Value(TUPLE)
"""``[]`` and ``()``."""


def carry_out(ev: Evaluation, statement: ast.AST | None, instead: ast.expr | None = None) -> None:
    """One simple statement; ``instead`` replaces its value."""
    match statement:
        case ast.Expr():
            value = ev.value(statement.value)
            if value.resource is not None and value.resource.type == "PoolProxiedConnection":
                ev.now.finish(value.resource, statement.value)  # nobody keeps it: it is back (measured)
            if value.kind == "coroutine" and is_known_coroutine(value):
                ev.now.event(Happening.UNAWAITED, statement.value, value.resource, value.name)
                if value.name in ("close", "aclose", "remove"):  # it was meant to: one report says so
                    ev.awaited_later(value, statement.value)
        case ast.Assign():
            value = ev.value(instead or statement.value)
            if value.kind == GENERATOR and isinstance(statement.targets[0], (ast.Tuple, ast.List)):
                value = Value(TUPLE, extra=(next_of(ev, value, statement.value, kept=False),))
            if says_nothing(value):
                value = ev.by_its_use(statement.targets[0], value)
            for target in statement.targets:
                ev.bind(target, value)
        case ast.AnnAssign():
            if statement.value is not None:
                value = ev.value(instead or statement.value)
                told = ev.by_its_annotation(statement) if says_nothing(value) else UNKNOWN
                ev.bind(statement.target, told if told != UNKNOWN else value)
        case ast.AugAssign():
            ev.value(statement.value)
            if isinstance(statement.target, ast.Name):
                ev.bind(statement.target, UNKNOWN)
            else:
                ev.change(statement.target.value)
        case ast.Return():
            return_(ev, ev.value(instead or statement.value))
        case ast.Raise():
            raise_(ev, statement)
        case ast.Import() | ast.ImportFrom():
            package = ev.body.is_package
            for name, stands_for in imports_of(statement, ev.body.module, package):
                ev.now.names[name] = ev.world.value(stands_for)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            define(ev, statement)
        case ast.ClassDef():
            ev.now.names.pop(statement.name, None)
        case ast.Delete():
            for target in statement.targets:
                for name in [target.id] if isinstance(target, ast.Name) else []:
                    ev.now.bind(name, UNKNOWN, constants=frozenset())
                if isinstance(target, (ast.Attribute, ast.Subscript)):
                    change_below(ev, target.value)
        case ast.expr():
            ev.value(statement)


def return_(ev: Evaluation, value: Value) -> None:
    for resource in ev.reached(value):
        ev.now.mark(resource, RETURNED)
    ev.now.result = value


def raise_(ev: Evaluation, statement: ast.Raise) -> None:
    if statement.exc is not None:
        ev.value(statement.exc)
    caught = ev.now.names.get(CAUGHT)
    exception = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
    named = exception.id if isinstance(exception, ast.Name) else getattr(exception, "attr", "")
    ev.now.failures.clear()
    if caught is not None and (exception is None or named in caught.extra):
        ev.now.may_raise(caught.name)
    else:
        is_failed = any(life.phases & FAILED for life in ev.now.lives.values())
        ev.now.may_raise(f"{OTHER}:{named}" if is_failed and named else OTHER)


def define(ev: Evaluation, statement: Function) -> None:
    """A nested function; one that closes a session of the function around it owns that session from then on."""
    for decorator in statement.decorator_list:
        ev.value(decorator)
    inner = "<locals>." if ev.body.node is not None else ""
    name = f"{ev.body.qualified}.{inner}{statement.name}"
    ev.now.names[statement.name] = Value(FUNCTION, name, extra=(None, statement))
    if all(value.kind != SESSION for value in ev.now.names.values()):
        return
    for closed in closed_names(statement):
        value = ev.now.names.get(closed, UNKNOWN)
        if value.kind == SESSION and value.resource is not None:
            ev.now.mark(value.resource, STORED)


def is_known_coroutine(value: Value) -> bool:
    """Whether a value that was not awaited is a coroutine of a session or engine, not of a project function."""
    return value.resource is not None or value.name == "dispose"


def closed_names(function: Function) -> Iterator[str]:
    """The names that a nested function closes (``name.close()``)."""
    for part in ast.walk(function):
        match part:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=verb)) if verb in _CLOSERS:
                yield name


def says_nothing(value: Value) -> bool:
    """Whether a value is empty, or says nothing but where in a library, or on an object of one, it was found."""
    return value == _EMPTY or (value.kind in (UNKNOWN.kind, NAMED, METHOD) and not contained(value))
