"""A graph as text, for tests and for looking."""

from __future__ import annotations

import ast

from .graph import Graph, Kind, Node
from .solve import order


def label(node: Node) -> str:
    """What a node does, on one line."""
    syntax = node.syntax
    if syntax is None:
        return node.kind.value
    match syntax:
        case ast.withitem():
            text = ast.unparse(syntax)
        case ast.ExceptHandler():
            text = ast.unparse(syntax.type) if syntax.type else "everything"
        case ast.For() | ast.AsyncFor():
            text = ast.unparse(syntax.iter if node.kind is Kind.ITERATE else syntax.target)
        case ast.Match():
            text = ast.unparse(syntax.subject)
        case ast.match_case():
            text = ast.unparse(syntax.pattern)
        case _:
            text = ast.unparse(syntax).split("\n")[0]
    return text if node.kind is Kind.STATEMENT else f"{node.kind.value} {text}"


def show(graph: Graph) -> str:
    """The reachable nodes in control order, each with its ways out."""
    rank = order(graph)
    reached = sorted((n for n in graph.nodes if rank[n.index] < len(graph.nodes)), key=lambda n: rank[n.index])
    number = {node.index: position for position, node in enumerate(reached)}
    lines = []
    for node in reached:
        ways = " ".join(f"{via.value}:{number[to.index]}" for via, to in node.out.items() if to.index in number)
        lines.append(f"{number[node.index]:3} {label(node)}{'  -> ' + ways if ways else ''}")
    return "\n".join(lines) + "\n"
