"""Builds the new tree of a piece from the old one and its orders; what no order names stays the same node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from .expressions import Change
from .ground import Refusal
from .orders import Orders, Statement, Wrap
from .runs import Item, Lines, Run, apart, as_comment, items, with_leading, without_blanks

_APART = (cst.BaseSuite, cst.Else, cst.Finally, cst.ExceptHandler, cst.ExceptStarHandler, cst.MatchCase, cst.If)


def rebuilt(module: cst.Module, orders: Orders) -> cst.Module:
    """``module`` after ``orders``."""
    run = _Builder(orders).run(items(module, orders), None)
    return module.with_changes(body=run.nodes, footer=[*run.comments, *module.footer])


class _Builder:
    """Goes through the blocks of a piece once, inner blocks before outer ones."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.wraps = {first: [*wraps] for first, wraps in orders.wraps.items()}
        self.firsts = dict(orders.first)

    def run(self, lines: Sequence[Item], indent: str | None) -> Run:
        """The lines of a block, or of a part of it, as they shall stand; ``indent`` is the step of the block."""
        run, lines = Run(), list(lines)
        at = 0
        while at < len(lines):
            stop = at + 1
            lines[at] = _inserted(run, lines[at], self.firsts.pop(lines[at].statements[0], ()))
            waiting = self.wraps.get(lines[at].statements[0])
            if waiting:
                wrap = waiting.pop(0)
                stop += _length(wrap, lines[at:]) - 1
                self.wrapped(run, wrap, lines[at:stop], indent)
            else:
                self.single(run, lines[at])
            at = stop
        return run

    def wrapped(self, run: Run, wrap: Wrap, lines: Sequence[Item], indent: str | None) -> None:
        """Adds one new statement around ``lines``."""
        first, *rest = lines
        inside = Run()
        leading, header = first.leading, cst.TrailingWhitespace()
        if wrap.is_header:
            leading = _inserted(run, first, self.orders.before.get(first.statements[0], ())).leading
            if isinstance(first.line, cst.SimpleStatementLine):
                header = first.line.trailing_whitespace
            for node in self.orders.after.get(first.statements[0], ()):
                inside.add(node)
            if rest and not inside.nodes:
                rest[0] = rest[0]._replace(leading=without_blanks(rest[0].leading))
        else:
            rest = [first._replace(leading=()), *rest]
        inside.extend(self.run(rest, indent))
        new = wrap.around(_block(inside, indent, header), self.exchanged(first.statements[0]))
        run.add(with_leading(new, leading))

    def single(self, run: Run, item: Item) -> None:
        """Adds one line with what comes before and after it; no node where all its statements went."""
        leading = _inserted(run, item, self.orders.before.get(item.statements[0], ())).leading
        if isinstance(item.line, cst.SimpleStatementLine):
            self.line(run, item, item.line, leading)
        elif item.statements[0] in self.orders.dropped:
            run.drop(leading)
        else:
            run.extend(self.compound(item.line, leading))
        for node in self.orders.after.get(item.statements[-1], ()):
            run.add(node)

    def line(self, run: Run, item: Item, line: cst.SimpleStatementLine, leading: Lines) -> None:
        """Adds the small statements of one line that stay."""
        kept: list[Any] = [small for small in item.statements if small not in self.orders.dropped]
        if not kept:
            comment = as_comment(line.trailing_whitespace) if item.keeps_comment else []
            run.drop([*leading, *comment])
            return
        last = line.body[-1].semicolon if kept[-1] is item.statements[-1] else cst.MaybeSentinel.DEFAULT
        new = self.exchanged_all(kept, last)
        if not _same(new, line.body):
            line = line.with_changes(body=new)
        run.add(line if leading is line.leading_lines else with_leading(line, leading))

    def exchanged_all(self, kept: Sequence[Any], last: cst.Semicolon | cst.MaybeSentinel) -> list[Any]:
        """The statements that stay on a line; ``last`` is the semicolon after the last one."""
        new = [self.exchanged(small) for small in kept]
        if new[-1].semicolon is not last:
            new[-1] = new[-1].with_changes(semicolon=last)
        return new

    def exchanged(self, node: Any) -> Any:
        """``node`` with the changes to the expressions in its header."""
        wanted = self.orders.expressions.get(node)
        return node.visit(_Exchange(node, wanted)) if wanted else node

    def compound(self, old: Any, leading: Lines) -> Run:
        """A compound statement; its body alone where it was a ``try`` that nothing is left of."""
        node = self.exchanged(old)
        if leading is not old.leading_lines:
            node = with_leading(node, leading)
        cleanup = self.orders.cleanups.get(old, [])
        parts: dict[str, Any] = {}
        pending: list[cst.EmptyLine] = []
        for name in ("body", "handlers", "cases", "orelse", "finalbody"):
            part = getattr(node, name, None)
            if isinstance(part, cst.BaseSuite):
                parts[name] = self.suite(part)
            elif isinstance(part, cst.If):
                inner = self.compound(part, part.leading_lines)
                parts[name] = inner.nodes[0]
                pending += inner.pending
            elif isinstance(part, cst.Else | cst.Finally):
                parts[name], left = self.branch(part, cleanup if name == "finalbody" else ())
                pending += left
            elif part:
                parts[name] = [self.part(each) for each in part] + self.orders.handlers.get(old, [])
        if cleanup and node.finalbody is None:
            parts["finalbody"] = cst.Finally(_block(Run(list(cleanup)), getattr(node.body, "indent", None)))
        if isinstance(node, cst.Try) and not node.handlers and parts["finalbody"] is None:
            return _unpacked(node, parts["body"], pending)
        return Run([_changed(node, parts)], pending, bool(pending))

    def part(self, part: Any) -> Any:
        """A handler or a case."""
        new = self.exchanged(part)
        return _changed(new, {"body": self.suite(new.body)})

    def branch(self, part: Any, extra: Sequence[Statement]) -> tuple[Any, list[cst.EmptyLine]]:
        """An ``else`` or ``finally`` with ``extra`` at its end; nothing but its comments where it would be empty."""
        suite, comments = self.refilled(part.body, extra)
        if suite is None:
            header = as_comment(getattr(part.body, "header", None))
            footer = without_blanks(getattr(part.body, "footer", ()))
            return None, [*without_blanks(part.leading_lines), *header, *comments, *footer]
        return _changed(part, {"body": suite}), []

    def suite(self, suite: Any) -> cst.BaseSuite:
        """A block; ``pass`` where nothing is left in it."""
        new, comments = self.refilled(suite, ())
        if new is not None:
            return new
        if isinstance(suite, cst.SimpleStatementSuite):
            return suite.with_changes(body=[cst.Pass()])
        return _block(Run(pending=comments), suite.indent, suite.header).with_changes(footer=suite.footer)

    def refilled(self, suite: Any, extra: Sequence[Statement]) -> tuple[cst.BaseSuite | None, list[cst.EmptyLine]]:
        """A block with its new statements; None and the comments of the old ones where there are none."""
        is_one_line = isinstance(suite, cst.SimpleStatementSuite)
        if is_one_line and not extra and not any(map(self.orders.separates, suite.body)):
            return self.one_line(suite)
        run = self.run(items(suite, self.orders), getattr(suite, "indent", None))
        for node in extra:
            run.add(node)
        if not run.nodes:
            return None, run.comments
        if isinstance(suite, cst.IndentedBlock):
            if _same(run.nodes, suite.body) and not run.comments:
                return suite, []
            return suite.with_changes(body=run.nodes, footer=[*run.comments, *suite.footer]), []
        return _block(run, None), []

    def one_line(self, suite: cst.SimpleStatementSuite) -> tuple[cst.BaseSuite | None, list[cst.EmptyLine]]:
        """A block on the line of its header."""
        kept = [small for small in suite.body if small not in self.orders.dropped]
        if not kept:
            return None, as_comment(suite.trailing_whitespace)
        last = suite.body[-1].semicolon if kept[-1] is suite.body[-1] else cst.MaybeSentinel.DEFAULT
        new = self.exchanged_all(kept, last)
        return (suite if _same(new, suite.body) else suite.with_changes(body=new)), []


def _inserted(run: Run, item: Item, new: Sequence[Statement]) -> Item:
    """Puts new statements above the comments of ``item``, which is left with these comments.

    The new ones take the blank lines before.
    """
    if not new:
        return item
    rest = without_blanks(item.leading)
    run.add(with_leading(new[0], item.leading[: len(item.leading) - len(rest)]))
    for node in new[1:]:
        run.add(node)
    return item._replace(leading=rest)


def _block(run: Run, indent: str | None, header: cst.TrailingWhitespace | None = None) -> cst.IndentedBlock:
    """A new block of the statements of ``run``."""
    header = header or cst.TrailingWhitespace()
    if run.nodes:
        return cst.IndentedBlock(run.nodes, indent=indent, header=header, footer=run.comments)
    nothing = cst.SimpleStatementLine([cst.Pass()], leading_lines=run.comments)
    return cst.IndentedBlock([nothing], indent=indent, header=header)


def _length(wrap: Wrap, lines: Sequence[Item]) -> int:
    """How many of ``lines`` the new block takes."""
    for number, item in enumerate(lines, 1):
        if wrap.last in item.statements:
            return number
    raise Refusal("two new blocks of one plan cross")


def _unpacked(node: cst.Try, body: cst.BaseSuite, pending: list[cst.EmptyLine]) -> Run:
    """The statements of a ``try`` in its place."""
    if isinstance(body, cst.SimpleStatementSuite):
        line = cst.SimpleStatementLine(body.body, trailing_whitespace=body.trailing_whitespace)
        nodes: list[Any] = [item.line for item in apart(line)]
        leading = list(node.leading_lines)
    else:
        assert isinstance(body, cst.IndentedBlock)
        nodes = list(body.body)
        leading = [*node.leading_lines, *as_comment(body.header)]
        pending = [*without_blanks(body.footer), *pending]
    nodes[0] = with_leading(nodes[0], [*leading, *nodes[0].leading_lines])
    return Run(nodes, pending, bool(pending))


def _changed(node: Any, parts: dict[str, Any]) -> Any:
    """``node`` with other parts; itself where they are the same."""
    different = {name: part for name, part in parts.items() if not _same_part(part, getattr(node, name))}
    return node.with_changes(**different) if different else node


def _same_part(one: Any, other: Any) -> bool:
    return _same(one, other) if isinstance(one, list) else one is other


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


class _Exchange(cst.CSTTransformer):
    """Changes expressions of one statement, and enters no block."""

    def __init__(self, root: cst.CSTNode, wanted: Sequence[tuple[cst.CSTNode, Change]]) -> None:
        super().__init__()
        self.root = root
        self.wanted = wanted

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node is self.root or not isinstance(node, _APART)

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        for target, change in self.wanted:
            if target is original_node:
                updated_node = change(updated_node)
        return updated_node
