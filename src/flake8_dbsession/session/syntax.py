"""Which syntax belongs to a body itself, and which to the functions and classes inside it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

_SCOPES = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda})
_PLAIN = frozenset(
    {"arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "kwd_attrs", "level", "lineno", "module"}
    | {"name", "op", "ops", "rest", "simple", "tag", "type_comment"}
)
"""Fields that hold no nodes, or none worth a look."""
_WITHOUT = (ast.Constant, ast.Global, ast.MatchSingleton, ast.Nonlocal)
_FIELDS = {
    kind: tuple(field for field in kind._fields if field not in _PLAIN and not issubclass(kind, _WITHOUT))
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
"""The fields of each class that hold nodes worth a look: half of all nodes have none."""

MUTATORS = frozenset(
    {"add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "setdefault"}
    | {"sort", "update"}
)
"""What changes a collection, whatever it is."""


def below(nodes: Sequence[ast.AST]) -> list[ast.AST]:
    """The nodes and those below them; nested functions, classes and lambdas appear but are not entered.

    Operators and contexts (``ast.Add``, ``ast.Load``) are left out.
    """
    found: list[ast.AST] = []
    stack: list[ast.AST] = list(reversed(nodes))
    while stack:
        node = stack.pop()
        found.append(node)
        for field in _INNER[type(node)]:
            child = getattr(node, field, None)
            if type(child) is list:
                stack += child if None not in child else filter(None, child)  # ``**rest`` has no key
            elif child is not None:
                stack.append(child)
    return found


_INNER = {kind: ("decorator_list",) if kind in _SCOPES else fields for kind, fields in _FIELDS.items()}


def children(node: ast.AST, enters_scopes: bool = True) -> list[ast.AST]:
    """The nodes right below a node; of a function, class or lambda the decorators alone, unless it is entered."""
    found: list[ast.AST] = []
    for field in (_FIELDS if enters_scopes else _INNER)[type(node)]:
        child = getattr(node, field, None)
        if type(child) is list:
            found += child if None not in child else filter(None, child)
        elif child is not None:
            found.append(child)
    return found


def names_below(node: ast.AST) -> set[str]:
    """The names that a node and all below it mention, functions and classes inside it included."""
    found: set[str] = set()
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            found.add(node.id)
        else:
            stack += children(node)
    return found
