"""One solved function: what the rules and the callers ask of it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Iterator
from functools import cached_property

from ..flow.graph import Graph, Kind, Node
from ..flow.solve import Solution, solve
from .body import Body
from .each_way import is_behind_check
from .events import Event, Happening
from .folding import folds_for
from .memory import Kept, Key
from .scope import Scope
from .state import FAILED, SWALLOWED, Life, State
from .summary import World
from .transfer import Transfer
from .values import Resource, Value

Begins = Hashable
"""What decides on how a function goes: itself, the names that it begins with, and what it does not know by itself."""


class Flow:
    """The states of one body, followed when they are first asked for. Lines and columns are those of its syntax.

    Nothing is told of a function that ``is_quiet``: it can reach no session, so no path through it is followed.
    ``remembered`` is what is known of its steps from other solutions of the same body.
    """

    def __init__(
        self,
        body: Body,
        world: World,
        outer: Callable[[str], Value],
        starts: Callable[[], list[dict[str, Value]]],
        untold: frozenset[Resource] = frozenset(),
        rows: frozenset[Resource] = frozenset(),
        is_quiet: bool = False,
        remembered: dict[Key, Kept] | None = None,
    ) -> None:
        self.body = body
        self.is_quiet = is_quiet
        self._world = world
        self._scope = Scope(body, outer)
        self._scope.untold = untold
        self._scope.rows = rows
        self._remembered = remembered
        self._starts = starts

    @cached_property
    def graph(self) -> Graph:
        return self.body.graph

    @cached_property
    def starts(self) -> list[dict[str, Value]]:
        """The names at entry, one for each combination that is followed."""
        return self._starts()

    @cached_property
    def begins(self) -> Begins:
        names = tuple([tuple(names.items()) for names in self.starts])
        return self.body, names, self._scope.untold, self._scope.rows

    @cached_property
    def transfer(self) -> Transfer:
        return Transfer(self.body, self._world, self._scope, self._remembered)

    @cached_property
    def solution(self) -> Solution[State]:
        states = [State(names, {}) for names in self.starts]
        return solve(self.graph, states, self.transfer, folds_for(len(self.graph.nodes)))

    @property
    def scope(self) -> Scope:
        """What the body leaves behind for others."""
        if not self.is_quiet:
            _ = self.solution
        return self._scope

    # -- the ways out

    @cached_property
    def returned(self) -> list[State]:
        return self.at(self.graph.returned)

    @cached_property
    def raised(self) -> list[State]:
        return self.at(self.graph.raised)

    def at(self, node: Node) -> list[State]:
        """The states that reach a node; none is told of a quiet function."""
        return [] if self.is_quiet else self.solution.at(node)

    def before(self, part: ast.AST) -> list[State]:
        """The states before the steps in whose syntax an expression stands."""
        steps = (
            n for n in self.graph.nodes if n.syntax is not None and any(each is part for each in ast.walk(n.syntax))
        )
        return [state for step in steps for state in self.at(step)]

    def nodes(self, *kinds: Kind) -> Iterator[Node]:
        return (node for node in self.graph.nodes if node.kind in kinds)

    # -- events

    def events(self, *happenings: Happening) -> list[Event]:
        """What happened, in the order of the file."""
        if self.is_quiet:
            return []
        if len(self._events) == 0:
            return []
        found = [event for happening in happenings for event in self._events.get(happening, ())]
        return sorted(found, key=position) if len(found) > 1 else found

    @cached_property
    def _events(self) -> dict[Happening, list[Event]]:
        _ = self.solution
        found: dict[Happening, list[Event]] = {}
        for event in self.transfer.events:
            found.setdefault(event.happening, []).append(event)
        return found

    def exit_life(self, resource: Resource) -> Life | None:
        """How a session may be left, over all ways out; None where it is not touched."""
        lives = [s.lives[resource] for s in (*self.returned, *self.raised) if resource in s.lives]
        if not lives:
            return None
        result = lives[0]
        for life in lives[1:]:
            result = result.join(life)
        return result

    def are_behind_check(self, made: list[ast.AST]) -> bool:
        """Whether the function makes something only where a condition says so, or returns early without it."""
        return is_behind_check(self.body.statements, made, self.scope.unpooled)

    def left_failed(self) -> Iterator[tuple[Resource, ast.AST]]:
        """The sessions that are left failed on a normal way out, each with the handler that caught the failure."""
        for state in self.returned:
            for resource, life in state.lives.items():
                handler = state.steps.get(("caught", resource))
                if life.phases & FAILED and life.marks & SWALLOWED and isinstance(handler, ast.AST):
                    yield resource, handler


def position(event: Event) -> tuple[int, int]:
    """Where in the file something happened: line and column."""
    return getattr(event.node, "lineno", 0), getattr(event.node, "col_offset", 0)
