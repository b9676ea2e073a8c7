"""Classes whose ``__new__`` gives one object to all: each call runs ``__init__`` on it once more."""

from __future__ import annotations

import ast

from ..project.app import MOST_FILES
from ..project.modules.module import ClassInfo
from ..session.flow import Flow
from ..session.values import CLASS
from ..view import View


def begins_anew(view: View, flow: Flow) -> bool:
    """Whether the function is the constructor of an object that is kept for all, and functions call the class."""
    info = view.module.classes.get(flow.body.owner)
    if info is None or not flow.body.name.endswith(".__init__") or not keeps_object(info):
        return False
    return len(view.project.app.files) <= MOST_FILES and is_called_by_functions(view, info)


def keeps_object(info: ClassInfo) -> bool:
    """``if cls._object is None: cls._object = super().__new__(cls)`` and no metaclass that has another ``__call__``."""
    new = info.methods.get("__new__")
    if new is None or info.node.keywords:
        return False
    owners = {info.name, *(argument.arg for argument in new.args.args[:1])}
    checks = [part for statement in new.body if isinstance(statement, ast.If) for part in ast.walk(statement)]
    stores = [part for part in checks if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)]
    return any(isinstance(store.value, ast.Name) and store.value.id in owners for store in stores)


def is_called_by_functions(view: View, info: ClassInfo) -> bool:
    """Whether functions of the application make "an object" of the class, which then happens again and again."""
    app = view.project.app
    modules = (module for module in app.modules_with(f"{info.name}(".encode()) if app.is_part(module.path))
    calls = (
        (module, call.func)
        for module in modules
        for body in module.bodies.values()
        if body.owner != info.name
        for call in body.own(ast.Call)
        if called(call) == info.name
    )
    made = (view.project.evaluate(module, function) for module, function in calls)
    return any(value.kind == CLASS and value.name == info.qualified for value in made)


def called(call: ast.Call) -> str:
    """The last part of the name of what is called."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
