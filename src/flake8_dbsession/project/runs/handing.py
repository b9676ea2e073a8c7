"""Functions that modules of the project hand to a thread, an executor, a scheduler or a consumer."""

from __future__ import annotations

import ast

from ...known import Entry
from ...session.body import Body
from ..app import MOST_FILES
from ..modules.module import Module
from ..project import Project

_HANDING = (
    *(b"Thread(", b"Timer(", b"Process(", b"submit(", b".map(", b"run_in_executor(", b"to_thread(", b"spawn("),
    *(b"add_job(", b"schedule_job(", b".do(", b"basic_consume(", b"callback(", b"start_background_task("),
)
"""How the calls end that hand a function over."""


def entries_by_handing(project: Project, body: Body) -> list[Entry]:
    """What the function becomes where any module hands it over; a project that is too large is not looked through."""
    if body.node is None or "<locals>" in body.name or len(project.app.files) > MOST_FILES:
        return []
    name = body.name.rpartition(".")[2]
    found = []
    for path in project.app.narrowed(_HANDING, name.encode()):
        if not project.config.is_test(path):
            module = project.modules.at(path)
            if module is not None:
                found += [entry for function, entry in handed_over(project, module, name) if function == body.qualified]
    return found


def handed_over(project: Project, module: Module, name: str) -> list[tuple[str, Entry]]:
    """The functions that the bodies of a module that speak of ``name`` hand over, with what they become there."""
    found: list[tuple[str, Entry]] = []
    for body in (module.top, *module.bodies.values()):
        if mentions(body, name):
            found += project.once(_registered, module, body)
    return found


def _registered(project: Project, module: Module, body: Body) -> list[tuple[str, Entry]]:
    """The functions that a body hands over."""
    return project.flow(module, body, {}).scope.registered


def mentions(body: Body, name: str) -> bool:
    """Whether the function speaks of something called ``name`` beside calling it."""
    called = {id(call.func) for call in body.own(ast.Call)}
    plain = any(node.id == name and id(node) not in called for node in body.own(ast.Name))
    return plain or any(node.attr == name and id(node) not in called for node in body.own(ast.Attribute))
