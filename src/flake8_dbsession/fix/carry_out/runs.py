"""Statements on their way into a new block: items taken out of the old one, and the run they form in the new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import libcst as cst

from .orders import Orders, Statement

Lines = Sequence[cst.EmptyLine]


class Item(NamedTuple):
    """What stands on one line of a block: a compound statement, or small ones with what surrounds them."""

    statements: tuple[cst.CSTNode, ...]
    line: Statement
    leading: Lines
    keeps_comment: bool = False
    """Whether the comment at the end of the line outlives the statements, since it may have meant others as well."""


@dataclass
class Run:
    """Statements of a block being built. ``pending`` are the comments of those that went, for whatever comes next."""

    nodes: list[Statement] = field(default_factory=list)
    pending: list[cst.EmptyLine] = field(default_factory=list)
    gap: bool = False
    """Whether a statement went right before."""

    def add(self, node: Statement) -> None:
        """Puts ``node`` at the end, below the comments that are pending."""
        if self.gap:
            node = with_leading(node, _joined(self.pending, node.leading_lines, at_start=not self.nodes))
        self.nodes.append(node)
        self.pending, self.gap = [], False

    def drop(self, leading: Lines) -> None:
        """Takes note that a statement below ``leading`` lines is gone."""
        self.pending = _joined(self.pending, leading, at_start=False)
        self.gap = True

    def extend(self, other: Run) -> None:
        """Puts another run at the end, with what it has pending."""
        for node in other.nodes:
            self.add(node)
        if other.gap:
            self.drop(other.pending)

    @property
    def comments(self) -> list[cst.EmptyLine]:
        """The pending lines for the end of a block: without blank lines where there is no comment."""
        return self.pending if any(line.comment for line in self.pending) else []


def _joined(above: Lines, below: Lines, *, at_start: bool) -> list[cst.EmptyLine]:
    """The lines around a statement that went: no blank line at the start of a block, none twice."""
    if any(line.comment for line in above):
        return [*(without_blanks(above) if at_start else above), *below]
    rest = without_blanks(below)
    if at_start:
        return rest
    blanks = max(list(above), [*below[: len(below) - len(rest)]], key=len)
    return [*blanks, *rest]


def without_blanks(lines: Lines) -> list[cst.EmptyLine]:
    """``lines`` from the first comment on."""
    for number, line in enumerate(lines):
        if line.comment:
            return list(lines[number:])
    return []


def with_leading(node: Any, lines: Lines) -> Statement:
    """``node`` below other comments and blank lines."""
    found: Statement = node.with_changes(leading_lines=list(lines))
    return found


def as_comment(line: cst.TrailingWhitespace | None) -> list[cst.EmptyLine]:
    """The comment at the end of a line as a line of its own."""
    return [cst.EmptyLine(comment=line.comment)] if line and line.comment else []


def items(suite: cst.Module | cst.BaseSuite, orders: Orders) -> list[Item]:
    """The lines of a block; a line is taken apart where one of its statements needs a line of its own."""
    if isinstance(suite, cst.SimpleStatementSuite):
        line = cst.SimpleStatementLine(suite.body, trailing_whitespace=suite.trailing_whitespace)
        return list(apart(line))
    found: list[Item] = []
    each: Any
    for each in suite.body:
        if not isinstance(each, cst.SimpleStatementLine):
            found.append(Item((each,), each, each.leading_lines))
        elif len(each.body) > 1 and any(orders.separates(small) for small in each.body):
            found.extend(apart(each))
        else:
            found.append(Item(tuple(each.body), each, each.leading_lines, len(each.body) > 1))
    return found


def apart(line: cst.SimpleStatementLine) -> list[Item]:
    """One item for each statement of ``line``; the comment at its end stays with the last."""
    found = []
    for small in line.body:
        if small is line.body[-1]:
            alone = cst.SimpleStatementLine([small], trailing_whitespace=line.trailing_whitespace)
        else:
            alone = cst.SimpleStatementLine([small.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)])
        found.append(Item((small,), alone, line.leading_lines if small is line.body[0] else (), True))
    return found
