"""Which names each step of a body asks for, and which of them nobody asks for any more behind it.

States that differ only in such names are one state. What a session, its rows or an engine can be found by is never
forgotten: whoever binds the name again, or looks at the ways out, wants to know.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..flow.graph import Graph, Kind, Node, Via
from .syntax import names_and_scopes, names_below
from .values import CLASS, CONSTANT, FUNCTION, MAPPING, METHOD, NAMED, OBJECT, ONE_OF, TABLE, TUPLE, Value, contained

CAUGHT = "<caught>"
"""Where a handler keeps what kind of exception it caught."""

_PLAIN = frozenset({"unknown", CONSTANT, NAMED, CLASS, TABLE, ONE_OF, "caught", "statement"})
_PERHAPS = frozenset({OBJECT, FUNCTION, TUPLE, MAPPING, METHOD})
_BINDING = frozenset(
    {ast.Assign, ast.AnnAssign, ast.For, ast.AsyncFor, ast.withitem, ast.Import, ast.ImportFrom, ast.ExceptHandler}
    | {ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef}
)
"""The syntax that binds names for sure."""
_NONE: frozenset[str] = frozenset()


class Step(NamedTuple):
    """A node with its names: all that are ``mentioned``, and for each way out those that are ``left`` behind on it.

    Nobody asks for a name that is left behind, before it is bound again.
    """

    mentioned: tuple[str, ...]
    left: dict[Via, tuple[str, ...]]


def may_be_forgotten(value: Value) -> bool:
    """Whether nothing is lost with a name for the value once nobody asks for it."""
    if value.kind in _PLAIN:
        return value.resource is None
    return value.kind in _PERHAPS and not contained(value)


def steps(graph: Graph) -> list[Step]:
    """The step of each node, by its index."""
    uses = [Uses.of(node) for node in graph.nodes]
    names = sorted({name for use in uses for name in (*use.read, *use.bound)})
    bits = {name: 1 << number for number, name in enumerate(names)}
    read = [sum(map(bits.__getitem__, use.read)) for use in uses]
    bound = [sum(map(bits.__getitem__, use.bound)) for use in uses]
    captured = sum(bits[name] for name in {name for use in uses for name in use.captured})
    wanted = _wanted(graph, read, bound)
    known: dict[int, tuple[str, ...]] = {0: ()}
    made = []
    for node, use in zip(graph.nodes, uses, strict=True):
        before = wanted[node.index] | read[node.index] | bound[node.index]
        left = {}
        for via, target in node.out.items():
            gone = before & ~(wanted[target.index] | captured)
            if gone not in known:
                known[gone] = tuple([name for name in names if gone & bits[name]])
            left[via] = known[gone]
        made.append(Step(tuple(sorted(use.read | use.bound)), left))
    return made


def _wanted(graph: Graph, read: list[int], bound: list[int]) -> list[int]:
    """The names that are asked for at each node or behind it, each a bit, as what the nodes read and bind is."""
    wanted = read.copy()
    before: list[list[int]] = [[] for _ in graph.nodes]
    for node in graph.nodes:
        for target in node.out.values():
            before[target.index].append(node.index)
    waiting = list(reversed(range(len(graph.nodes))))  # the first nodes stand behind all others
    is_waiting = [True] * len(graph.nodes)
    while waiting:
        index = waiting.pop()
        is_waiting[index] = False
        found = read[index]
        for via, target in graph.nodes[index].out.items():
            behind = wanted[target.index]
            found |= behind if via is Via.RAISE else behind & ~bound[index]
        if found != wanted[index]:
            wanted[index] = found
            for each in before[index]:
                if not is_waiting[each]:
                    is_waiting[each] = True
                    waiting.append(each)
    return wanted


class Uses(NamedTuple):
    """The names that one node reads, those that it binds for sure, and those that a function inside it may read."""

    read: frozenset[str]
    bound: frozenset[str]
    captured: frozenset[str]

    @classmethod
    def of(cls, node: Node) -> Uses:
        bound = frozenset(_bound(node)) if type(node.syntax) in _BINDING else _NONE
        read: set[str] = set()
        captured: set[str] = set()
        for part in names_and_scopes(evaluated(node)):
            if not isinstance(part, ast.Name):
                captured |= names_below(part)
            elif part.id not in bound or not isinstance(part.ctx, ast.Store):
                read.add(part.id)
        if isinstance(node.syntax, ast.Raise) or "isinstance" in read:
            read.add(CAUGHT)
        return cls(frozenset(read | captured), bound, frozenset(captured) if captured else _NONE)


def _bound(node: Node) -> Iterator[str]:
    match node.syntax:
        case ast.Assign():
            yield from _names(node.syntax.targets)
        case ast.AnnAssign() if node.syntax.value is not None:
            yield from _names([node.syntax.target])
        case ast.For() | ast.AsyncFor() if node.kind is Kind.ITEM:
            yield from _names([node.syntax.target])
        case ast.withitem() if node.kind is Kind.ENTER and node.syntax.optional_vars is not None:
            yield from _names([node.syntax.optional_vars])
        case ast.Import() | ast.ImportFrom():
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.syntax.names)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.syntax.name
        case ast.ExceptHandler():
            yield CAUGHT


def _names(targets: Iterable[ast.expr]) -> Iterator[str]:
    for target in targets:
        match target:
            case ast.Name():
                yield target.id
            case ast.Tuple() | ast.List():
                yield from _names(target.elts)
            case ast.Starred():
                yield from _names([target.value])


def evaluated(node: Node) -> list[ast.AST]:
    """The syntax that a node evaluates or binds."""
    if node.kind is Kind.STATEMENT and node.syntax is not None:
        return [node.syntax]
    match node.kind, node.syntax:
        case Kind.ITERATE, ast.For() | ast.AsyncFor():
            return [node.syntax.iter]
        case Kind.ITEM, ast.For() | ast.AsyncFor():
            return [node.syntax.target]
        case ((Kind.LEAVE | Kind.ABORT | Kind.BREAK), _):
            return []
        case Kind.SUBJECT, ast.Match():
            return [node.syntax.subject]
        case Kind.CASE, ast.match_case():
            return [node.syntax.pattern]
        case Kind.CATCH, ast.ExceptHandler():
            return [node.syntax.type] if node.syntax.type is not None else []
        case _, ast.AST():
            return [node.syntax]
    return []
