"""What a function of the project is told of its arguments, and what it reaches without being given it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...names import is_none
from ..summary import Target
from ..syntax import names_below
from ..values import (
    CONSTANT,
    COROUTINE,
    MAYBE,
    METHOD,
    NONE,
    OBJECT,
    OPENED,
    SESSION,
    SOMETHING,
    UNKNOWN,
    Value,
    contained,
    found_session,
)
from .formals import SELF, Formals
from .inside import through_objects, unlocked

if TYPE_CHECKING:
    from ..expressions.call import Call
    from ..expressions.evaluate import Evaluation

TOLD = frozenset(
    {"session", "registry", "statement", "query", "row", "rows", "result", "object", "factory", "engine", "manager"}
    | {"generator", "function", "class", "partial", "flask_db", "tuple", "transaction", CONSTANT}
)
_REACHED = TOLD - {CONSTANT}


def told(
    ev: Evaluation, target: Target, function: Value, call: Call, formals: Formals
) -> tuple[tuple[str, Value], ...]:
    """The parameters with what is known of the arguments, and of the defaults of those that the call leaves out."""
    method = knowing(ev, function) if formals.receiver == SELF else function
    given = (*captured(ev, function), *target.bind(method, call.positional, call.keywords))
    names = {name for name, _ in given}
    unpacked = "**" in call.keywords or any(isinstance(argument, ast.Starred) for argument in call.node.args)
    left_out = () if unpacked else tuple(item for item in target.defaults if item[0] not in names)
    telling = [(name, surely(ev, value)) for name, value in (*given, *left_out) if value.kind in TOLD or asks(value)]
    begun = ((name, Value(COROUTINE, value.name)) for name, value in given if is_begun(value))
    return (*((name, formals.inside(value, name)) for name, value in telling), *begun)


def given_something(ev: Evaluation, target: Target, method: Value, call: Call) -> Iterator[tuple[str, Value]]:
    """The parameters that may be left out and are not: nobody knows what the call says for them, but it says something.

    What the caller itself was perhaps not given says nothing: ``def work(session=None): Store(session)``.
    """
    optional = {name for name, default in target.defaults if default == NONE}
    if optional:
        nodes, words = call.node.args, {word.arg: word.value for word in call.node.keywords if word.arg}
        positional = tuple(as_something(ev, *each) for each in zip(nodes, call.positional, strict=True))
        keywords = {name: as_something(ev, words.get(name), value) for name, value in call.keywords.items()}
        bound = target.bind(method, positional, keywords)
        yield from ((name, value) for name, value in bound if name in optional and value == SOMETHING)


def as_something(ev: Evaluation, node: ast.expr | None, value: Value) -> Value:
    """SOMETHING for an argument that is there though nobody knows what it is; UNKNOWN for any other."""
    is_left_out = isinstance(node, ast.Name) and is_none(ev.body.defaults.get(node.id))
    return SOMETHING if value == UNKNOWN and node is not None and not is_left_out else UNKNOWN


def is_begun(value: Value) -> bool:
    """``work(session)`` that whoever gets it may await: all that the callee learns of it is what it waits for."""
    return value.kind == COROUTINE and value.resource is None and bool(value.name)


def asks(value: Value) -> bool:
    """``query.one``, ``session.commit``: a method of a session that a helper will call."""
    return value.kind == METHOD and value.extra[0].kind in ("session", "registry", "query", "result")


def knowing(ev: Evaluation, method: Value) -> Value:
    """A method of the object whose method this is, which knows what sessions have been set on it by now."""
    owner = method.extra[0] if method.extra else None
    if not isinstance(owner, Value) or owner.kind != OBJECT:
        return method
    known = {name[5:]: value for name, value in ev.now.names.items() if name.startswith("self.")}
    known.update((name, value) for name, value in held(ev, method) if name not in known)
    telling = {name: value for name, value in known.items() if value == NONE or contained(value)}
    extra = (*(pair for pair in owner.extra if pair[0] not in telling), *telling.items())
    return method._replace(extra=(owner._replace(extra=extra), *method.extra[1:])) if telling else method


def held(ev: Evaluation, method: Value) -> Iterator[tuple[str, Value]]:
    """The sessions of the object that hold a connection: they are there, whatever else their attribute may be."""
    for name, value in ev.world.optional_sessions(method):
        found = surely(ev, value)
        if found != value:
            yield name, found


def surely(ev: Evaluation, value: Value) -> Value:
    """A session that may be missing, as one that is there where it holds a connection."""
    if value.kind == SESSION and MAYBE in value.extra and value.resource is not None:
        return found_session(value) if ev.now.life(value.resource).surely_holds else value
    return value


def reached(ev: Evaluation, function: Value) -> list[Value]:
    """The sessions that a function finds without being given them, and where no lock lets it in alone: of the function
    around it, or on an object."""
    node = function.extra[1] if len(function.extra) > 1 else None
    around = captured(ev, function)
    used = {n.id for n in unlocked(ev, node) if isinstance(n, ast.Name)} if around and node is not None else set()
    values = [value for name, value in around if name in used]
    values += through_objects(ev, node) if node is not None else ()
    owner = function.extra[0] if function.extra else None
    if isinstance(owner, Value) and owner.kind == OBJECT:
        kept = {pair[0]: pair[1] for pair in owner.extra if isinstance(pair, tuple) and pair[1].kind == SESSION}
        opened = {name for name, value in kept.items() if any(each.origin == OPENED for each in contained(value))}
        values += kept.values()
        asked = ev.world.attributes_used(function, at_once=True)
        values += [value for name, value in asked if value.kind == SESSION and name not in opened]
    return values


def captured(ev: Evaluation, function: Value) -> list[tuple[str, Value]]:
    """What a function defined inside the caller reaches by name: its sessions, and what it works with."""
    node = function.extra[1] if len(function.extra) > 1 else None
    telling = [(n, v) for n, v in ev.now.names.items() if v.kind in _REACHED] if node is not None else []
    if node is None or not telling:
        return []
    used = names_below(node)
    return [(name, value) for name, value in telling if name in used]


def is_always_the_same(ev: Evaluation, call: Call) -> bool:
    """Whether a call is given nothing but constants and names of the module: ``secret("token")``."""
    words = ((word.value, call.keywords.get(word.arg or "**", UNKNOWN)) for word in call.node.keywords)
    given = (*zip(call.node.args, call.positional, strict=False), *words)
    return all(value.kind == CONSTANT or is_fixed(ev, node) for node, value in given)


def is_fixed(ev: Evaluation, node: ast.expr) -> bool:
    """Whether an expression is a constant, or a name that the function does not bind itself."""
    is_free = isinstance(node, ast.Name) and node.id not in ev.scope.local_names
    return is_free or isinstance(node, ast.Constant)
