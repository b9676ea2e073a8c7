"""Which syntax belongs to a body itself, and which to the functions and classes inside it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

_SCOPES = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda})
_PLAIN = frozenset(
    {"arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "level", "module", "name", "op", "ops"}
    | {"simple", "type_comment"}
)
_FIELDS = {
    kind: tuple(field for field in kind._fields if field not in _PLAIN)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
_FIELDS[ast.Constant] = ()
"""The fields of each class that may hold nodes worth a look: half of all nodes have none."""

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
                stack += [part for part in child if isinstance(part, ast.AST)]
            elif isinstance(child, ast.AST):
                stack.append(child)
    return found


def names_and_scopes(nodes: Sequence[ast.AST]) -> list[ast.AST]:
    """Of :func:`below` the names, and the functions, classes and lambdas."""
    found: list[ast.AST] = []
    stack: list[ast.AST] = list(nodes)
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is ast.Name or kind in _SCOPES:
            found.append(node)
        for field in _INNER[kind]:
            child = getattr(node, field, None)
            if type(child) is list:
                stack += [part for part in child if isinstance(part, ast.AST)]
            elif isinstance(child, ast.AST):
                stack.append(child)
    return found


_INNER = {kind: ("decorator_list",) if kind in _SCOPES else fields for kind, fields in _FIELDS.items()}


def fields_of(enters_scopes: bool = True) -> dict[type[ast.AST], tuple[str, ...]]:
    """The fields of each class of nodes in which :func:`children` looks."""
    return _FIELDS if enters_scopes else _INNER


def children(node: ast.AST, enters_scopes: bool = True) -> list[ast.AST]:
    """The nodes right below a node; of a function, class or lambda the decorators alone, unless it is entered."""
    found: list[ast.AST] = []
    for field in fields_of(enters_scopes)[type(node)]:
        child = getattr(node, field, None)
        if type(child) is list:
            found += [part for part in child if isinstance(part, ast.AST)]
        elif isinstance(child, ast.AST):
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
        elif _FIELDS[type(node)]:
            stack += children(node)
    return found


def first_of(node: ast.AST) -> str:
    """The name that a chain of attributes and items begins with: ``bed`` of ``bed.plants["new"].name``; "" for none."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
