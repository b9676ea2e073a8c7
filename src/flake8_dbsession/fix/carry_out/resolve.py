"""Looks each step of a plan up in a piece: spans become libcst nodes, code becomes libcst statements."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import libcst as cst

from ...model import Plan, Safety, Span
from ..plans import (
    AddImport,
    AppendStatements,
    AwaitExpression,
    DeleteStatement,
    InsertAfter,
    InsertBefore,
    InsertFirst,
    OpenInWith,
    ReplaceExpression,
    ReplaceInside,
    SetItem,
    SetKeyword,
    Step,
    WrapInExcept,
    WrapInFinally,
    WrapInWith,
)
from . import expressions
from .ground import Ground, Refusal, awaits_here, block_of, carrier_of
from .orders import Orders, Statement, Wrap
from .piece import Location, Piece
from .positions import find


def resolve(ground: Ground, pieces: Sequence[Piece], plan: Plan) -> list[tuple[Piece, Orders]]:
    """What ``plan`` wants of each of ``pieces``; raises :class:`~.ground.Refusal`."""
    resolver = _Resolver(ground, pieces, losing_comments=plan.safety is Safety.UNSAFE)
    for step in plan.steps:
        resolver.take(step)
    return list(resolver.orders.values())


class _Resolver:
    def __init__(self, ground: Ground, pieces: Sequence[Piece], *, losing_comments: bool) -> None:
        self.ground = ground
        self.losing_comments = losing_comments
        self.orders: dict[int, tuple[Piece, Orders]] = {}
        self._piece_of: dict[ast.AST, Piece] = {statement: piece for piece in pieces for statement in piece.statements}

    def take(self, step: Step) -> None:
        """Adds what one step wants."""
        match step:
            case WrapInWith():
                self._with(step)
            case OpenInWith():
                self._open(step)
            case WrapInFinally():
                self._finally(step)
            case WrapInExcept():
                self._except(step)
            case InsertBefore():
                location, orders = self._statement(step.statement)
                orders.before[location.node].append(self._code(step.code))
            case InsertAfter():
                location, orders = self._statement(step.statement)
                orders.after[location.node].append(self._code(step.code))
            case InsertFirst():
                self._first(step)
            case DeleteStatement():
                self._drop([step.statement])
            case ReplaceExpression():
                self._change(step.expression, lambda node, parent: expressions.replaced(step.code, parent))
            case ReplaceInside():
                self._change(step.expression, lambda node, parent: expressions.replaced_inside(step.old, step.new))
            case SetKeyword():
                self._change(step.call, lambda node, parent: expressions.keyword_set(step.name, step.code))
            case SetItem():
                self._change(step.display, lambda node, parent: expressions.item_set(step.key, step.code))
            case AwaitExpression():
                self._await(step)
            case AddImport() | AppendStatements():
                pass

    def _at(self, trail: Sequence[ast.AST]) -> tuple[Piece, Orders]:
        """The piece that the way leads into, and what is wanted of it so far."""
        piece = next(self._piece_of[node] for node in trail if node in self._piece_of)
        return self.orders.setdefault(piece.start, (piece, Orders()))

    def _statement(self, span: Span) -> tuple[Location, Orders]:
        """The statement at ``span``, which stands in a block by itself."""
        trail = self.ground.statement(span)
        piece, orders = self._at(trail)
        location = piece.location(trail[-1])
        if location.line is None:
            raise Refusal("an elif cannot be moved or deleted by itself")
        return location, orders

    def _code(self, code: str, only_if: str = "") -> Statement:
        try:
            if "\n" in code or "\r" in code:
                raise Refusal(f"the new code takes more than one line: {code.splitlines()[0]} …")
            new = cst.parse_statement(code)
            return cst.If(cst.parse_expression(only_if), cst.IndentedBlock([new])) if only_if else new
        except cst.ParserSyntaxError:
            raise Refusal(f"the new code is no statement: {code}") from None

    def _drop(self, spans: Iterable[Span]) -> None:
        found = [self._statement(span) for span in spans]
        gone = {location.node for location, _ in found}
        for location, orders in found:
            if not self.losing_comments and any(_lost_comments(location, gone)):
                raise Refusal("a comment would be lost with the statement (an unsafe fix may do that)")
            orders.dropped.add(location.node)

    def _first(self, step: InsertFirst) -> None:
        trail = self.ground.owner(step.owner)
        owner: Any = trail[-1]
        piece, orders = self._at(trail)
        block: list[ast.stmt] | None = getattr(owner, "body", None)
        if not block:
            raise Refusal("the statement has no block")
        new = self._code(step.code, step.only_if)
        is_function = isinstance(owner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if is_function and ast.get_docstring(owner, clean=False) is not None:
            if len(block) == 1:
                orders.after[piece.location(block[0]).node].append(new)
                return
            block = block[1:]
        orders.first[piece.location(block[0]).node].append(new)

    def _change(self, span: Span, make: Any) -> None:
        trail = self.ground.expression(span)
        piece, orders = self._at(trail)
        carrier = carrier_of(trail)
        found = find(self.ground, piece, carrier, span)
        change: expressions.Change = make(trail[-1], found.parent)
        change(found.node)
        orders.expressions[piece.location(carrier).node].append((found.node, change))

    def _await(self, step: AwaitExpression) -> None:
        trail = self.ground.expression(step.expression)
        if not awaits_here(trail):
            raise Refusal("await cannot stand here: this is not the body of an async function")
        if isinstance(trail[-1], ast.Await) or isinstance(trail[-2], ast.Await):
            raise Refusal("the expression is awaited already")
        self._change(step.expression, lambda node, parent: expressions.awaited(parent))

    def _with(self, step: WrapInWith) -> None:
        first, last, orders = self._range(step.statement, step.last)
        trail = self.ground.statement(step.statement)
        call = _assigned_call(self.ground, trail[-1], step)
        if step.is_async and not awaits_here((*trail, call)):
            raise Refusal("async with cannot stand here: this is not the body of an async function")
        name: Any = expressions.parse(step.name)
        wrapper = expressions.parse(step.wrapper) if step.wrapper else None
        is_awaited = call is not trail[-1].value  # type: ignore[attr-defined]

        def around(block: cst.IndentedBlock, assignment: Any) -> cst.With:
            value = assignment.value.expression if is_awaited else assignment.value
            item = cst.WithItem(cst.Call(wrapper, [cst.Arg(value)]) if wrapper else value, cst.AsName(name))
            return cst.With([item], block, asynchronous=cst.Asynchronous() if step.is_async else None)

        self._wrap(orders, Wrap(first.node, last.node, around, is_header=True))
        self._drop(step.drop)

    def _open(self, step: OpenInWith) -> None:
        first, last, orders = self._range(step.first, step.last)
        manager, name = expressions.parse(step.manager), expressions.parse(step.name)
        assert isinstance(name, cst.Name)

        def around(block: cst.IndentedBlock, _: Any) -> cst.With:
            return cst.With([cst.WithItem(manager, cst.AsName(name))], block)

        self._wrap(orders, Wrap(first.node, last.node, around))

    def _finally(self, step: WrapInFinally) -> None:
        first, last, orders = self._range(step.first, step.last)
        cleanup = self._code(step.cleanup)
        if first.node is last.node and isinstance(first.node, cst.Try | cst.TryStar):
            orders.cleanups[first.node].append(cleanup)
        else:

            def around(block: cst.IndentedBlock, _: Any) -> cst.Try:
                inner = cst.IndentedBlock([cleanup], indent=block.indent)
                return cst.Try(block, finalbody=cst.Finally(inner))

            self._wrap(orders, Wrap(first.node, last.node, around))
        self._drop(step.drop)

    def _except(self, step: WrapInExcept) -> None:
        first, last, orders = self._range(step.first, step.last)
        code = self._code(step.code, step.only_if)

        def handler(indent: str | None) -> cst.ExceptHandler:
            inner = cst.IndentedBlock([code, cst.parse_statement("raise")], indent=indent)
            return cst.ExceptHandler(inner, cst.Name("Exception"))

        if first.node is last.node and isinstance(first.node, cst.Try) and first.node.handlers:
            orders.handlers[first.node].append(handler(getattr(first.node.body, "indent", None)))
        else:
            wrap = Wrap(first.node, last.node, lambda block, _: cst.Try(block, [handler(block.indent)]))
            self._wrap(orders, wrap)

    def _range(self, start: Span, end: Span) -> tuple[Location, Location, Orders]:
        """The first and last statement of a part of one block."""
        first, last = self.ground.statement(start), self.ground.statement(end)
        block = block_of(first)
        if block is not block_of(last) or block.index(first[-1]) > block.index(last[-1]):  # type: ignore[arg-type]
            raise Refusal("the statements do not stand in one block, one after the other")
        (here, orders), (there, _) = self._statement(start), self._statement(end)
        return here, there, orders

    def _wrap(self, orders: Orders, wrap: Wrap) -> None:
        """Adds a new block, which may stand in or around another one that begins at the same statement."""
        waiting = orders.wraps[wrap.first]
        if waiting:
            raise Refusal("two new blocks of one plan begin at the same statement")
        waiting.append(wrap)


def _assigned_call(ground: Ground, statement: Any, step: WrapInWith) -> ast.expr:
    """The call that ``statement`` assigns to the one name; raises where it does anything else."""
    targets: list[Any] = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    value = getattr(statement, "value", None)
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or len(targets) != 1 or value is None:
        raise Refusal("the statement does not assign to one name")
    if ast.unparse(targets[0]) != step.name:
        raise Refusal(f"the statement does not assign to {step.name}")
    if step.is_async and isinstance(value, ast.Await) and ground.source.span(value) != step.call:
        value = value.value
    if ground.source.span(value) != step.call:
        raise Refusal("the statement assigns something else than the call")
    found: ast.expr = value
    return found


def _lost_comments(location: Location, gone: set[cst.CSTNode]) -> Iterator[str]:
    """The comments that go with a statement, without those on lines of their own above it."""
    node: Any = location.node
    whole = isinstance(location.line, cst.SimpleStatementLine) and gone.issuperset(location.line.body)
    if isinstance(location.line, cst.SimpleStatementLine) and whole:
        yield from _comments(location.line.trailing_whitespace)
    for child in node.children:
        if child not in getattr(node, "leading_lines", ()):
            yield from _comments(child)


def _comments(node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, cst.Comment) and not _is_only_noqa(node.value):
        yield node.value
    for child in node.children:
        yield from _comments(child)


def _is_only_noqa(comment: str) -> bool:
    return comment.count("#") == 1 and comment[1:].strip().lower().startswith("noqa")
