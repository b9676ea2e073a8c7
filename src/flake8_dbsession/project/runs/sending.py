"""Generators that a streaming response sends: given to it in any module, or gone through by another one that is."""

from __future__ import annotations

import ast

from ...known import Entry
from ...session.body import Body
from ..app import MOST_FILES
from ..modules.module import Module
from ..project import Project
from .entries import Units

_SENDING = (b"StreamingResponse(", b"EventSourceResponse(")
"""How the calls end that send what a generator gives."""
_LOOPS = (ast.For, ast.AsyncFor)


def is_sent_on(units: Units, body: Body) -> bool:
    """Whether what a generator gives is sent as a stream, by whichever module, through generators of its own file."""
    waiting = [body]
    for each in waiting:
        if is_stream(units.entries(each)) or is_stream(sent_elsewhere(units.project, each)):
            return True
        waiting.extend(c for c in units.callers(each) if c not in waiting and goes_through(c, each))
    return False


def is_stream(entries: list[Entry]) -> bool:
    return any(entry.kind == "stream" for entry in entries)


def sent_elsewhere(project: Project, body: Body) -> list[Entry]:
    """What a generator becomes where any module sends it; a project that is too large is not looked through."""
    if body.node is None or "<locals>" in body.name or len(project.app.files) > MOST_FILES:
        return []
    name = body.name.rpartition(".")[2]
    paths = [path for path in project.app.narrowed(_SENDING, name.encode()) if not project.config.is_test(path)]
    modules = filter(None, map(project.modules.at, paths))
    return [entry for each in modules for sent, entry in sent_by(project, each, name) if sent == body.qualified]


def sent_by(project: Project, module: Module, name: str) -> list[tuple[str, Entry]]:
    """The functions that those of a module that call something of the name hand over."""
    calling = (body for body in module.bodies.values() if any(called(call) == name for call in body.own(ast.Call)))
    return [each for body in calling for each in project.once(_registered, module, body)]


def _registered(project: Project, module: Module, body: Body) -> list[tuple[str, Entry]]:
    return project.flow(module, body, {}).scope.registered


def goes_through(caller: Body, body: Body) -> bool:
    """Whether a generator gives something in each turn of a loop over another, or all that the other gives."""
    name = body.name.rpartition(".")[2]
    turns = [loop for loop in caller.own(*_LOOPS) if called(loop.iter) == name]
    gives = any(isinstance(node, ast.Yield) for loop in turns for node in ast.walk(loop))
    return caller.is_generator and (gives or any(called(node.value) == name for node in caller.own(ast.YieldFrom)))


def called(expression: ast.expr) -> str:
    """The last name of what a call calls, "" for anything else."""
    function = expression.func if isinstance(expression, ast.Call) else None
    return getattr(function, "attr", "") or getattr(function, "id", "")
