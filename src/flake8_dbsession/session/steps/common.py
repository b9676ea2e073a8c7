"""What several kinds of steps need."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ...flow.graph import Via
from ..state import State

Out = Iterator[tuple[Via, State]]


def slot(node: ast.AST) -> str:
    """Where a loop or ``with`` keeps its own value among the names."""
    return f"<{node.lineno}:{node.col_offset}>"  # type: ignore[attr-defined]
