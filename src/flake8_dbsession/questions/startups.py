"""Sessions that a function opens as the process starts, and keeps for all that the process serves."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..project.modules.module import Module
from ..session.body import Body
from ..session.events import Happening
from ..session.flow import Flow
from ..view import View

_HOOK = "on_startup"
"""The attribute of the class of settings that a worker of arq is started with, beside its ``functions``."""


def kept_at_the_start(view: View, flow: Flow) -> Iterator[tuple[str, ast.AST]]:
    """``ctx["db"] = SessionLocal()``, ``app.state.db = session``: where it is kept, and the call that opens it.

    What is closed before the function ends was only for the start; one that yields goes on until the process ends.
    """
    found = list(kept(flow))
    if found and starts(view, flow.body):
        yield from found


def kept(flow: Flow) -> Iterator[tuple[str, ast.AST]]:
    """The sessions opened here that are put into an object or a dictionary that the function did not make."""
    closed = {event.resource for event in flow.events(Happening.CLOSED)} if not flow.body.is_generator else set()
    opened = [event.node for event in flow.events(Happening.OPENED) if event.resource not in closed]
    by_name = dict(bound_to(flow.body, opened)) if opened else {}
    for target, value in flow.body.assigned() if opened else ():
        made = by_name.get(value.id) if isinstance(value, ast.Name) else next((n for n in opened if n is value), None)
        if made is not None and is_of_others(flow.body, target):
            yield ast.unparse(target), made


def bound_to(body: Body, opened: list[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """The names of sessions: ``session = make()``, ``with make() as session``."""
    items = (item for block in body.own(ast.With, ast.AsyncWith) for item in block.items)
    named = [*body.assigned(), *((item.optional_vars, item.context_expr) for item in items)]
    yield from ((target.id, value) for target, value in named if isinstance(target, ast.Name) and value in opened)


def is_of_others(body: Body, target: ast.expr) -> bool:
    """An item or attribute of what the function was given, or of something outside of it."""
    inner = target
    while isinstance(inner, (ast.Attribute, ast.Subscript)):
        inner = inner.value
    if inner is target or not isinstance(inner, ast.Name) or inner.id in ("self", "cls"):
        return False
    return inner.id in {parameter.arg for parameter in body.parameters} or inner.id not in body.local_names


def starts(view: View, body: Body) -> bool:
    """Whether the function runs once, before the process serves anything."""
    own = any(entry.kind == "startup" for entry in view.units.entries(body))
    return own or any(is_hook(module, body) for module in view.project.app.modules_with(_HOOK.encode()))


def is_hook(module: Module, body: Body) -> bool:
    """``class WorkerSettings: functions = […]; on_startup = startup``, where arq's workers are set up."""
    settings = (info.values for info in module.classes.values() if "functions" in info.values)
    hooks = [values[_HOOK] for values in settings if _HOOK in values]
    uses_arq = any((each.imported or "").partition(".")[0] == "arq" for each in module.names.bindings.values())
    return uses_arq and any(meant(module, hook) == body.qualified for hook in hooks)


def meant(module: Module, hook: ast.expr) -> str:
    """The dotted name of the function that the settings name, here or where it is imported from."""
    if isinstance(hook, ast.Name) and hook.id in module.bodies:
        return module.bodies[hook.id].qualified
    return module.names.resolve(hook) or ""
