"""Locks that nobody holds for longer than it takes to set a few names."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..session.events import Event
from ..view import View

_PLAIN = frozenset({"threading.Lock", "threading.RLock"})
_QUICK = frozenset(
    {"add", "append", "clear", "copy", "discard", "extend", "get", "insert", "isoformat", "items", "keys", "pop"}
    | {"popitem", "popleft", "remove", "reverse", "setdefault", "sort", "update", "values"}
)
"""Methods of lists, dictionaries and sets."""
_BUILTINS = frozenset({"bool", "dict", "float", "frozenset", "int", "list", "max", "min", "set", "str", "sum", "tuple"})


def is_short_lock(view: View, event: Event) -> bool:
    """Whether the wait is for a lock of the file, all of whose blocks only work on values in memory."""
    if event.detail.name not in _PLAIN or not isinstance(event.node, (ast.Name, ast.Attribute)):
        return False
    text = ast.unparse(event.node)
    taken = any(
        isinstance(n, ast.Attribute) and n.attr == "acquire" and ast.unparse(n.value) == text for n in nodes(view)
    )
    return not taken and all(is_quick(view, block) for block in blocks(view, text))


def nodes(view: View) -> Iterator[ast.AST]:
    for body in (view.module.top, *view.module.bodies.values()):
        yield from body.own_nodes


def blocks(view: View, lock: str) -> Iterator[ast.With]:
    """The ``with`` blocks of the file that hold a lock, by how it is written."""
    for node in nodes(view):
        if isinstance(node, ast.With) and any(ast.unparse(item.context_expr) == lock for item in node.items):
            yield node


def is_quick(view: View, block: ast.With) -> bool:
    """Whether nothing in the block can take its time."""
    parts = [part for statement in block.body for part in ast.walk(statement)]
    slow = (ast.Await, ast.Yield, ast.YieldFrom, ast.With, ast.While)
    calls = (part.func for part in parts if isinstance(part, ast.Call))
    return not any(isinstance(part, slow) for part in parts) and all(is_quick_call(view, call) for call in calls)


def is_quick_call(view: View, function: ast.expr) -> bool:
    name = view.names.resolve(function) or ""
    if view.project.known.never_raises(name) or name.removeprefix("builtins.") in _BUILTINS:
        return True
    return isinstance(function, ast.Attribute) and function.attr in _QUICK
