"""Whether a session is opened only where a caller gives none, which nobody in the project does."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..names import is_none
from ..project.modules.module import Module
from ..project.project import Project
from ..session.body import Body
from ..session.flow import Flow
from ..session.syntax import names_below
from ..view import View
from .chosen import given_for

_DEPTH = 2
"""How many functions may hand on what they were given."""
_MOST_FILES = 40
"""What more files speak of is not looked for in them."""


def is_always_given(view: View, flow: Flow, opened: ast.AST) -> bool:
    """``session or Session()``, ``if session is None: session = Session()``, ``Store(session)`` with a parameter that
    may be left out, and that everybody who calls the function gives a session for."""
    optional = frozenset(name for name, default in flow.body.defaults.items() if is_none(default))
    names = {name for name in optional if stands_in(flow.body, name, opened)} if optional else set()
    return any(is_given_by_all(view.project, view.module, flow.body, name, _DEPTH) for name in sorted(names))


def stands_in(body: Body, name: str, opened: ast.AST) -> bool:
    """Whether what is opened stands in for the parameter, or is told it."""
    if isinstance(opened, ast.Call) and any(
        isinstance(told, ast.Name) and told.id == name for told in (*opened.args, *(k.value for k in opened.keywords))
    ):
        return True
    for node in body.own(ast.BoolOp, ast.IfExp, ast.If):
        match node:
            case ast.BoolOp(op=ast.Or(), values=[ast.Name(id=asked), *others]) if asked == name:
                places: list[ast.AST] = list(others)
            case ast.IfExp(test=test, body=there, orelse=missing) if name in names_below(test):
                places = [there, missing]
            case ast.If(test=test, body=statements) if is_missing(test, name):
                places = list(statements)
            case _:
                continue
        if any(part is opened for place in places for part in ast.walk(place)):
            return True
    return False


def is_missing(test: ast.expr, name: str) -> bool:
    """``session is None``, ``not session``."""
    match test:
        case ast.Compare(left=ast.Name(id=asked), ops=[ast.Is() | ast.Eq()], comparators=[other]):
            return asked == name and is_none(other)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=asked)):
            return asked == name
    return False


def is_given_by_all(project: Project, module: Module, body: Body, name: str, depth: int) -> bool:
    """Whether there are calls of the function and all say something for the parameter; calls go by their name."""
    last = body.name.rpartition(".")[2]
    last = body.owner.rpartition(".")[2] if last == "__init__" else last
    files = list(project.app.files_with(last.encode() + b"("))
    if not last or not depth or len(files) > _MOST_FILES:
        return False
    found = [(where, caller, call) for where, caller, call in calls(project, files, last)]
    return bool(found) and all(gives(project, *each, body, name, depth) for each in found)


def calls(project: Project, files: list[str], last: str) -> Iterator[tuple[Module, Body, ast.Call]]:
    """The calls of whatever has that name, outside of tests."""
    modules = (project.modules.at(path) for path in files if not project.config.is_test(path))
    for module in filter(None, modules):
        for caller in (module.top, *module.bodies.values()):
            for call in caller.own(ast.Call):
                called = call.func
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                if name == last:
                    yield module, caller, call


def gives(project: Project, module: Module, caller: Body, call: ast.Call, body: Body, name: str, depth: int) -> bool:
    """Whether a call says something other than None, or hands on what the caller itself was surely given."""
    told = next(given_for(body, call, frozenset({name})), None)
    if told is None or is_none(told):
        return False
    if isinstance(told, ast.Name) and is_none(caller.defaults.get(told.id)):
        return is_given_by_all(project, module, caller, told.id, depth - 1)
    return True
