"""One call with everything around it evaluated, and the key of what it opens."""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

from ..values import UNKNOWN, Value


class Call(NamedTuple):
    """One call with everything around it evaluated."""

    node: ast.Call
    positional: tuple[Value, ...]
    keywords: dict[str, Value]

    @property
    def values(self) -> tuple[Value, ...]:
        return (*self.positional, *self.keywords.values())

    def argument(self, position: int, keyword: str) -> Value:
        """The value of one argument; UNKNOWN where it is not given."""
        if keyword in self.keywords:
            return self.keywords[keyword]
        return self.positional[position] if position < len(self.positional) else UNKNOWN

    def literal(self, keyword: str) -> Any:
        """The constant given for a keyword, or None."""
        given = self.node_of(keyword)
        return given.value if isinstance(given, ast.Constant) else None

    def node_of(self, keyword: str) -> ast.expr | None:
        """The expression given for a keyword, or None."""
        return next((given.value for given in self.node.keywords if given.arg == keyword), None)


def place(node: ast.AST) -> str:
    """The key of what is opened at ``node``."""
    return f"{node.lineno}:{node.col_offset}"  # type: ignore[attr-defined]
