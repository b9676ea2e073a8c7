"""Sessions that a function opens once for each key and keeps in a dictionary of the module."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..project.app import MOST_FILES
from ..project.module import Module
from ..session.body import Body
from ..session.events import Happening
from ..session.flow import Flow
from ..view import View

_EMPTY = frozenset({"dict", "OrderedDict", "defaultdict"})
_OF_ONE = frozenset({"get_ident", "get_native_id", "current_thread", "current_task", "getcurrent", "local"})
"""What tells one thread or task from another: a session for each of them is shared by none."""
_BACK = frozenset({"close", "aclose", "remove", "close_all"})


def kept_in_dictionaries(view: View, flow: Flow) -> Iterator[tuple[str, ast.AST]]:
    """What stands for each session that the function keeps in a dictionary, ``SESSIONS[name]``, with what opens it.

    Where it is looked for there first, and nobody closes what the dictionary has.
    """
    opened = openings(flow)
    named = {part.id for part in flow.body.own(ast.Name)} | {part.attr for part in flow.body.own(ast.Attribute)}
    if not opened or flow.body.node is None or named & _OF_ONE:
        return
    for target, value in flow.body.assigned():
        node = next((node for node in opened if stands_for(flow.body, value, node)), None)
        if node is not None and isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            name = target.value.id
            is_kept = name not in flow.body.local_names and is_dictionary(view.module, name)
            if is_kept and is_asked_first(flow.body, name) and not is_closed(view, name):
                yield ast.unparse(target), node


def openings(flow: Flow) -> list[ast.AST]:
    """The calls that open sessions, those of a registry that the function makes too."""
    made = [event.node for event in flow.events(Happening.REGISTRY_MADE)]
    registries = (
        {t.id for t, value in flow.body.assigned() if value in made and isinstance(t, ast.Name)} if made else ()
    )
    asked = (call for call in flow.body.own(ast.Call) if isinstance(call.func, ast.Name) and call.func.id in registries)
    return [*(event.node for event in flow.events(Happening.OPENED)), *asked]


def stands_for(body: Body, value: ast.expr, opened: ast.AST) -> bool:
    """Whether the expression is the call, or a name that is given nothing else."""
    if not isinstance(value, ast.Name):
        return value is opened
    given = [each for target, each in body.assigned() if isinstance(target, ast.Name) and target.id == value.id]
    return bool(given) and all(each is opened for each in given)


def is_dictionary(module: Module, name: str) -> bool:
    binding = module.names.bindings.get(name)
    values = binding.values if binding is not None else ()
    return any(isinstance(v, ast.Dict) or (isinstance(v, ast.Call) and called(v) in _EMPTY) for v in values)


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def is_asked_first(body: Body, name: str) -> bool:
    """Whether the function looks for what the dictionary has: ``if name not in SESSIONS``, ``SESSIONS.get(name)``."""
    tested = (part for compare in body.own(ast.Compare) for part in compare.comparators)
    got = (part.value for part in body.own(ast.Attribute) if part.attr == "get")
    return any(isinstance(each, ast.Name) and each.id == name for each in (*tested, *got))


def is_closed(view: View, name: str) -> bool:
    """Whether a function of the project that speaks of the dictionary closes anything.

    One that is too large to be looked through has such a function.
    """
    if len(view.project.app.files) > MOST_FILES:
        return True
    for module in view.project.app.modules_with(name.encode()):
        for body in (module.top, *module.bodies.values()):
            names = {part.id for part in body.own(ast.Name)} | {part.attr for part in body.own(ast.Attribute)}
            if name in names and names & _BACK:
                return True
    return False
