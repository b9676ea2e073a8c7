"""Finds an expression in the libcst tree by its place in the file.

libcst's positions are dear, so they are asked for one statement only, without the blocks inside it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, ParentNodeProvider, PositionProvider

from ...model import Span
from .ground import Carrier, Ground, Refusal
from .piece import Location, Piece


class Found(NamedTuple):
    """An expression of the libcst tree, with what it stands in."""

    node: cst.BaseExpression
    parent: cst.CSTNode


def find(ground: Ground, piece: Piece, carrier: Carrier, span: Span) -> Found:
    """The outermost expression at ``span`` in the header of ``carrier``.

    Raises :class:`~.ground.Refusal` where libcst has none there: it leaves the parentheses of a generator
    expression and of a tuple out of the expression, ``ast`` does not.
    """
    start = ground.source.span(carrier)
    header, module = _alone(piece.location(carrier))
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    places = wrapper.resolve(PositionProvider)
    origin = places[header].start
    shift = origin.column - start.column, origin.line - start.line
    for node, place in reversed(list(places.items())):
        if isinstance(node, cst.BaseExpression) and _span(place, start, shift) == span:
            return Found(node, wrapper.resolve(ParentNodeProvider)[node])
    raise Refusal(f"libcst has no expression at line {span.line}, column {span.column + 1}")


def _span(place: CodeRange, start: Span, shift: tuple[int, int]) -> Span:
    """A place of the small module as a place of the file."""
    (line, column), (end_line, end_column) = (
        (point.line - shift[1], point.column) for point in (place.start, place.end)
    )
    return Span(
        line,
        column - (shift[0] if line == start.line else 0),
        end_line,
        end_column - (shift[0] if end_line == start.line else 0),
    )


def _alone(location: Location) -> tuple[cst.CSTNode, cst.Module]:
    """The statement of ``location`` without its blocks, and a module that has it at the same indentation."""
    header = _bare(location.node)
    statement: Any = header
    nothing = cst.SimpleStatementSuite([cst.Pass()])
    if isinstance(header, cst.BaseSmallStatement):
        statement = cst.SimpleStatementLine([header])
    elif isinstance(header, cst.ExceptHandler):
        statement = cst.Try(body=nothing, handlers=[header])
    elif isinstance(header, cst.ExceptStarHandler):
        statement = cst.TryStar(body=nothing, handlers=[header])
    elif location.line is None and isinstance(header, cst.If):
        statement = cst.If(test=cst.Name("_"), body=nothing, orelse=header)
    if location.indent:
        block = cst.IndentedBlock([statement], indent=location.indent)
        statement = cst.If(test=cst.Name("_"), body=block)
    return header, cst.Module([statement])


def _bare(node: Any) -> cst.CSTNode:
    """``node`` with the same expressions and empty blocks."""
    if isinstance(node, cst.BaseSmallStatement):
        return node
    bare: dict[str, Any] = {"leading_lines": ()}
    if isinstance(node, cst.Match):
        bare["cases"] = [cst.MatchCase(pattern=cst.MatchAs(), body=cst.SimpleStatementSuite([cst.Pass()]))]
    else:
        bare["body"] = cst.SimpleStatementSuite([cst.Pass()])
    if isinstance(node, cst.If | cst.For | cst.While):
        bare["orelse"] = None
    found: cst.CSTNode = node.with_changes(**bare)
    return found
