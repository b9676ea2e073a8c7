"""Who of the other modules of a project goes on with a session whose failure a function of this one swallows."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator

from ..model import Note
from ..project.app import MOST_FILES
from ..project.functions.wrapping import runs
from ..project.modules.module import Module
from ..session.body import Body
from ..session.events import Happening, Swallowed
from ..session.flow import Flow
from ..session.functions.hearing import goes_on_anyway
from ..session.outside import is_mute
from ..session.values import FUNCTION, Value
from ..view import View

Caller = tuple[Module, Body, dict[str, Value]]
"""A function that calls another one, with what the functions around it bind."""


def goes_on_elsewhere(view: View, flow: Flow, handler: ast.AST) -> Note | None:
    """A use of the session in a function that calls this one, after ``handler`` has swallowed the failure.

    A project that is too large to look through has none.
    """
    if len(view.project.app.files) > MOST_FILES:
        return None
    name = flow.body.name.rpartition(".")[2]
    for module, body, around in (*wrappers(view, flow.body), *callers(view, name, not is_mute(flow.body))):
        with contextlib.suppress(RecursionError):
            for event in view.project.flow(module, body, {}, around).events(Happening.FAILED_USED):
                if isinstance(event.detail, Swallowed) and event.detail.handler is handler:
                    said = f"{body.name}() goes on with it, and gets PendingRollbackError"
                    return Note(said, module.source.span(event.node), module.path)
    return None


def wrappers(view: View, body: Body) -> Iterator[Caller]:
    """The functions that decorators of the project put in the place of this one, which they call."""
    for name in sorted(view.project.decorators(view.module, body)):
        value = view.project.value(name)
        target = view.project.target(value) if value.kind == FUNCTION else None
        if target is None:
            continue
        for wrapper, call in runs(target.module, target.body):
            yield target.module, wrapper, {ast.unparse(call.func): Value(FUNCTION, body.qualified, extra=(None, None))}


def callers(view: View, name: str, answers: bool) -> Iterator[Caller]:
    """The functions of other modules that call something of that name with arguments, and go on whatever it
    ``answers``; tests are left out."""
    for module in view.project.app.modules_with(f"{name}(".encode()):
        if module is view.module or view.project.config.is_test(module.path):
            continue
        for body in module.bodies.values():
            if any(
                is_call_of(call, name) and (not answers or goes_on_anyway(body, call)) for call in body.own(ast.Call)
            ):
                yield module, body, {}


def is_call_of(call: ast.Call, name: str) -> bool:
    """``name(x)`` or ``anything.name(x)``."""
    called = call.func
    written = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return written == name and bool(call.args or call.keywords)
