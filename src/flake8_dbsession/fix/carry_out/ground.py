"""Where a plan stands in the file, told from the ``ast`` tree alone: cheap, and without libcst."""

from __future__ import annotations

import ast
import io
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from ...model import Span
from ...source import Source, Unreadable

Carrier = ast.stmt | ast.ExceptHandler
"""What has a place and a header of its own that expressions stand in."""


class Refusal(Exception):
    """Why a plan is not carried out, as a phrase for people."""


class Ground:
    """One file as the fixer sees it: its lines with their own newlines, and the way from spans to syntax.

    Raises :class:`Refusal` for a file that cannot be read or that does not survive decoding and encoding.
    """

    def __init__(self, data: bytes, path: str) -> None:
        try:
            self.source = Source(path, data)
            self.tree: ast.Module = self.source.tree
            text = self.source.text
        except Unreadable as error:
            raise Refusal(error.message) from None
        if self.encode(text) != data:
            raise Refusal(f"the encoding {self.source.encoding} does not give the file back unchanged")
        self.lines = io.StringIO(text, newline="").readlines()

    def encode(self, text: str) -> bytes:
        """``text`` in the encoding of the file, with its byte order mark; raises :class:`Refusal`."""
        try:
            return text.encode(self.source.encoding)
        except UnicodeEncodeError:
            raise Refusal(f"the new code cannot be written in the encoding {self.source.encoding}") from None

    @cached_property
    def newlines(self) -> list[str]:
        """The newlines of the file, the most frequent first; ``["\\n"]`` where there is none."""
        counted = Counter(_newline(line) for line in self.lines)
        del counted[""]
        return [newline for newline, _ in counted.most_common()] or ["\n"]

    def indent(self, statements: Sequence[ast.stmt]) -> str:
        """One step of indentation: as ``statements`` have it, or else those at module level."""
        for statement in (*statements, *self.tree.body):
            inner = getattr(statement, "body", None)
            if inner and inner[0].lineno > statement.lineno:
                return self.indentation(inner[0])[statement.col_offset :] or "    "
        return "    "

    def indentation(self, statement: ast.stmt) -> str:
        """The blanks before a statement that begins a line."""
        line = self.lines[first_line(statement) - 1]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def statement(self, span: Span) -> tuple[ast.AST, ...]:
        """The way from the module down to the statement at ``span``, both included."""
        return self._find(span, (ast.stmt,), "statement")

    def owner(self, span: Span) -> tuple[ast.AST, ...]:
        """The way down to the statement or handler with a block of its own at ``span``."""
        return self._find(span, (ast.stmt, ast.ExceptHandler), "block")

    def expression(self, span: Span) -> tuple[ast.AST, ...]:
        """The way down to the expression at ``span``; raises where an edit would change a string."""
        trail = self._find(span, (ast.expr,), "expression")
        if any(isinstance(node, ast.JoinedStr) or type(node).__name__ == "TemplateStr" for node in trail[:-1]):
            raise Refusal("the expression stands inside an f-string")
        return trail

    def _find(self, span: Span, kinds: tuple[type[ast.AST], ...], what: str) -> tuple[ast.AST, ...]:
        trail = self._descend(self.tree, span, kinds, ())
        if trail is None:
            raise Refusal(f"no {what} stands at line {span.line}, column {span.column + 1}")
        return trail

    def _descend(
        self, node: ast.AST, span: Span, kinds: tuple[type[ast.AST], ...], above: tuple[ast.AST, ...]
    ) -> tuple[ast.AST, ...] | None:
        trail = (*above, node)
        if isinstance(node, kinds) and self.source.span(node) == span:
            return trail
        for child in ast.iter_child_nodes(node):
            if _covers(child, span):
                found = self._descend(child, span, kinds, trail)
                if found is not None:
                    return found
        return None


def _covers(node: ast.AST, span: Span) -> bool:
    """Whether ``node`` may contain ``span``, by its lines; parts without a place of their own always may."""
    end: int | None = getattr(node, "end_lineno", None)
    return end is None or (first_line(node) <= span.line and span.end_line <= end)


def _newline(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def first_line(node: ast.AST) -> int:
    """The line that ``node`` begins on, decorators included."""
    decorators = getattr(node, "decorator_list", None)
    line: int = decorators[0].lineno if decorators else node.lineno  # type: ignore[attr-defined]
    return line


def header_lines(carrier: Carrier) -> range:
    """The lines of a simple statement, or of what stands before the first block of a compound one."""
    body = getattr(carrier, "body", None) or getattr(carrier, "cases", None)
    first = first_line(carrier)
    if not isinstance(body, list):
        return range(first, (carrier.end_lineno or first) + 1)
    inner = body[0].pattern if isinstance(body[0], ast.match_case) else body[0]
    return range(first, max(first, first_line(inner) - 1) + 1)


def carrier_of(trail: tuple[ast.AST, ...]) -> Carrier:
    """The innermost statement or handler on the way to an expression."""
    for node in reversed(trail):
        if isinstance(node, Carrier):
            return node
    raise Refusal("the expression stands in no statement")


def block_of(trail: tuple[ast.AST, ...]) -> list[ast.stmt]:
    """The block that the statement at the end of the way stands in."""
    parent, statement = trail[-2], trail[-1]
    for _, block in ast.iter_fields(parent):
        if isinstance(block, list) and any(each is statement for each in block):
            return block
    raise Refusal("the statement stands in no block")


def awaits_here(trail: tuple[ast.AST, ...]) -> bool:
    """Whether ``await`` may stand where the way ends: in the body of an ``async def``, in no generator expression."""
    carrier = carrier_of(trail)
    for node in reversed(trail[:-1]):
        if isinstance(node, ast.Lambda | ast.GeneratorExp):
            return False
        if node is not carrier and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return isinstance(node, ast.AsyncFunctionDef)
    return False
