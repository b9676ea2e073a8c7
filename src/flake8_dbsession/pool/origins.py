"""Where a value comes from that an object keeps or a function of the file returns."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .scopes import Function, Reading, Scope


def sources(reading: Reading, expression: ast.expr, scope: Scope) -> Iterator[tuple[ast.expr, Scope]]:
    """What ``self.url`` is set to, or what ``self.url_of(path)`` and ``make_url()`` return, with where it stands;
    nothing for other expressions, and for what is not in the file."""
    match expression:
        case ast.Attribute(value=ast.Name(id="self"), attr=attribute):
            owner = class_around(scope)
            for method in methods(reading, owner) if owner is not None else ():
                yield from ((value, method) for value in kept_as(method, attribute))
        case ast.Call(func=function):
            called = called_scope(reading, function, scope)
            if called is not None:
                yield from ((value, called) for value in returned(called))


def class_around(scope: Scope) -> Scope | None:
    """The class whose method it is."""
    parents = (each.parent for each in scope.chain())
    return next((parent for parent in parents if parent is not None and isinstance(parent.node, ast.ClassDef)), None)


def methods(reading: Reading, owner: Scope) -> list[Scope]:
    return [scope for scope in reading.scopes if scope.is_function and scope.parent is owner]


def kept_as(method: Scope, attribute: str) -> Iterator[ast.expr]:
    """The values that a method gives to an attribute of its object."""
    for node in ast.walk(method.node):
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value):
                if name == attribute:
                    yield value


def called_scope(reading: Reading, function: ast.expr, scope: Scope) -> Scope | None:
    """The function or method of the file that is called by its plain name, or on its object or class."""
    match function:
        case ast.Name(id=name):
            return reading.functions.get(name)
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
            owner = class_around(scope)
            return reading.functions.get(f"{owner.name}.{name}") if owner is not None else None
        case ast.Attribute(value=ast.Name(id=owner_name), attr=name) if owner_name in reading.classes:
            return reading.functions.get(f"{owner_name}.{name}")
    return None


def returned(function: Scope) -> Iterator[ast.expr]:
    """What a function returns; nothing for a generator's and none of what the functions inside of it return."""
    waiting: list[ast.AST] = list(function.node.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return) and node.value is not None:
            yield node.value
        if not isinstance(node, (Function, ast.ClassDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))
