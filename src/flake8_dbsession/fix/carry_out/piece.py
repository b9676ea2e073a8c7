"""A run of whole top-level statements or a method, read by libcst, and the way from its ``ast`` to its libcst nodes.

Only the pieces that a plan touches are read, so the rest of the file cannot change. Both trees have the
same statements in the same blocks in the same order: walking them side by side finds each statement
without any positions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import libcst as cst

from .ground import Ground, Refusal, first_line
from .orders import Orders

Suite = cst.Module | cst.BaseSuite


class Location(NamedTuple):
    """A statement in the libcst tree."""

    node: cst.CSTNode
    line: cst.CSTNode | None
    """What holds it: its line, its one-line block, or itself; None for an ``elif``, which cannot stand alone."""
    indent: str


class Piece:
    """Statements that no others share a line with, parsed by libcst.

    ``start`` and ``stop`` are the lines it takes, 0-based, without ``stop``. ``header`` is what has to stand above the
    text of a method, so that it is a module. Raises :class:`~.ground.Refusal` where libcst cannot read the text or
    does not give it back unchanged.
    """

    def __init__(self, ground: Ground, statements: Sequence[ast.stmt]) -> None:
        self.statements = statements
        self.start = first_line(statements[0]) - 1
        self.stop = end_of(ground, statements[-1])
        self._newline = ground.newlines[0] if len(ground.newlines) == 1 else ""
        newline = "\n" if self._newline else ground.newlines[0]
        indent = ground.indentation(statements[0]) if statements[0].col_offset else ""
        self.header = f"class _:{newline}" if indent else ""
        text = self._uniform("".join(ground.lines[self.start : self.stop]))
        self.text = text.lstrip("\f")
        self._form_feeds = text[: len(text) - len(self.text)]
        self.module = self._parse(f"if _:{newline}{ground.indent(statements)}pass{newline}")
        self._locations: dict[ast.AST, Location] = {}
        block: Any = self.module.body[0] if self.header else self.module
        self._pair(statements, block.body if self.header else block, indent)

    def _parse(self, sample: str) -> cst.Module:
        """The module of the piece; a statement before it shows libcst what new lines shall look like."""
        try:
            module = cst.parse_module(sample + self.header + self.text)
        except cst.ParserSyntaxError as error:
            raise Refusal(f"libcst cannot read the code: {error.message.splitlines()[0]}") from None
        module = module.with_changes(body=module.body[1:])
        if module.code != self.header + self.text:
            raise Refusal("libcst does not give the code back unchanged")
        return module

    def _uniform(self, text: str) -> str:
        """``text`` with plain newlines, where the file has but one kind of them."""
        return text.replace(self._newline, "\n") if self._newline else text

    def written(self, module: cst.Module) -> str:
        """The text of ``module`` with the newlines of the file."""
        code = self._form_feeds + module.code[len(self.header) :]
        return code.replace("\n", self._newline) if self._newline else code

    def location(self, node: ast.AST) -> Location:
        """Where libcst has the statement, handler or case ``node``."""
        return self._locations[node]

    def replaced(self, orders: Orders) -> set[ast.AST]:
        """The statements and handlers of the piece that will be gone or read differently."""
        return {
            tree
            for tree, location in self._locations.items()
            if location.node in orders.dropped or location.node in orders.expressions
        }

    def _pair(self, statements: Sequence[ast.stmt], body: Suite, indent: str) -> None:
        found = [pair for line in body.body for pair in _statements(line)]
        if isinstance(body, cst.SimpleStatementSuite):
            found = [(node, body) for node, _ in found]
        _same_length(statements, found)
        for statement, (node, line) in zip(statements, found, strict=True):
            self._enter(statement, Location(node, line, indent))

    def _enter(self, tree: ast.AST, location: Location) -> None:
        self._locations[tree] = location
        node: Any = location.node
        for name, block in ast.iter_fields(tree):
            if not isinstance(block, list) or not block:
                continue
            if name in ("handlers", "cases"):
                _same_length(block, getattr(node, name))
                indent = location.indent + (self._step(node) if name == "cases" else "")
                for part, inner in zip(block, getattr(node, name), strict=True):
                    self._enter(part, Location(inner, None, indent))
            elif name in ("body", "orelse", "finalbody"):
                self._enter_block(block, getattr(node, name), location.indent)

    def _enter_block(self, block: list[ast.stmt], node: Any, indent: str) -> None:
        if isinstance(node, cst.If):
            self._enter(block[0], Location(node, None, indent))
            return
        suite = node if isinstance(node, cst.BaseSuite) else node.body
        self._pair(block, suite, indent + self._step(suite))

    def _step(self, node: Any) -> str:
        """How far ``node`` indents what is inside."""
        if isinstance(node, cst.SimpleStatementSuite):
            return ""
        indent: str | None = getattr(node, "indent", None)
        return self.module.default_indent if indent is None else indent


def end_of(ground: Ground, statement: ast.stmt) -> int:
    """The line after a statement (0-based), comments behind it included that are indented further than it is."""
    stop = end = statement.end_lineno or 0
    for line in range(end, len(ground.lines)):
        text = ground.lines[line]
        bare = text.lstrip()
        if bare and not (bare.startswith("#") and len(text) - len(bare) > statement.col_offset):
            break
        if bare:
            stop = line + 1
    return stop


def _statements(line: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    """The statements on one line of a block, each with the line."""
    if isinstance(line, cst.SimpleStatementLine):
        for small in line.body:
            yield small, line
    else:
        yield line, line


def _same_length(one: Sequence[Any], other: Sequence[Any]) -> None:
    if len(one) != len(other):
        raise Refusal("libcst reads the statements differently")
