"""What happens after a place in a function to rows of a session: which of them are read, and which are changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from ..flow.graph import Kind, Node, Via
from ..session.flow import Flow
from ..session.state import State
from ..session.steps.common import slot
from ..session.syntax import names_below
from ..session.values import RESULT, ROW, ROWS, Resource, Value

_ROWS = frozenset({ROW, ROWS, RESULT})
_PLAIN = frozenset({"str", "int", "float", "bool", "len", "repr", "format", "sum", "round", "any", "isinstance"})
_LOOKS = frozenset({"len", "bool", "isinstance", "type", "id"})
_WRAPS = frozenset({"enumerate", "reversed", "list", "tuple"})
_MANY = 5_000
"""Steps after which the search gives up."""


class Use(NamedTuple):
    """A row that is used: one of its attributes, or "" for the row as a whole.

    ``same``: the name stands for the very row that it stood for at the place, and not for another one of a list.
    """

    name: str
    attribute: str
    node: ast.AST
    is_set: bool = False
    same: bool = True

    def __str__(self) -> str:
        return self.name


class _Known(NamedTuple):
    """The names that stand for rows of before: bound as then, or bound to others of them since; what was set since."""

    same: frozenset[str]
    others: frozenset[str]
    set: frozenset[tuple[str, str]] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        return self.same | self.others

    def without(self, names: frozenset[str]) -> _Known:
        return _Known(self.same - names, self.others - names, frozenset(s for s in self.set if s[0] not in names))

    def with_others(self, names: frozenset[str]) -> _Known:
        known = self.without(names)
        return known._replace(others=known.others | names)


class Afterwards:
    """What is read and changed from the node at a place on, on any way that control may take.

    A row that the function itself expires on the way is read anew in any case, and is no matter from there on. An
    attribute that was set is read without loading (measured), and setting one takes no connection (measured 0 -> 0).
    """

    def __init__(self, flow: Flow, place: Node, resource: Resource) -> None:
        self.flow, self.place, self.resource = flow, place, resource
        names = {n: v for state in flow.at(place) for n, v in state.names.items() if self.holds_rows(v)}
        self.lists = frozenset(n for n, v in names.items() if v.kind == ROWS)
        self.reads: list[Use] = []
        self.changes: list[Use] = []
        for use in self._uses(frozenset(names)):
            (self.changes if use.is_set else self.reads).append(use)

    def derived(self) -> str:
        """A name that is read and may hold rows: it was made of rows, or of the session, by what cannot be seen."""
        return self.first_read(frozenset(self._made_of_rows()))

    def first_read(self, names: frozenset[str]) -> str:
        """The first of some names that is read before it is bound anew."""
        return next((use.name for use in self._uses(names) if not use.is_set), "")

    def holds_rows(self, value: Value) -> bool:
        """Whether rows of the session can be reached from a value: one of them, or what has one inside."""
        if value.kind in _ROWS and value.resource == self.resource:
            return "plain" not in value.extra
        parts = (each for part in value.extra for each in (part if type(part) is tuple else (part,)))
        return any(isinstance(part, Value) and self.holds_rows(part) for part in parts)

    def _uses(self, stale: frozenset[str]) -> list[Use]:
        """Every use of a name of ``stale`` before it is bound anew, in the order in which they are found."""
        found: dict[Use, None] = {}
        waiting, seen = [(self.place, _Known(stale, frozenset()))], set()
        while waiting:
            node, known = waiting.pop()
            known = known.without(self._expired(node, known.names))
            if not known.names or (node, known) in seen:
                continue
            seen.add((node, known))
            if len(seen) > _MANY:
                return [Use(min(known.names), "", node.syntax or ast.Pass())]
            uses = [use._replace(same=use.name in known.same) for use in self._uses_at(node, known.names)]
            found.update((use, None) for use in uses if use.is_set or (use.name, use.attribute) not in known.set)
            after = self._after(node, known, uses)
            waiting.extend((following, known if via is Via.RAISE else after) for via, following in node.out.items())
        return list(found)

    def _expired(self, node: Node, names: frozenset[str]) -> frozenset[str]:
        """The names whose row is expired there without any help."""
        states = self.flow.at(node)
        return frozenset(n for n in names if states and all(is_expired(state.names.get(n)) for state in states))

    def _uses_at(self, node: Node, names: frozenset[str]) -> Iterator[Use]:
        if node.kind is Kind.ITERATE and iterated(node) in self.lists & names:
            return
        tested = set(truths(node.syntax)) if node.kind is Kind.TEST else set()
        for syntax in evaluated(node):
            yield from uses_in(syntax, names, tested)

    def _after(self, node: Node, known: _Known, uses: list[Use]) -> _Known:
        """What is known after a step: what it binds is new, but for the next item of an old list."""
        syntax = node.syntax
        known = known._replace(set=known.set | {(use.name, use.attribute) for use in uses if use.is_set})
        if isinstance(syntax, (ast.For, ast.AsyncFor)) and node.kind is Kind.ITEM:
            targets = frozenset(stored(syntax.target))
            return known.with_others(targets) if slot(syntax) in known.names else known.without(targets)
        if isinstance(syntax, (ast.For, ast.AsyncFor)) and node.kind is Kind.ITERATE:
            items = frozenset({slot(syntax)})
            return known.with_others(items) if iterated(node) in self.lists & known.names else known.without(items)
        return known.without(frozenset(name for part in evaluated(node) for name in stored(part)))

    def _made_of_rows(self) -> set[str]:
        states = [state for states in self.flow.solution.before for state in states]
        sources = {n for state in states for n, v in state.names.items() if self._is_source(v)}
        made: set[str] = set()
        growing = True
        while growing:
            more = {n for n in bindings(self.flow, sources | made, states) if n not in made}
            growing = bool(more)
            made |= more
        return made

    def _is_source(self, value: Value) -> bool:
        return value.resource == self.resource or self.holds_rows(value)


def node_of(flow: Flow, node: ast.AST) -> Node | None:
    """The step of control that carries an expression out."""
    for step in flow.graph.nodes:
        if any(part is node for syntax in evaluated(step) for part in ast.walk(syntax)):
            return step
    return None


def evaluated(node: Node) -> Iterator[ast.AST]:
    """The syntax that a step evaluates: of a compound statement its header only."""
    syntax = node.syntax
    match node.kind:
        case Kind.ITERATE if isinstance(syntax, (ast.For, ast.AsyncFor)):
            yield syntax.iter
        case Kind.ITEM | Kind.BREAK | Kind.LEAVE | Kind.ABORT | Kind.CATCH:
            return
        case Kind.SUBJECT if isinstance(syntax, ast.Match):
            yield syntax.subject
        case Kind.CASE if isinstance(syntax, ast.match_case):
            yield syntax.pattern
        case _ if syntax is not None:
            yield syntax


def uses_in(syntax: ast.AST, names: frozenset[str], tested: set[ast.AST]) -> Iterator[Use]:
    """The uses of ``names`` in an expression or simple statement; a look at whether there is a row is none."""
    passed = set(tested)
    for part in ast.walk(syntax):
        passed.update(looked_at(part))
        match part:
            case ast.AugAssign(target=ast.Attribute(value=ast.Name(id=name)) as target) if name in names:
                passed |= {target, target.value}
                yield Use(name, "", part)
            case ast.Attribute(value=ast.Name(id=name) as owner) if name in names and part not in passed:
                passed.add(owner)
                is_set = isinstance(part.ctx, ast.Store)
                yield Use(name, "" if isinstance(part.ctx, ast.Del) else part.attr, part, is_set)
            case ast.Attribute() if ast.unparse(part) in names:
                yield Use(ast.unparse(part), "", part)
            case ast.Name(id=name, ctx=ast.Load()) if name in names and part not in passed:
                yield Use(name, "", part)


def looked_at(part: ast.AST) -> Iterator[ast.AST]:
    """What an expression asks nothing of but whether it is there, and how much of it."""
    match part:
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            yield left
        case ast.Call(func=ast.Name(id=function), args=[argument, *_]) if function in _LOOKS:
            yield argument
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from truths(operand)
        case ast.IfExp(test=test):
            yield from truths(test)


def truths(syntax: ast.AST | None) -> Iterator[ast.AST]:
    """The operands of a condition that count as true or false."""
    match syntax:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from truths(operand)
        case ast.BoolOp(values=values):
            for value in values:
                yield from truths(value)
        case ast.Name():
            yield syntax


def is_expired(value: Value | None) -> bool:
    return value is not None and value.kind == ROW and "expired" in value.extra


def iterated(node: Node) -> str:
    """The name of the list that a loop goes through, as it is or counted."""
    match node.syntax:
        case ast.For(iter=ast.Call(func=ast.Name(id=wrapper), args=[ast.Name(id=name)])) if wrapper in _WRAPS:
            return name
        case ast.For(iter=ast.Name(id=name)) | ast.AsyncFor(iter=ast.Name(id=name)):
            return name
    return ""


def stored(syntax: ast.AST) -> Iterator[str]:
    for part in ast.walk(syntax):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id


def bindings(flow: Flow, sources: set[str], states: list[State]) -> Iterator[str]:
    """The names that are bound to something made of ``sources`` that the engine cannot tell."""
    told = {n for state in states for n in state.names}
    for node in flow.body.own_nodes:
        match node:
            case ast.Assign(value=value, targets=targets):
                bound: list[ast.expr] = targets
            case ast.AnnAssign(value=ast.expr() as value, target=target) | ast.NamedExpr(value=value, target=target):
                bound = [target]
            case ast.For(iter=value, target=target) | ast.AsyncFor(iter=value, target=target):
                bound = [target]
            case _:
                continue
        if may_hold(value, sources):
            yield from (name for target in bound for name in stored(target) if name not in told)


def may_hold(value: ast.expr, sources: set[str]) -> bool:
    """Whether an expression over ``sources`` may give something of which rows can be reached."""
    match value:
        case ast.Constant() | ast.JoinedStr() | ast.Compare() | ast.Attribute():
            return False
        case ast.Call(func=ast.Name(id=name)) if name in _PLAIN:
            return False
        case ast.Call(func=ast.Attribute(value=receiver)) if is_chain(receiver, sources):
            return False  # a method of the session, a query or a row: the engine knows what it gives
        case ast.Await(value=inner):
            return may_hold(inner, sources)
        case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.GeneratorExp(elt=element):
            return may_hold(element, sources | made_by(value.generators, sources))
        case ast.DictComp(value=element):
            return may_hold(element, sources | made_by(value.generators, sources))
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return any(may_hold(part, sources) for part in parts)
        case ast.Dict(values=parts):
            return any(may_hold(part, sources) for part in parts)
        case ast.BinOp(left=left, right=right):
            return may_hold(left, sources) or may_hold(right, sources)
        case ast.IfExp(body=body, orelse=orelse):
            return may_hold(body, sources) or may_hold(orelse, sources)
    return not sources.isdisjoint(names_below(value))


def made_by(generators: list[ast.comprehension], sources: set[str]) -> set[str]:
    """The names that a comprehension binds to items of something over ``sources``; what others hold is no row."""
    made: set[str] = set()
    for each in generators:
        if not (sources | made).isdisjoint(names_below(each.iter)):
            made.update(stored(each.target))
    return made


def is_chain(receiver: ast.expr, sources: set[str]) -> bool:
    """``session``, ``session.query(Pump).filter(…)``: calls of methods that begin with a source."""
    while isinstance(receiver, (ast.Call, ast.Attribute)):
        receiver = receiver.func if isinstance(receiver, ast.Call) else receiver.value
    return isinstance(receiver, ast.Name) and receiver.id in sources
