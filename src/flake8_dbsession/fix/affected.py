"""Which functions of a file a change of others may matter to: those that mention them, and those that mention these."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from .changed import Function, Unit, units


def affected(tree: ast.Module, functions: frozenset[str], through: frozenset[str]) -> frozenset[str]:
    """The functions that stand in no other whose reports may depend on ``functions``, themselves included.

    "" is the module outside of its functions. ``through`` are names that lead to modules from which there is a way
    back. A word is enough: whether it means the function is not asked. What calls a special method does not mention
    it, so that all methods of its class count, and all that mention the class or one that extends it. What a method
    keeps on its object is judged by the other methods, so that it counts too.
    """
    words = {unit.name: words_below([unit.node]) for unit in units(tree)} | {"": words_outside(tree)}
    found: set[str] = set()
    sought = set(through)
    waiting = [*functions, *(name for name, mentioned in words.items() if mentioned & through)]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        owner, _, last = name.rpartition(".")
        sought.add(last)
        if last.startswith("__"):
            sought |= {owner.rpartition(".")[2], *extending(tree, owner.rpartition(".")[2])}
            waiting += [other for other in words if other.rpartition(".")[0] == owner]
        waiting += [other for other, mentioned in words.items() if other not in found and mentioned & sought]
    owners = {name.rpartition(".")[0] for name in found} - {""}
    keepers = (unit.name for unit in units(tree) if unit.name.rpartition(".")[0] in owners and keeps(unit.node))
    return frozenset(found) | frozenset(keepers)


def keeps(method: Function) -> bool:
    """Whether a method sets something on its object, of which the other methods may take care."""
    stores = (part for part in ast.walk(method) if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store))
    return any(isinstance(store.value, ast.Name) for store in stores)


def extending(tree: ast.Module, name: str) -> Iterator[str]:
    """The classes of the file that extend one of it, directly or not."""
    known = {name}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and not known.isdisjoint(words_below(node.bases)):
            known.add(node.name)
            yield node.name


def words_below(nodes: Sequence[ast.AST]) -> frozenset[str]:
    """The names, attributes and short texts in a piece of code."""
    return frozenset(word for node in nodes for part in ast.walk(node) if (word := word_of(part)))


def word_of(node: ast.AST) -> str:
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word) | ast.alias(name=word):
            return word
        case ast.Constant(value=str() as word) if word.isidentifier():
            return word
    return ""


def words_outside(tree: ast.Module) -> frozenset[str]:
    """The words of a file outside of its functions, their decorators included."""
    found: set[str] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if word := word_of(node):
            found.add(word)
        waiting += node.decorator_list if isinstance(node, Function) else ast.iter_child_nodes(node)
    return frozenset(found)


def unit_at(line: int, all_units: Sequence[Unit]) -> str:
    """The function around a line; "" outside of all."""
    return next((unit.name for unit in all_units if unit.first <= line <= unit.last), "")
