"""Who rolls a session back that a function leaves failed: a decorator of it, or everybody who calls it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..project.app import MOST_FILES
from ..project.modules.module import Module
from ..project.runs.cleaning import is_cleaned_around, is_released
from ..session.body import Body
from ..session.steps.exceptions import takes, types_of
from ..session.values import FUNCTION, Resource
from ..view import View

Call = tuple[Module, Body, ast.AST]
"""A call of a function or of a session, in which module and function it stands."""


def is_rolled_back_around(view: View, body: Body, resource: Resource) -> bool:
    """Whether the session is rolled back wherever the function fails, as far as the project calls it at all."""
    if is_cleaned_around(view.project, view.module, body, resource):
        return True
    if body.node is None or len(view.project.app.files) > MOST_FILES:
        return False
    calls = list(calls_of(view, body))
    return bool(calls) and all(is_rolled_back(view, each, resource) for each in calls)


def is_closed_after_requests(view: View, resource: Resource) -> bool:
    """Whether a handler of requests closes the session when its answer has been given: ``def on_finish(self)``."""
    for module in view.project.app.modules_with(b"def on_finish"):
        for info in module.classes.values():
            for name in closed_in(info.methods.get("on_finish")):
                values = [info.values.get(name), *(value for value, _ in info.attribute_values.get(name, ()))]
                if any(view.project.evaluate(module, each).resource == resource for each in values if each is not None):
                    return True
    return False


def closed_in(method: ast.AST | None) -> Iterator[str]:
    """The attributes of its object that a method closes: ``self.session.close()``."""
    for part in ast.walk(method) if method is not None else ():
        match part:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(value=ast.Name(id="self"), attr=name), attr=end)):
                if end in ("close", "rollback", "remove"):
                    yield name


def calls_of(view: View, body: Body) -> Iterator[Call]:
    """The calls of a function in this module and in others, of a method also by its name; tests are left out."""
    name = body.name.rpartition(".")[2]
    for module in (view.module, *speaking(view, name)):
        for caller in (module.top, *module.bodies.values()):
            for call in caller.own(ast.Call):
                if called(call) == name and may_mean(view, module, call, body):
                    yield module, caller, call


def speaking(view: View, name: str) -> Iterator[Module]:
    modules = view.project.app.modules_with(f"{name}(".encode())
    others = (module for module in modules if module.path != view.module.path)
    return (module for module in others if not view.project.config.is_test(module.path))


def called(call: ast.Call) -> str:
    """The last name of what is called."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def may_mean(view: View, module: Module, call: ast.Call, body: Body) -> bool:
    """Whether the function is called, or a method that is called like it of something that cannot be seen."""
    function = view.project.evaluate(module, call.func)
    if function.kind == FUNCTION:
        return function.name == body.qualified
    return bool(body.owner) and isinstance(call.func, ast.Attribute)


def is_rolled_back(view: View, place: Call, resource: Resource) -> bool:
    """Whether a call stands in a ``try`` whose handler, or whose ``finally``, gives the session back."""
    module, body, call = place
    around = (block for block in body.own(ast.Try) if any(call in ast.walk(each) for each in block.body))
    return any(
        is_released(view.project, module, statement, resource)
        for block in around
        for statement in (*block.finalbody, *caught(block))
    )


def caught(block: ast.Try) -> list[ast.stmt]:
    """What is done wherever a failure of the database is caught, of whichever kind."""
    handlers = (h for h in block.handlers if h.type is None or takes(types_of(h), "db") == (True, False))
    return next((handler.body for handler in handlers), [])
