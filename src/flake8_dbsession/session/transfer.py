"""What each step of control does: one node and one state in, the states on its ways out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

from ..flow.graph import Kind, Node, Via
from .blocks import entered, left, manager_of, release_attributes, release_given
from .body import Body
from .entering import entered_object, lent_by
from .evaluate import Evaluation
from .events import Event, Happening
from .exceptions import accepts, expects, takes
from .generated import begin_block, begin_turns, drop_turns, end_block, end_turns, hold_in_turns
from .liveness import CAUGHT
from .memory import Kept, Key, Memory
from .moment import Moment
from .refine import FALSE_NODE, TRUE_NODE, assume, is_flag_of_missing, is_left_to_others, take_as_missing
from .scope import Scope
from .simple_statements import carry_out
from .state import BROKEN, COMMITTED, CUT, FAILED, HELD, IDLE, STORED, STREAMING, SWALLOWED, TOLD, Life, State
from .statements import ENUMERATED, STREAMED
from .summary import World
from .values import (
    MANAGER,
    NAMED,
    OBJECT,
    SESSION,
    UNKNOWN,
    Value,
    truth,
)
from .waiting import wait_for_next, wait_to_enter

Out = Iterator[tuple[Via, State]]
_SUPPRESS = "contextlib.suppress"


class Transfer:
    """The transfer function of one body. ``events`` fills while the solver runs.

    ``remembered`` is what is known of its steps from other solutions of the same body, None where there are none.
    """

    def __init__(self, body: Body, world: World, scope: Scope, remembered: dict[Key, Kept] | None = None) -> None:
        self.body = body
        self.world = world
        self.scope = scope
        self.events: dict[Event, None] = {}
        self.moments: list[Moment] = []
        self.memory = Memory(body.steps, remembered)

    def __call__(self, node: Node, state: State) -> Iterable[tuple[Via, State]]:
        """The states in which ``state`` leaves the node, without the names that nobody asks for behind it."""
        left = self.body.steps[node.index].left
        if not left:
            return ()
        outcomes = self.outcomes(node, state)
        return [(via, after.without(left[via]) if left[via] else after) for via, after in outcomes if via in left]

    def outcomes(self, node: Node, state: State) -> Iterable[tuple[Via, State]]:
        """As :meth:`carried_out`; a step that meets no session and leaves nothing behind is carried out once."""
        key = self.memory.key(node, state)
        if key is None:
            return self.carried_out(node, state)
        known = self.memory.recall(key)
        sources = self.world.sources
        if known is not None:
            sources.met |= known.met
            return [(outcome.via, outcome.after(state)) for outcome in known.outcomes]
        self.moments.clear()
        asked, left = self.world.summaries, self.scope.size
        around, sources.met = sources.met, 0
        try:
            outcomes = list(self.carried_out(node, state))
            if all(moment.is_apart for moment in self.moments) and left == self.scope.size:
                for_all = asked == self.world.summaries
                self.memory.keep(key, node, state, outcomes, sources.met, for_all=for_all)
        finally:
            sources.met |= around
        return outcomes

    def carried_out(self, node: Node, state: State) -> Out:
        carry_out_kind = _BY_KIND.get(node.kind)
        return carry_out_kind(self, node, state) if carry_out_kind is not None else iter([(Via.NEXT, state)])

    def evaluation(self, state: State) -> Evaluation:
        ev = Evaluation(self.body, self.world, self.scope, state, self.events)
        self.moments.append(ev.now)
        return ev

    def outcome(self, ev: Evaluation, *ways: Via) -> Out:
        self.scope.take_own(ev.now.own)
        self.scope.used |= ev.now.used
        self.scope.closed |= ev.now.closed
        for way in ways if not ev.now.is_dead else ():
            yield way, ev.now.state()
        for state in ev.now.failed_states():
            yield Via.RAISE, state

    # -- simple statements

    def statement(self, node: Node, state: State) -> Out:
        statement = node.syntax
        fork = self.fork(statement, state)
        if fork is not None:
            return fork
        ev = self.evaluation(state)
        carry_out(ev, statement)
        return self.outcome(ev, Via.NEXT)

    def fork(self, statement: ast.AST | None, state: State) -> Out | None:
        """``x = a if t else b`` and ``x = a or b``: both outcomes are followed apart."""
        value = statement.value if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Return)) else None
        if isinstance(value, ast.IfExp):
            return self.forked(statement, state, value.test, value.body, value.orelse)
        if isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or) and len(value.values) == 2:
            left, right = value.values
            if isinstance(left, (ast.Name, ast.Attribute)):
                return self.forked(statement, state, left, left, right)
        if isinstance(statement, ast.Assign) and is_flag_of_missing(self.body, state, statement):
            return self.flagged(statement, state)
        return None

    def flagged(self, statement: ast.Assign, state: State) -> Out:
        """``own = session is None``: from here on the flag and the parameter agree, whatever tests them."""
        for wanted in (True, False):
            ev = self.evaluation(state)
            if take_as_missing(ev, statement.value, wanted):
                carry_out(ev, statement, TRUE_NODE if wanted else FALSE_NODE)
                yield from self.outcome(ev, Via.NEXT)

    def forked(self, statement: ast.AST | None, state: State, test: ast.expr, yes: ast.expr, no: ast.expr) -> Out:
        for chosen, wanted in ((yes, True), (no, False)):
            ev = self.evaluation(state)
            known = truth(ev.value(test))
            if known is (not wanted) or not assume(ev, test, wanted):
                continue
            carry_out(ev, statement, chosen)
            yield from self.outcome(ev, Via.NEXT)

    # -- conditions and loops

    def test(self, node: Node, state: State) -> Out:
        condition = node.syntax
        assert isinstance(condition, ast.expr)
        ev = self.evaluation(state)
        if is_left_to_others(ev, condition):
            yield Via.FALSE, state
            return
        known = truth(ev.value(condition))
        if known is not False:
            taken = ev.fork()
            self.moments.append(taken.now)
            if assume(taken, condition, True):
                yield Via.TRUE, taken.now.state()
        if known is not True and assume(ev, condition, False):
            yield Via.FALSE, ev.now.state()
        for failed in ev.now.failed_states():
            yield Via.RAISE, failed

    def iterate(self, node: Node, state: State) -> Out:
        loop = node.syntax
        assert isinstance(loop, (ast.For, ast.AsyncFor))
        ev = self.evaluation(state)
        if isinstance(loop, ast.AsyncFor):
            ev.awaited = loop.iter
        value = ev.value(loop.iter)
        if value.kind == "generated":
            ev.now.names[f"{slot(loop)} end"] = begin_turns(ev, value, loop.iter)
            ev.now.names[f"{slot(loop)} own"] = hold_in_turns(ev, value, loop)
        item = ev.item_of(value, loop.iter) if value.kind != "generated" else UNKNOWN
        if item.kind == SESSION and item.resource is not None:
            ev.now.open(item.resource, loop.iter, HELD if item.resource.is_connection else IDLE)
            ev.now.mark(item.resource, STORED)
        ev.now.names[slot(loop)] = item
        if value.kind == OBJECT:
            ev.now.names[f"{slot(loop)} source"] = value
        stream = value.extra[0] if value.kind == ENUMERATED and value.extra else value
        if STREAMED in stream.extra and stream.resource is not None:
            ev.now.names[f"{slot(loop)} rows"] = stream
            ev.now.unmark(stream.resource, CUT)
            ev.now.mark(stream.resource, STREAMING)
        yield from self.outcome(ev, Via.NEXT)

    def item(self, node: Node, state: State) -> Out:
        loop = node.syntax
        assert isinstance(loop, (ast.For, ast.AsyncFor))
        ev = self.evaluation(state)
        item = ev.now.names.get(slot(loop), UNKNOWN)
        if item.kind == OBJECT and f"{slot(loop)} source" in ev.now.names:
            wait_for_next(ev, item, loop.iter)
            item = UNKNOWN
        stream = ev.now.names.get(f"{slot(loop)} rows", UNKNOWN).resource
        if stream is not None and ev.now.life(stream).marks & CUT:
            ev.now.event(Happening.COMMITTED_STREAMING, ev.now.steps.get(("cut", stream), loop), stream)
            ev.now.unmark(stream, CUT)
        ev.bind(loop.target, item)
        yield Via.TRUE, ev.now.state()
        ended = self.evaluation(state)
        ended.now.names.pop(slot(loop), None)
        end_turns(ended.now, ended.now.names.pop(f"{slot(loop)} end", UNKNOWN))
        drop_turns(ended.now, ended.now.names.pop(f"{slot(loop)} own", UNKNOWN))
        if item.kind == SESSION and item.resource is not None:
            ended.now.finish(item.resource, loop)
        if stream is not None:
            ended.now.names.pop(f"{slot(loop)} rows", None)
            ended.now.unmark(stream, STREAMING | CUT)
        yield Via.FALSE, ended.now.state()

    def broken(self, node: Node, state: State) -> Out:
        """The loop drops a generator before its end, which closes its session at once (measured on CPython)."""
        now = Moment(state, self.events)
        drop_turns(now, now.names.pop(f"{slot(node.syntax)} own", UNKNOWN))  # type: ignore[arg-type]
        item = now.names.pop(slot(node.syntax), UNKNOWN)  # type: ignore[arg-type]
        if item.kind == SESSION and item.resource is not None:
            now.finish(item.resource, node.syntax)  # type: ignore[arg-type]
        yield Via.NEXT, now.state()

    # -- with

    def enter(self, node: Node, state: State) -> Out:
        item = node.syntax
        assert isinstance(item, ast.withitem)
        ev = self.evaluation(state)
        if isinstance(node.statement, ast.AsyncWith):
            ev.awaited = item.context_expr
        value = manager_of(ev.value(item.context_expr), item.context_expr)
        bound = entered(ev, value, item.context_expr)
        if bound == UNKNOWN and value == UNKNOWN:
            bound = ev.by_its_use(item.optional_vars)
            if bound.kind == SESSION:
                value = Value(MANAGER, resource=bound.resource, extra=("borrowed", True, True))
        if value.kind == OBJECT:
            value, bound = entered_object(ev, value, item.context_expr, isinstance(node.statement, ast.AsyncWith))
        if value.kind == OBJECT:
            bound = lent_by(ev, value, isinstance(node.statement, ast.AsyncWith)) or bound
            bound = wait_to_enter(ev, value, item.context_expr, isinstance(node.statement, ast.AsyncWith)) or bound
        if item.optional_vars is not None:
            ev.bind(item.optional_vars, bound)
        if value.kind == "generated":
            ev.now.names[f"{slot(item.context_expr)} end"] = begin_block(ev, value, item.context_expr)
        ev.now.names[slot(item.context_expr)] = value
        yield from self.outcome(ev, Via.NEXT)

    def leave(self, node: Node, state: State) -> Out:
        yield Via.NEXT, self.left(node, state)

    def left(self, node: Node, state: State) -> State:
        item = node.syntax
        assert isinstance(item, ast.withitem)
        now = Moment(state, self.events)
        value = now.names.pop(slot(item.context_expr), UNKNOWN)
        left(now, value, item.context_expr, self.world, bool(state.raising))
        name = item.optional_vars or item.context_expr
        if value.kind == OBJECT and isinstance(name, ast.Name):
            release_attributes(now, name.id)
        if value == UNKNOWN and isinstance(item.optional_vars, ast.Name) and node.statement is not None:
            release_given(now, node.statement, item.optional_vars.id)
        end_block(now, now.names.pop(f"{slot(item.context_expr)} end", UNKNOWN))
        self.scope.take_own(now.own)
        return now.state()

    def abort(self, node: Node, state: State) -> Out:
        item = node.syntax
        assert isinstance(item, ast.withitem)
        value = state.names.get(slot(item.context_expr), UNKNOWN)
        left = self.left(node, state)
        call = item.context_expr
        if value.kind in (OBJECT, NAMED) and value.name == _SUPPRESS and isinstance(call, ast.Call):
            enters, passes = takes(call.args, left.raising)
            if enters:
                yield Via.SWALLOW, swallowed(left, item.context_expr)
            if not passes:
                return
        yield Via.RAISE, left

    # -- except

    def catch(self, node: Node, state: State) -> Out:
        handler = node.syntax
        assert isinstance(handler, ast.ExceptHandler)
        enters, passes = accepts(handler, state.raising, self.evaluation(state))
        if enters:
            left = self.rolled_back(state)
            inside = swallowed(left, handler) if expects(handler, state.raising) else left
            names = {**inside.names, CAUGHT: Value("caught", state.raising, extra=(handler.name,))}
            yield Via.TRUE, State(names, inside.lives, "", inside.result, inside.steps)
        if passes:
            yield Via.FALSE, state

    def rolled_back(self, state: State) -> State:
        """The same where the project's own sessions roll back by themselves as a commit of theirs fails."""
        failed = {r: life for r, life in state.lives.items() if life.phases & FAILED and life.marks & COMMITTED}
        if not failed or not self.world.rolls_back(self.body.module):
            return state
        lives = {r: Life(life.phases & ~FAILED | IDLE, life.marks & ~COMMITTED) for r, life in failed.items()}
        return State(state.names, {**state.lives, **lives}, state.raising, state.result, state.steps)

    def subject(self, node: Node, state: State) -> Out:
        ev = self.evaluation(state)
        ev.value(node.syntax.subject)  # type: ignore[union-attr]
        return self.outcome(ev, Via.NEXT)

    def case(self, node: Node, state: State) -> Out:
        case = node.syntax
        assert isinstance(case, ast.match_case)
        ev = self.evaluation(state)
        for part in ast.walk(case.pattern):
            name = getattr(part, "name", None) if isinstance(part, (ast.MatchAs, ast.MatchStar)) else None
            if name:
                ev.now.bind(name, UNKNOWN, constants=frozenset())
        yield Via.TRUE, ev.now.state()
        if not (isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None):
            yield Via.FALSE, state


_BY_KIND: dict[Kind, Callable[[Transfer, Node, State], Out]] = {
    Kind.STATEMENT: Transfer.statement,
    Kind.TEST: Transfer.test,
    Kind.ITERATE: Transfer.iterate,
    Kind.ITEM: Transfer.item,
    Kind.BREAK: Transfer.broken,
    Kind.ENTER: Transfer.enter,
    Kind.LEAVE: Transfer.leave,
    Kind.ABORT: Transfer.abort,
    Kind.CATCH: Transfer.catch,
    Kind.SUBJECT: Transfer.subject,
    Kind.CASE: Transfer.case,
}
"""What carries out a node; the entry and the exits do nothing."""


def swallowed(state: State, handler: ast.AST | None = None) -> State:
    """The exception is caught: a session that failed is marked as failed and carried on; so is a broken transaction."""
    new = {r for r, life in state.lives.items() if life.phases & FAILED and not life.marks & (SWALLOWED | TOLD)}
    lives = {r: Life(life.phases, life.marks | SWALLOWED) if r in new else life for r, life in state.lives.items()}
    broken = {r for r, life in lives.items() if life.marks & BROKEN and ("caught", r) not in state.steps}
    failed = {("caught", r): handler for r in new | broken}
    return State(state.names, lives, "", state.result, {**state.steps, **failed})


def slot(node: ast.AST) -> str:
    """Where a loop or ``with`` keeps its own value among the names."""
    return f"<{node.lineno}:{node.col_offset}>"  # type: ignore[attr-defined]
