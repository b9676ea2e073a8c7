"""What a function or class mentions: the names and attributes in it, before anybody knows what they stand for."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from ..names import imports_of
from ..session.body import Body
from ..session.syntax import children, fields_of
from .modules.module import Module

Chain = tuple[str, ...]


class Words(NamedTuple):
    """What a piece of code mentions: ``chains`` are ``("db", "session", "query")`` for ``db.session.query``."""

    chains: frozenset[Chain]
    attributes: frozenset[str]
    imports: dict[str, str]


def words_of(body: Body, module: Module) -> Words:
    """What a function mentions, nested functions, defaults and decorators included; a module without its functions."""
    if body.node is None:
        return words_in(body.statements, module, enters_scopes=False)
    return words_in([body.node], module)


def words_in(nodes: Sequence[ast.AST], module: Module, enters_scopes: bool = True) -> Words:
    """What the nodes and those below them mention; of functions and classes inside the decorators alone, if not."""
    chains: set[Chain] = set()
    attributes: set[str] = set()
    imports: dict[str, str] = {}
    stack: list[ast.AST] = list(nodes)
    fields = fields_of(enters_scopes)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            chains.add((node.id,))
        elif isinstance(node, ast.Attribute):
            parts, inner = unchained(node)
            attributes.update(parts)
            if isinstance(inner, ast.Name):
                chains.add((inner.id, *parts))
            else:
                stack.append(inner)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            imports.update(imports_of(node, module.name, module.is_package))
        elif fields[type(node)]:
            stack.extend(children(node, enters_scopes))
    return Words(frozenset(chains), frozenset(attributes), imports)


def unchained(node: ast.Attribute) -> tuple[list[str], ast.expr]:
    """The attributes of a chain in their order, and what stands before them."""
    parts = [node.attr]
    inner = node.value
    while isinstance(inner, ast.Attribute):
        parts.append(inner.attr)
        inner = inner.value
    parts.reverse()
    return parts, inner
