"""Interactive shells of the project's own: one person waits, in a process that serves nobody else."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..project.modules.module import ClassInfo
from ..project.names.annotations import annotated
from ..session.body import Body
from ..session.values import OBJECT
from ..view import View


def serves_one_person(view: View, body: Body) -> bool:
    """Whether a function is a method of a shell, is inside of one, or is given the shell by what it says it takes."""
    return any(is_shell(view, name) for name in owners(view, body.outermost))


def owners(view: View, body: Body) -> Iterator[str]:
    """The dotted names of the classes that a function belongs to, or is given objects of."""
    if body.owner:
        yield f"{body.module}.{body.owner}".lstrip(".")
    for parameter in body.parameters:
        if parameter.annotation is not None:
            value = annotated(view.project, view.names, parameter.annotation, parameter.arg)
            if value.kind == OBJECT:
                yield value.name


def is_shell(view: View, name: str) -> bool:
    """Whether objects of the class ask somebody for one command after another, and carry each out."""
    info = view.project.class_info(name)
    lineage = view.project.lineage(info) if info is not None else ()
    classes = (each for each in lineage if isinstance(each, ClassInfo))
    methods = (each.module.bodies.get(f"{each.name}.{method}") for each in classes for method in each.methods)
    return any(asks_for_commands(body) for body in methods if body is not None)


def asks_for_commands(method: Body) -> bool:
    """``while True: command = input("> "); self.carry_out(command)``."""
    return any(carries_out(loop) for loop in method.own(ast.While) if is_endless(loop))


def is_endless(loop: ast.While) -> bool:
    return isinstance(loop.test, ast.Constant) and bool(loop.test.value)


def carries_out(loop: ast.While) -> bool:
    """Whether what was typed is given to a method of the object."""
    parts = [part for statement in loop.body for part in ast.walk(statement)]
    asked = {name for part in parts for name in typed(part)}
    return any(asked & given_to_itself(part) for part in parts)


def typed(part: ast.AST) -> set[str]:
    """``command`` of ``command = input("> ")``."""
    match part:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="input"))):
            return {name}
    return set()


def given_to_itself(part: ast.AST) -> set[str]:
    """The names that ``self.carry_out(command)`` is given."""
    match part:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="self"))):
            return {given.id for given in part.args if isinstance(given, ast.Name)}
    return set()
