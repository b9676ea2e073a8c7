"""What each step of control does: one node and one state in, the states on its ways out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..flow.graph import Kind, Node, Via
from .body import Body
from .events import Event
from .expressions.evaluate import Evaluation
from .memory import Kept, Key, Memory
from .moment import Moment
from .scope import Scope
from .state import State
from .steps import conditions, forks, handlers, loops, managers
from .steps.common import Out
from .summary import World


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


_BY_KIND: dict[Kind, Callable[[Transfer, Node, State], Out]] = {
    Kind.STATEMENT: forks.statement,
    Kind.TEST: conditions.decide,
    Kind.ITERATE: loops.iterate,
    Kind.ITEM: loops.next_turn,
    Kind.BREAK: loops.break_off,
    Kind.ENTER: managers.enter,
    Kind.LEAVE: managers.leave,
    Kind.ABORT: managers.abort,
    Kind.CATCH: handlers.catch,
    Kind.SUBJECT: conditions.subject,
    Kind.CASE: conditions.compare,
}
"""What carries out a node; the entry and the exits do nothing."""
