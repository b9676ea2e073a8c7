"""A block inside of a block of the same object, which both have the one session of that object."""

from __future__ import annotations

import ast

from ..project.modules.module import Module
from ..session.body import Body
from ..session.events import Event, Second
from ..session.expressions.call import place
from ..session.flow import Flow
from ..session.steps.reentering import shared_by
from ..session.values import OBJECT, Resource, Value
from ..view import View


def is_of_the_same_object(view: View, flow: Flow, event: Event) -> bool:
    """Whether a second connection would be that of a session which its object has opened for the first block.

    ``with self.reading() as session: self.titles()``, where ``titles`` has such a block, too, and ``reading`` gives the
    session that is there.
    """
    second: Second = event.detail
    name = entered_for(flow.body, event.resource)
    if not name or not gives_what_is_there(view, f"{view.module.name}.{flow.body.owner}", name):
        return False
    call, body = event.node, flow.body
    for function, path, line in second.way:
        if not is_of_self(body, call):
            return False
        module = view.project.modules.at(path)
        inside = body_of(module, function) if module is not None else None
        if inside is None:
            return False
        body = inside
        call = next((each for each in body.own(ast.Call) if each.lineno == line and is_of_self(body, each)), call)
    return entered_for(body, second.resource) == name


def entered_for(body: Body, session: Resource | None) -> str:
    """The method of its own object whose block gives a function the session: ``with self.reading() as session:``."""
    key = session.key if session is not None else ""
    for call in body.own(ast.Call):
        match call.func:
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner == body.me and place(call) == key:
                return name
    return ""


def gives_what_is_there(view: View, owner: str, name: str) -> bool:
    """Whether a method of the class is a generator that gives the session of its object, and opens it where it has
    none."""
    target = view.project.target(view.project.attribute(Value(OBJECT, owner), name))
    return target is not None and bool(shared_by(target.body))


def is_of_self(body: Body, call: ast.AST) -> bool:
    """``self.titles()``, in a method."""
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner))):
            return owner == body.me
    return False


def body_of(module: Module, qualified: str) -> Body | None:
    """The function of a module by its dotted name."""
    return next((body for body in module.bodies.values() if body.qualified == qualified), None)
