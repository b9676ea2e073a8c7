"""The names around one function, and what its statements leave behind for its summary."""

from __future__ import annotations

import ast
from collections.abc import Callable

from .body import Body
from .summary import Wait
from .values import Resource, Value


class Scope:
    """``outer`` says what a free name stands for; the rest is filled while the function is solved."""

    def __init__(self, body: Body, outer: Callable[[str], Value]) -> None:
        self.local_names = body.local_names
        self.outer = outer
        self.yields: list[tuple[Value, ast.AST]] = []
        self.attributes: dict[str, Value] = {}
        self.stored: list[tuple[ast.expr, Value]] = []
        self.waits: dict[tuple[Wait, tuple[Resource, ...]], ast.AST] = {}
