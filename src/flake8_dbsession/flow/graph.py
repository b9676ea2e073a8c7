"""The statement-level control-flow graph of one function body.

The graph is built backwards: a builder is told where control goes afterwards (the next node, and where
``return``, ``raise``, ``break`` and ``continue`` lead) and answers with the entry of what it built.
``finally`` and the exit of ``with`` are pieces put in front of each of these ways, one copy for each way
that is really taken, so the state of a return never mixes with the state of an exception.

Exceptions are edges: every node that may raise has a ``RAISE`` edge, and the solver decides which state
travels along it.
"""

from __future__ import annotations

import ast
import enum
from collections.abc import Callable, Sequence


class Kind(enum.Enum):
    """What a node does; in brackets the syntax it carries."""

    ENTRY = "entry"
    STATEMENT = "statement"  # a simple statement, a def or a class
    TEST = "test"  # the condition of if, while, assert or a case's guard
    ITERATE = "iterate"  # For/AsyncFor: evaluates the iterable
    ITEM = "item"  # For/AsyncFor: binds the next item (TRUE) or ends (FALSE)
    BREAK = "break"  # For over a call: left before its end
    ENTER = "enter"  # withitem: evaluates and enters
    LEAVE = "leave"  # withitem: left without an exception
    ABORT = "abort"  # withitem: left by an exception; SWALLOW where the manager may swallow it
    CATCH = "catch"  # ExceptHandler: TRUE into the body, FALSE to the next handler
    SUBJECT = "subject"  # Match: evaluates the subject
    CASE = "case"  # match_case: TRUE where the pattern fits
    RETURNED = "returned"
    RAISED = "raised"

    __hash__ = object.__hash__  # each is one object, and asked for at every step


class Via(enum.Enum):
    """How control leaves a node."""

    NEXT = "next"
    TRUE = "true"
    FALSE = "false"
    RAISE = "raise"
    SWALLOW = "swallow"

    __hash__ = object.__hash__  # each is one object, and a key of every node


class Node:
    """One step of control. ``out`` maps the way out to the node it leads to; ``statement`` is the statement around."""

    __slots__ = ("index", "kind", "out", "statement", "syntax")

    def __init__(self, index: int, kind: Kind, syntax: ast.AST | None, statement: ast.AST | None) -> None:
        self.index = index
        self.kind = kind
        self.syntax = syntax
        self.statement = statement
        self.out: dict[Via, Node] = {}

    @property
    def line(self) -> int:
        """The line of the syntax (0 for the entry and the two exits)."""
        syntax = self.syntax.context_expr if isinstance(self.syntax, ast.withitem) else self.syntax
        if isinstance(syntax, ast.match_case):
            syntax = syntax.pattern
        return getattr(syntax, "lineno", 0)


class Graph:
    """The nodes of one body, with its entry and its two ways out."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.ranks: list[int] = []
        """Found by the solver, once."""
        self.returned = self.node(Kind.RETURNED)
        self.raised = self.node(Kind.RAISED)
        self.entry = self.returned

    def node(self, kind: Kind, syntax: ast.AST | None = None, statement: ast.AST | None = None) -> Node:
        made = Node(len(self.nodes), kind, syntax, statement)
        self.nodes.append(made)
        return made


Lazy = Callable[[], Node]


class Ways:
    """Where control goes when it does not simply go on; each is built when somebody first asks for it."""

    __slots__ = ("break_", "continue_", "raise_", "return_")

    def __init__(self, return_: Lazy, raise_: Lazy, break_: Lazy, continue_: Lazy) -> None:
        self.return_ = return_
        self.raise_ = raise_
        self.break_ = break_
        self.continue_ = continue_

    def map(self, change: Callable[[Lazy, bool], Lazy]) -> Ways:
        """The same ways with ``change(way, is_exception)`` put in front of each."""
        return Ways(
            change(self.return_, False),
            change(self.raise_, True),
            change(self.break_, False),
            change(self.continue_, False),
        )


def once(build: Lazy) -> Lazy:
    """``build`` that is called at the first use only."""
    made: list[Node] = []

    def get() -> Node:
        if not made:
            made.append(build())
        return made[0]

    return get


def build(body: Sequence[ast.stmt]) -> Graph:
    """The graph of ``body``, the statements of a function or a module."""
    graph = Graph()
    builder = _Builder(graph)
    here = Ways(lambda: graph.returned, lambda: graph.raised, lambda: graph.returned, lambda: graph.returned)
    graph.entry = graph.node(Kind.ENTRY)
    graph.entry.out[Via.NEXT] = builder.block(body, lambda: graph.returned, here)
    return graph


class _Builder:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def block(self, body: Sequence[ast.stmt], after: Lazy, ways: Ways) -> Node:
        entry = after()
        for statement in reversed(body):
            entry = self.statement(statement, entry, ways)
        return entry

    def statement(self, statement: ast.stmt, after: Node, ways: Ways) -> Node:
        match statement:
            case ast.If():
                return self.branch(statement, after, ways)
            case ast.While():
                return self.loop(statement, self.test(statement.test, statement, ways), after, ways)
            case ast.For() | ast.AsyncFor():
                return self.iteration(statement, after, ways)
            case ast.Try():
                return self.attempt(statement, after, ways)
            case ast.With() | ast.AsyncWith():
                return self.with_items(statement, statement.items, after, ways)
            case ast.Match():
                return self.cases(statement, after, ways)
            case ast.Assert():
                node = self.test(statement.test, statement, ways)
                node.out[Via.TRUE], node.out[Via.FALSE] = after, ways.raise_()
                return node
            case ast.Return():
                return self.simple(statement, ways.return_(), ways)
            case ast.Break():
                return ways.break_()
            case ast.Continue():
                return ways.continue_()
            case ast.Raise():
                node = self.simple(statement, after, ways)
                del node.out[Via.NEXT]
                return node
        if _is_group(statement):
            return self.attempt(statement, after, ways)  # type: ignore[arg-type]
        return self.simple(statement, after, ways)

    def simple(self, statement: ast.stmt, after: Node, ways: Ways) -> Node:
        node = self.graph.node(Kind.STATEMENT, statement, statement)
        node.out = {Via.NEXT: after, Via.RAISE: ways.raise_()}
        return node

    def test(self, condition: ast.expr, statement: ast.stmt, ways: Ways) -> Node:
        node = self.graph.node(Kind.TEST, condition, statement)
        node.out[Via.RAISE] = ways.raise_()
        return node

    def branch(self, statement: ast.If, after: Node, ways: Ways) -> Node:
        node = self.test(statement.test, statement, ways)
        node.out[Via.TRUE] = self.block(statement.body, lambda: after, ways)
        node.out[Via.FALSE] = self.block(statement.orelse, lambda: after, ways)
        return node

    def loop(self, statement: ast.While | ast.For | ast.AsyncFor, head: Node, after: Node, ways: Ways) -> Node:
        """``head`` decides whether there is another turn."""
        inner = Ways(ways.return_, ways.raise_, self.broken(statement, after), lambda: head)
        head.out[Via.TRUE] = self.block(statement.body, lambda: head, inner)
        head.out[Via.FALSE] = self.block(statement.orelse, lambda: after, ways)
        return head

    def broken(self, statement: ast.While | ast.For | ast.AsyncFor, after: Node) -> Lazy:
        """Where ``break`` leads: what a call has given to a ``for`` is dropped before."""
        if not isinstance(statement, ast.For) or not isinstance(statement.iter, ast.Call):
            return lambda: after

        def made() -> Node:
            node = self.graph.node(Kind.BREAK, statement, statement)
            node.out[Via.NEXT] = after
            return node

        return once(made)

    def iteration(self, statement: ast.For | ast.AsyncFor, after: Node, ways: Ways) -> Node:
        head = self.graph.node(Kind.ITEM, statement, statement)
        head.out[Via.RAISE] = ways.raise_()
        start = self.graph.node(Kind.ITERATE, statement, statement)
        start.out = {Via.NEXT: self.loop(statement, head, after, ways), Via.RAISE: ways.raise_()}
        return start

    def with_items(
        self, statement: ast.With | ast.AsyncWith, items: Sequence[ast.withitem], after: Node, ways: Ways
    ) -> Node:
        if not items:
            return self.block(statement.body, lambda: after, ways)
        item = items[0]

        def leave(way: Lazy, is_exception: bool) -> Lazy:
            def made() -> Node:
                node = self.graph.node(Kind.ABORT if is_exception else Kind.LEAVE, item, statement)
                node.out[Via.RAISE if is_exception else Via.NEXT] = way()
                if is_exception:
                    node.out[Via.SWALLOW] = after
                return node

            return once(made)

        inside = leave(lambda: after, False)()
        enter = self.graph.node(Kind.ENTER, item, statement)
        enter.out[Via.NEXT] = self.with_items(statement, items[1:], inside, ways.map(leave))
        enter.out[Via.RAISE] = ways.raise_()
        return enter

    def attempt(self, statement: ast.Try, after: Node, ways: Ways) -> Node:
        def finish(way: Lazy, _is_exception: bool) -> Lazy:
            return once(lambda: self.block(statement.finalbody, way, ways))

        if statement.finalbody:
            done, outer = finish(lambda: after, False), ways.map(finish)
        else:
            done, outer = (lambda: after), ways
        catch = once(lambda: self.handlers(statement, done, outer))
        inner = Ways(outer.return_, catch, outer.break_, outer.continue_)
        last = once(lambda: self.block(statement.orelse, done, outer))
        return self.block(statement.body, last, inner)

    def handlers(self, statement: ast.Try, done: Lazy, ways: Ways) -> Node:
        """The handlers one after the other; behind one of ``except*`` come those that follow it, for the rest."""
        entry, others = ways.raise_(), done
        for handler in reversed(statement.handlers):
            if _is_group(statement):
                others, behind = self.other_handler(handler, statement, others, ways), others
            else:
                behind = done
            entry = self.catch(handler, statement, behind, entry, ways)
        return entry

    def other_handler(self, handler: ast.ExceptHandler, statement: ast.Try, others: Lazy, ways: Ways) -> Lazy:
        """``handler`` where one before it has run: with nothing left for it, control goes on to the ``others``."""
        return once(lambda: self.catch(handler, statement, others, others(), ways))

    def catch(self, handler: ast.ExceptHandler, statement: ast.Try, behind: Lazy, otherwise: Node, ways: Ways) -> Node:
        node = self.graph.node(Kind.CATCH, handler, statement)
        node.out = {Via.TRUE: self.block(handler.body, behind, ways), Via.FALSE: otherwise}
        return node

    def cases(self, statement: ast.Match, after: Node, ways: Ways) -> Node:
        entry = after
        for case in reversed(statement.cases):
            body = self.block(case.body, lambda: after, ways)
            if case.guard is not None:
                guard = self.test(case.guard, statement, ways)
                guard.out[Via.TRUE], guard.out[Via.FALSE] = body, entry
                body = guard
            node = self.graph.node(Kind.CASE, case, statement)
            node.out = {Via.TRUE: body, Via.FALSE: entry}
            entry = node
        subject = self.graph.node(Kind.SUBJECT, statement, statement)
        subject.out = {Via.NEXT: entry, Via.RAISE: ways.raise_()}
        return subject


def _is_group(statement: ast.stmt) -> bool:
    """``try`` with ``except*``, which Python 3.10 does not have."""
    return type(statement).__name__ == "TryStar"
