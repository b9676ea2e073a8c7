"""Sessions that a function opens once for each key and keeps in a dictionary of the module."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..names import dotted
from ..project.app import MOST_FILES
from ..project.modules.module import Module
from ..session.body import Body
from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import OBJECT
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
        if not isinstance(target, ast.Subscript):
            continue
        kept_in = target.value
        node = next((node for node in opened if stands_for(flow.body, value, node, kept_in)), None)
        if node is None or not is_kept(view, flow.body, kept_in) or not is_asked_first(flow.body, kept_in):
            continue
        if not is_closed(view, kept_in):
            yield ast.unparse(target), node


def openings(flow: Flow) -> list[ast.AST]:
    """The calls that open sessions, those of a registry that the function makes too."""
    made = [event.node for event in flow.events(Happening.REGISTRY_MADE)]
    registries = (
        {t.id for t, value in flow.body.assigned() if value in made and isinstance(t, ast.Name)} if made else ()
    )
    asked = (call for call in flow.body.own(ast.Call) if isinstance(call.func, ast.Name) and call.func.id in registries)
    return [*(event.node for event in flow.events(Happening.OPENED)), *asked]


def stands_for(body: Body, value: ast.expr, opened: ast.AST, kept_in: ast.expr) -> bool:
    """Whether the expression is the call, or a name that is given nothing else, but what was ``kept_in`` before."""
    if not isinstance(value, ast.Name):
        return value is opened
    given = [each for target, each in body.assigned() if isinstance(target, ast.Name) and target.id == value.id]
    new = [each for each in given if not is_taken_out(each, kept_in)]
    return bool(new) and all(each is opened for each in new)


def is_taken_out(value: ast.expr, kept_in: ast.expr) -> bool:
    """``SESSIONS.get(name)``, ``SESSIONS[name]``."""
    match value:
        case ast.Call(func=ast.Attribute(value=owner, attr="get")) | ast.Subscript(value=owner):
            return same(owner, kept_in)
    return False


def same(one: ast.expr, other: ast.expr) -> bool:
    return dotted(one) is not None and dotted(one) == dotted(other)


def is_kept(view: View, body: Body, container: ast.expr) -> bool:
    """Whether it is a dictionary of the module, or of an object that the module, or one that it imports, keeps."""
    match container:
        case ast.Name(id=name):
            return name not in body.local_names and is_dictionary(view.module, name)
        case ast.Attribute(value=ast.Name(id=keeper) as owner, attr=attribute) if keeper not in body.local_names:
            kept = view.project.evaluate(view.module, owner)
            info = view.project.lineages.info(kept.name) if kept.kind == OBJECT else None
            return info is not None and any(is_empty(value) for value, _ in info.attribute_values.get(attribute, ()))
    return False


def is_dictionary(module: Module, name: str) -> bool:
    binding = module.names.bindings.get(name)
    return binding is not None and any(map(is_empty, binding.values))


def is_empty(value: ast.expr) -> bool:
    return isinstance(value, ast.Dict) or (isinstance(value, ast.Call) and called(value) in _EMPTY)


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def is_asked_first(body: Body, container: ast.expr) -> bool:
    """Whether the function looks for what the dictionary has: ``if name not in SESSIONS``, ``SESSIONS.get(name)``."""
    tested = (part for compare in body.own(ast.Compare) for part in compare.comparators)
    got = (part.value for part in body.own(ast.Attribute) if part.attr == "get")
    return any(same(each, container) for each in (*tested, *got))


def is_closed(view: View, container: ast.expr) -> bool:
    """Whether a function of the project that speaks of the dictionary closes anything.

    One that is too large to be looked through has such a function.
    """
    if len(view.project.app.files) > MOST_FILES:
        return True
    name = container.attr if isinstance(container, ast.Attribute) else ast.unparse(container)
    for module in view.project.app.modules_with(name.encode()):
        for body in (module.top, *module.bodies.values()):
            attributes = {part.attr for part in body.own(ast.Attribute)}
            names = {part.id for part in body.own(ast.Name)} if isinstance(container, ast.Name) else set()
            if name in names | attributes and (names | attributes) & _BACK:
                return True
    return False
