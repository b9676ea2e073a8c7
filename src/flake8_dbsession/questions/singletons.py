"""Classes that give one object to all: by a method that keeps it, or by ``__new__``, where each call runs ``__init__``
once more."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..names import Function, last_part
from ..project.app import MOST_FILES
from ..project.modules.module import ClassInfo, Module
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


def is_the_one(view: View, info: ClassInfo) -> bool:
    """Whether ``__new__`` keeps one object for all, and functions ask for it."""
    return keeps_object(info) and (is_called_by_functions(view, info) or is_kept_by_its_class(view, info))


def is_called_by_functions(view: View, info: ClassInfo) -> bool:
    """Whether functions of the application make "an object" of the class, which then happens again and again."""
    calls = calls_beside(view, info, f"{info.name}(")
    return any(is_class(view, module, call.func, info) for module, call in calls if last_part(call.func) == info.name)


def is_kept_by_its_class(view: View, info: ClassInfo) -> bool:
    """Whether a method of the class keeps an object, ``cls._object = cls()``, for which functions ask the class."""
    keeping = {method.name for value, method in kept_by(info) if is_own_object(info, value, method)}
    if not keeping:
        return False
    asked = keeping - {"__init__"} or {name for name, method in info.methods.items() if is_of_class(method)}
    calls = ((m, c.func) for m, c in calls_beside(view, info, f"{info.name}.") if isinstance(c.func, ast.Attribute))
    return any(f.attr in asked and is_class(view, module, f.value, info) for module, f in calls)


def kept_by(info: ClassInfo) -> Iterator[tuple[ast.expr, Function]]:
    """What the methods of a class set attributes to, each with the method."""
    for pairs in info.attribute_values.values():
        yield from pairs


def is_own_object(info: ClassInfo, value: ast.expr, method: Function) -> bool:
    """``cls()`` or ``Store()`` in a method of the class, and ``self`` in its constructor."""
    first = [argument.arg for argument in method.args.args[:1]]
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id in {info.name, *(first if is_of_class(method) else ())}
    return method.name == "__init__" and isinstance(value, ast.Name) and value.id in first


def is_of_class(method: Function) -> bool:
    return any(isinstance(d, ast.Name) and d.id in ("classmethod", "staticmethod") for d in method.decorator_list)


def calls_beside(view: View, info: ClassInfo, text: str) -> Iterator[tuple[Module, ast.Call]]:
    """The calls in functions of the application, but for the methods of the class, in files that hold a text."""
    app = view.project.app
    for module in app.modules_with(text.encode()):
        bodies = (body for body in module.bodies.values() if body.owner != info.name)
        yield from ((module, call) for body in bodies if app.is_part(module.path) for call in body.own(ast.Call))


def is_class(view: View, module: Module, expression: ast.expr, info: ClassInfo) -> bool:
    value = view.project.evaluate(module, expression)
    return value.kind == CLASS and value.name == info.qualified
