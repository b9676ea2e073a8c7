"""What is to happen to the nodes of one piece: steps after look-up, with libcst nodes in the place of spans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from .expressions import Change

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement


@dataclass
class Wrap:
    """The statements from ``first`` to ``last`` of one block come to stand in a new block.

    ``around`` makes the new statement of the block and of what ``first`` has become. With ``is_header``,
    ``first`` itself goes into the header.
    """

    first: cst.CSTNode
    last: cst.CSTNode
    around: Callable[[cst.IndentedBlock, Any], cst.BaseCompoundStatement]
    is_header: bool = False


def _lists() -> defaultdict[cst.CSTNode, list[Any]]:
    return defaultdict(list)


@dataclass
class Orders:
    """Everything that one plan, or several that do not meet, want of a piece."""

    first: dict[cst.CSTNode, list[Statement]] = field(default_factory=_lists)
    """What comes before the first statement of a block, and before a new block that begins there."""
    before: dict[cst.CSTNode, list[Statement]] = field(default_factory=_lists)
    after: dict[cst.CSTNode, list[Statement]] = field(default_factory=_lists)
    dropped: set[cst.CSTNode] = field(default_factory=set)
    wraps: dict[cst.CSTNode, list[Wrap]] = field(default_factory=_lists)
    """By first statement, the outermost first."""
    cleanups: dict[cst.CSTNode, list[Statement]] = field(default_factory=_lists)
    """What joins the end of the ``finally`` of a ``try``."""
    handlers: dict[cst.CSTNode, list[cst.ExceptHandler]] = field(default_factory=_lists)
    """What joins the handlers of a ``try``, behind them."""
    expressions: dict[cst.CSTNode, list[tuple[cst.CSTNode, Change]]] = field(default_factory=_lists)
    """By the statement or handler that they stand in."""

    def add(self, other: Orders) -> None:
        """Takes in what another plan wants."""
        pairs: list[tuple[Any, Any]] = [
            (self.first, other.first),
            (self.before, other.before),
            (self.after, other.after),
            (self.wraps, other.wraps),
            (self.cleanups, other.cleanups),
            (self.handlers, other.handlers),
            (self.expressions, other.expressions),
        ]
        for mine, theirs in pairs:
            for node, wanted in theirs.items():
                mine[node].extend(wanted)
        self.dropped |= other.dropped

    def separates(self, statement: cst.CSTNode) -> bool:
        """Whether ``statement`` needs a line of its own."""
        if any(statement in wanted for wanted in (self.first, self.before, self.after, self.wraps)):
            return True
        return any(wrap.last is statement for wraps in self.wraps.values() for wrap in wraps)
