"""Interactive shells of the project's own: one person waits, in a process that serves nobody else."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..project.modules.module import ClassInfo
from ..project.names.annotations import annotated
from ..session.body import Body
from ..session.values import OBJECT
from ..view import View

_DEPTH = 3
"""How many functions may stand between the menu and what it is for."""


def serves_one_person(view: View, body: Body) -> bool:
    """Whether a function is a method of a shell, is inside of one, or is given the shell by what it says it takes; or a
    script runs it from its menu."""
    return any(is_shell(view, name) for name in owners(view, body.outermost)) or is_of_a_menu(view, body.outermost)


def is_of_a_menu(view: View, body: Body, depth: int = _DEPTH) -> bool:
    """Whether a script that others do not import runs the function, or what calls it, for what somebody has typed:
    ``while True: choice = input("> "); if choice == "1": work()``."""
    if not depth or not view.module.main or body.owner or view.units.is_imported(body.name):
        return False
    callers = view.units.callers(body)
    return bool(callers) and all(is_menu(each, body) or is_of_a_menu(view, each, depth - 1) for each in callers)


def is_menu(caller: Body, body: Body) -> bool:
    """Whether the caller asks for one choice after another, and calls the function only for what was chosen."""
    chosen = {part for loop in caller.own(ast.While) if is_endless(loop) for part in chosen_in(loop)}
    calls = [call for call in caller.own(ast.Call) if isinstance(call.func, ast.Name) and call.func.id == body.name]
    return bool(calls) and all(call in chosen for call in calls)


def chosen_in(loop: ast.While) -> Iterator[ast.AST]:
    """All that is done where ``choice``, which the loop asks for in each turn, says so: ``if choice == "1": …``."""
    parts = list(ast.walk(loop))
    told = [part for part in parts if isinstance(part, ast.Assign) and any(map(asks, ast.walk(part.value)))]
    names = {target.id for each in told for target in each.targets if isinstance(target, ast.Name)}
    for choice in (part for part in parts if isinstance(part, ast.If)):
        if any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(choice.test)):
            yield from ast.walk(choice)


def asks(part: ast.AST) -> bool:
    """``input("> ")``."""
    return isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "input"


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
