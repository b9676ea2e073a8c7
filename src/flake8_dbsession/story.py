"""How reports speak: the names of sessions, durations, and the notes that tell the path."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .model import Note, Span
from .session.expressions.call import place
from .session.flow import Flow
from .session.summary import Steps, Wait
from .session.values import AMBIENT, OBJECT, OPENED, REGISTRY, SESSION, Resource, contained

if TYPE_CHECKING:
    from .view import View

_WHAT = {
    "Connection": "connection",
    "AsyncConnection": "connection",
    "PoolProxiedConnection": "connection",
}

_TOLD = 4
"""So many of the functions on a way are told at most: of five notes one says where the connection was taken."""


def what(resource: Resource) -> str:
    """ "connection" or "session"."""
    return _WHAT.get(resource.type, "session")


def registry_name(registry: Resource) -> str:
    """``db.session``, ``Session``: a registry at module level by the end of its dotted name; one that a function makes
    has none, unless that remembers it: ``registry()``."""
    if ":" in registry.key:
        return "session"
    parts = registry.key.split(".")
    return ".".join(parts[-2:]) if parts[-1] == "session" and len(parts) > 1 else parts[-1]


def name_of(flow: Flow, resource: Resource) -> str:
    """The name a session goes by in a function; "" for one that has none."""
    if resource.origin == AMBIENT and ":" not in resource.key:
        return registry_name(resource)
    if resource.origin not in (OPENED, AMBIENT):
        return resource.key.removeprefix(".") if resource.is_of_an_object else resource.key.rpartition(".")[2]
    for states in flow.solution.before:
        for state in states:
            for name, value in state.names.items():
                if value.kind in (SESSION, REGISTRY) and value.resource == resource and not name.startswith("<"):
                    return name
    return ""


def name_or_object(flow: Flow, resource: Resource) -> str:
    """As :func:`name_of`; for a session without a name that of an object it is in."""
    names = (item for states in flow.solution.before for state in states for item in state.names.items())
    objects = (name for name, value in names if value.kind == OBJECT and resource in contained(value))
    return name_of(flow, resource) or next((name for name in objects if not name.startswith("<")), "")


def holder(flow: Flow, resource: Resource) -> str:
    """ "session 'name'", "a connection"."""
    name = name_of(flow, resource)
    if name:
        return f"{what(resource)} {name!r}"
    generator = generator_with(flow, resource)
    return f"generator {generator!r}" if generator else f"a {what(resource)}"


def generator_with(flow: Flow, resource: Resource) -> str:
    """The call of the generator that has the session to itself while a loop takes its items; "" for none."""
    loops = (loop.iter for loop in flow.body.own(ast.For, ast.AsyncFor) if place(loop.iter) == resource.key)
    made = next((each for each in loops if isinstance(each, ast.Call)), None)
    return f"{ast.unparse(made.func)}()" if made is not None and resource.origin == OPENED else ""


def holding(flow: Flow, resource: Resource) -> str:
    """ "session 'name' holds a connection", "connection 'name' is checked out"."""
    subject = holder(flow, resource)
    is_itself = resource.is_connection and not subject.startswith("generator")
    return f"{subject} {'is checked out' if is_itself else 'holds a connection'}"


def seconds(wait: Wait) -> str:
    """ " for 3 s" for a sleep, " for up to 30 s" for a time-out, " without end"; nothing where it is not a literal."""
    if wait.seconds == math.inf:
        return " without end"
    if not wait.seconds:
        return ""
    return f" for {'' if wait.kind == 'sleep' else 'up to '}{wait.seconds:g} s"


def taken(view: View, node: ast.AST | None) -> Iterator[Note]:
    """The note that says where the connection was taken."""
    if node is None:
        return
    if isinstance(node, ast.Attribute):
        yield view.note(f"{view.text(node)!r} reads an expired row and takes a connection again", node)
    else:
        yield view.note(f"{view.text(node)!r} takes a connection from the pool", node)


def read_inside(wait: Wait) -> Iterator[Note]:
    """The note that says which function reads an expired row that it was given, before it waits."""
    name, path, line = wait.read
    yield Note(f"{called(name)} reads an expired row here and takes a connection again", Span(line, 0, line, 0), path)


def chain(wait: Wait, node: ast.AST) -> Iterator[Note]:
    """One note for each project function between the caller and the wait."""
    return way(wait.chain, f"waits here: {wait.name}", "which waits")


def way(steps: Steps, end: str, which: str) -> Iterator[Note]:
    """One note for each project function on a way, outermost first, of a long one for the first and the last ones;
    ``end`` says what the innermost one does."""
    names = [called(name) for name, _, _ in steps]
    doings = [*(f"calls {inner} here, {which}" for inner in names[1:]), end]
    notes = [
        Note(f"{name} {does}", Span(line, 0, line, 0), path)
        for (_, path, line), name, does in zip(steps, names, doings, strict=False)
    ]
    yield from notes if len(notes) <= _TOLD else (*notes[: _TOLD // 2], *notes[-_TOLD // 2 :])


def called(name: str) -> str:
    """``upload()`` for a function of that dotted name, ``Client()`` for a constructor."""
    owner, _, last = name.rpartition(".")
    return f"{owner.rpartition('.')[2] if last == '__init__' else last}()".replace("<lambda>()", "a lambda")


def through(wait: Wait) -> str:
    """``upload() → requests.post``: what waits, with the functions on the way, of many the first and the last."""
    names = [called(name) for name, _, _ in wait.chain]
    if len(names) > _TOLD:
        names = [*names[: _TOLD // 2], "…", *names[-_TOLD // 2 :]]
    return " → ".join([*names, wait.name])
