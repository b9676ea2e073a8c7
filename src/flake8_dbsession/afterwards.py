"""What is read after a place in a function: names that stand for rows of a session, or may do."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .flow.graph import Kind, Node
from .session.flow import Flow
from .session.state import State
from .session.transfer import slot
from .session.values import RESULT, ROW, ROWS, Resource, Value

_ROWS = frozenset({ROW, ROWS, RESULT})
_PLAIN = frozenset({"str", "int", "float", "bool", "len", "repr", "format", "sum", "round", "any", "isinstance"})
_MANY = 5_000
"""Steps after which the search gives up."""


class Afterwards:
    """The names that are read from the node at a place on, on any way that control may take."""

    def __init__(self, flow: Flow, place: Node, resource: Resource) -> None:
        self.flow, self.place, self.resource = flow, place, resource

    def row(self) -> str:
        """A name of a row, or of several, that is read; "" for none."""
        names = {n for state in self.flow.at(self.place) for n, v in state.names.items() if self.holds_rows(v)}
        return self._first_read(frozenset(names))

    def derived(self) -> str:
        """A name that is read and may hold rows: it was made of rows, or of the session, by what cannot be seen."""
        return self._first_read(frozenset(self._made_of_rows()))

    def holds_rows(self, value: Value) -> bool:
        """Whether rows of the session can be reached from a value."""
        if value.kind in _ROWS and value.resource == self.resource:
            return "plain" not in value.extra
        return any(isinstance(part, Value) and self.holds_rows(part) for part in value.extra)

    def _first_read(self, stale: frozenset[str]) -> str:
        """The first name of ``stale`` that is read before it is bound anew."""
        waiting, seen = [(self.place, stale)], set()
        while waiting:
            node, names = waiting.pop()
            if not names or (node, names) in seen:
                continue
            seen.add((node, names))
            if len(seen) > _MANY:
                return min(names)
            found = next((name for name in read_at(node) if name in names), "")
            if found:
                return found
            after = bound_after(node, names)
            waiting.extend((following, after) for following in node.out.values())
        return ""

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
        case Kind.ITEM | Kind.LEAVE | Kind.ABORT | Kind.CATCH:
            return
        case Kind.SUBJECT if isinstance(syntax, ast.Match):
            yield syntax.subject
        case Kind.CASE if isinstance(syntax, ast.match_case):
            yield syntax.pattern
        case _ if syntax is not None:
            yield syntax


def read_at(node: Node) -> Iterator[str]:
    """The names, and the dotted ones, that a step reads."""
    for syntax in evaluated(node):
        for part in ast.walk(syntax):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                yield part.id
            elif isinstance(part, ast.Attribute):
                yield ast.unparse(part)


def bound_after(node: Node, stale: frozenset[str]) -> frozenset[str]:
    """The stale names after a step: what it binds is new, but for the next item of an old list."""
    syntax = node.syntax
    if node.kind is Kind.ITEM and isinstance(syntax, (ast.For, ast.AsyncFor)):
        targets = frozenset(stored(syntax.target))
        return stale | targets if slot(syntax) in stale else stale - targets
    if node.kind is Kind.ITERATE and isinstance(syntax, (ast.For, ast.AsyncFor)):
        return stale - {slot(syntax)}
    return stale - frozenset(name for part in evaluated(node) for name in stored(part))


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
            made = {name for each in value.generators for name in stored(each.target)}
            return may_hold(element, sources | made)
        case ast.DictComp(value=element):
            made = {name for each in value.generators for name in stored(each.target)}
            return may_hold(element, sources | made)
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return any(may_hold(part, sources) for part in parts)
        case ast.Dict(values=parts):
            return any(may_hold(part, sources) for part in parts)
        case ast.BinOp(left=left, right=right):
            return may_hold(left, sources) or may_hold(right, sources)
        case ast.IfExp(body=body, orelse=orelse):
            return may_hold(body, sources) or may_hold(orelse, sources)
    return any(isinstance(part, ast.Name) and part.id in sources for part in ast.walk(value))


def is_chain(receiver: ast.expr, sources: set[str]) -> bool:
    """``session``, ``session.query(Pump).filter(…)``: calls of methods that begin with a source."""
    while isinstance(receiver, (ast.Call, ast.Attribute)):
        receiver = receiver.func if isinstance(receiver, ast.Call) else receiver.value
    return isinstance(receiver, ast.Name) and receiver.id in sources
