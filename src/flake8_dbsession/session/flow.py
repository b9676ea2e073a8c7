"""One solved function: what the rules and the callers ask of it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cached_property

from ..flow.graph import Graph, Kind, Node
from ..flow.solve import Solution, solve
from .blocks import commits
from .body import Body
from .call import place
from .each_way import is_behind_check
from .events import Event, Happening
from .memory import Kept, Key
from .pausing import is_rare
from .scope import Scope
from .state import ENTRY, FAILED, IDLE, STORED, SWALLOWED, TOLD, Life, State, merge
from .summary import Heard, Own, Summary, World
from .transfer import Transfer
from .values import (
    ATTRIBUTE,
    CONSTANT,
    ENGINE,
    FACTORY,
    NEW,
    NONE,
    OBJECT,
    OPENED,
    REGISTRY,
    SESSION,
    TUPLE,
    UNKNOWN,
    Resource,
    Value,
    are_of_different_classes,
    late,
    pool_of,
)

_HANDLES = frozenset({ENGINE, FACTORY, REGISTRY})


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

    @property
    def graph(self) -> Graph:
        return self.body.graph

    @cached_property
    def starts(self) -> list[dict[str, Value]]:
        """The names at entry, one for each combination that is followed."""
        return self._starts()

    @cached_property
    def transfer(self) -> Transfer:
        return Transfer(self.body, self._world, self._scope, self._remembered)

    @cached_property
    def solution(self) -> Solution[State]:
        states = [State(names, {}) for names in self.starts]
        return solve(self.graph, states, self.transfer, merge)

    @property
    def scope(self) -> Scope:
        """What the body leaves behind for others."""
        if not self.is_quiet:
            _ = self.solution
        return self._scope

    # -- the ways out

    @property
    def returned(self) -> list[State]:
        return self.at(self.graph.returned)

    @property
    def raised(self) -> list[State]:
        return self.at(self.graph.raised)

    def at(self, node: Node) -> list[State]:
        """The states that reach a node; none is told of a quiet function."""
        return [] if self.is_quiet else self.solution.at(node)

    def nodes(self, *kinds: Kind) -> Iterator[Node]:
        return (node for node in self.graph.nodes if node.kind in kinds)

    # -- events

    def events(self, *happenings: Happening) -> list[Event]:
        """What happened, in the order of the file."""
        if self.is_quiet:
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

    def waits_of_callers(self, given: tuple[tuple[Resource, Life], ...]) -> Iterator[Heard]:
        """The waits that concern a caller, who has given sessions or not.

        Whoever pauses after a failure of something of its own hardly ever does, and says so where it does.
        """
        is_lent = any(resource.origin != OPENED for resource, _ in given)
        for heard, node in self.scope.waits.items():
            wait = heard[0]
            others = (each for (other, *_), each in self.scope.waits.items() if other.kind != "sleep")
            if is_lent or wait.kind != "sleep" or wait.chain or not is_rare(self.body, node, others):
                yield heard

    def makes_engine(self, returned: Value) -> bool:
        """Whether each call makes an engine and hands it (or what is bound to it) out, cached nowhere."""
        return returned.kind in _HANDLES and bool(self.scope.engines) and not self.caches(self.scope.engines)

    def of_new_engine(self, handed_out: Value) -> Value:
        """A session, or what is asked of one, as callers know it: see :meth:`pool_outside`."""
        resource = handed_out.resource
        return handed_out if resource is None else handed_out._replace(resource=self.pool_outside(resource))

    def pool_outside(self, session: Resource) -> Resource:
        """The session of an engine that each call makes has a pool that nobody else has."""
        is_own = session.origin == OPENED and session.pool.startswith(f"{self.body.qualified}.") and ":" in session.pool
        return session._replace(pool=NEW) if is_own and not self.caches(self.scope.engines) else session

    def takes_own(self) -> Own | None:
        """Where a session that is opened inside takes a connection, while as few as possible are given back."""
        own = min(self.scope.own, key=lambda each: len(each.free), default=None)
        return own._replace(resource=self.pool_outside(own.resource)) if own is not None else None

    def makes_owner(self, returned: Value) -> bool:
        """Whether each call makes an object with an engine of its own and hands it out; a constructor makes one."""
        if self.body.name.endswith(".__init__"):
            keeps_engine = any(
                value.kind in _HANDLES or is_of_own_engine(value) for value in self.scope.attributes.values()
            )
            return (bool(self.scope.engines) and keeps_engine) or self.keeps_owner()
        return returned.kind == OBJECT and bool(self.scope.owners) and not self.caches(self.scope.owners)

    def keeps_owner(self) -> bool:
        """Whether a constructor makes an object with an engine of its own for its object, or is made of one that does.

        ``self.store = Store()``, ``super().__init__()``.
        """
        kept = {id(v) for target, v in self.body.assigned() if isinstance(target, ast.Attribute)}
        return any(id(node) in kept or is_inherited_constructor(node) for node in self.scope.owners)

    def caches(self, made: list[ast.AST]) -> bool:
        """Whether what is made here is kept for later calls: behind a check, in a global, attribute or container."""
        declared = {name for node in self.body.own(ast.Global, ast.Nonlocal) for name in node.names}
        kept = any(not is_given(value) for value in self.scope.attributes.values()) or any(
            node.id in declared and isinstance(node.ctx, ast.Store) for node in self.body.own(ast.Name)
        )
        stores = [n.value for n in self.body.own(ast.Assign) if isinstance(n.targets[0], ast.Subscript)]
        return kept or self.are_behind_check(made) or any(self.has_engine(value) for value in stores)

    def are_behind_check(self, made: list[ast.AST]) -> bool:
        """Whether the function makes something only where a condition says so, or returns early without it."""
        return is_behind_check(self.body.statements, made, self.scope.unpooled)

    def has_engine(self, value: ast.expr) -> bool:
        """Whether an expression may be an engine or have one: a call, or a name of such a thing."""
        states = (state for states in self.solution.before for state in states)
        known = {state.names.get(ast.unparse(value), UNKNOWN).kind for state in states}
        return isinstance(value, ast.Call) or any(kind in (*_HANDLES, OBJECT) for kind in known)

    def handed(self, session: Value) -> Value:
        """What is returned; the session of a registry that is built here and kept nowhere is the caller's own.

        One that is kept for later calls (``local.session = session``) is no new one each time.
        """
        resource = session.resource
        if resource is not None and session.kind == SESSION and resource.origin == OPENED:
            return self.kept_for_later(session, resource)
        made = [e.node for e in self.events(Happening.REGISTRY_MADE) if resource and place(e.node) == resource.key]
        if resource is None or session.kind != SESSION or not made or self.caches(made):
            return session
        return session._replace(resource=resource._replace(origin=OPENED, flavour=""))

    def kept_for_later(self, session: Value, resource: Resource) -> Value:
        """A session that the function opens where there is none yet, and stores: whoever asks again gets the same."""
        stored = any(s.lives[resource].marks & STORED for s in self.returned if resource in s.lives)
        opened = [e.node for e in self.events(Happening.OPENED) if e.resource == resource] if stored else []
        if not opened or not self.are_behind_check(opened):
            return session
        return session._replace(resource=resource._replace(origin=ATTRIBUTE, key=self.body.qualified))

    def left_failed(self) -> Iterator[tuple[Resource, ast.AST]]:
        """The sessions that are left failed on a normal way out, each with the handler that caught the failure."""
        for state in self.returned:
            for resource, life in state.lives.items():
                handler = state.steps.get(("caught", resource))
                if life.phases & FAILED and life.marks & SWALLOWED and isinstance(handler, ast.AST):
                    yield resource, handler

    # -- the view from outside

    def summary(self) -> Summary:
        normal, failed = joined_lives(self.returned), joined_lives(self.raised)
        normal = normal if is_mute(self.body) else tuple((resource, told(life)) for resource, life in normal)
        kinds = sorted({state.raising for state in self.raised})
        returns = telling([state.result for state in self.returned])
        life = None
        if returns.resource is not None:
            lives = [s.lives[returns.resource] for s in self.returned if returns.resource in s.lives]
            life = lives[0] if lives else None
        yields = telling([value for value, _ in self.scope.yields])
        return Summary(
            normal=normal,
            failed=failed,
            failures=tuple((kind, joined_lives([s for s in self.raised if s.raising == kind])) for kind in kinds),
            returns=self.of_new_engine(self.handed(returns)),
            returned_life=life,
            yields=self.of_new_engine(yields),
            gives_back=(gives_back(yields, self.returned), gives_back(yields, self.raised)),
            commits=commits(self.body, yields, self.events(Happening.COMMITTED)),
            between=tuple((self.scope.between or {}).items()),
            streams=tuple(sorted(self.scope.streams)),
            saves=tuple(sorted(self.scope.saved)),
            waits=tuple(self.waits_of_callers(normal)),
            attributes=tuple(self.scope.attributes.items()),
            never_returns=not self.returned and bool(self.raised) and len(self.body.statements) > 1,
            can_raise=bool(self.raised),
            makes_engine=self.makes_engine(returns),
            removes_all=self.scope.removes_all,
            makes_owner=self.makes_owner(returns),
            swallows=tuple(self.left_failed()) if is_mute(self.body) else (),
            used=tuple(sorted(self.scope.used)),
            closes=tuple(sorted(r for r, life in normal if r in self.scope.closed and not life.phases & ~IDLE)),
            answers=tuple(sorted(self.scope.answers.items())),
            takes_own=self.takes_own(),
        )


def is_inherited_constructor(node: ast.AST) -> bool:
    """``super().__init__(…)``, ``Base.__init__(self, …)``."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "__init__"


def is_of_own_engine(value: Value) -> bool:
    """Whether a value is a session of an engine that the function has made: who keeps it keeps the engine."""
    return value.kind == SESSION and value.resource is not None and ":" in value.resource.pool


def is_given(value: Value) -> bool:
    """Whether a value that a function sets on its object is a constant, or an engine that others have made."""
    pool = pool_of(value) if value.kind in _HANDLES else ""
    return value.kind == CONSTANT or (bool(pool) and ":" not in pool)


def gives_back(yielded: Value, states: list[State]) -> bool:
    """Whether a session that was yielded surely has no connection on these ways out; it has had one since."""
    lives = [state.lives[yielded.resource] for state in states if yielded.resource in state.lives]
    left = [life for life in lives if life.phases != ENTRY]  # as before the yield, or where another one was yielded
    return bool(left) and not any(life.may_leak or life.phases & ENTRY for life in left)


def position(event: Event) -> tuple[int, int]:
    """Where in the file something happened: line and column."""
    return getattr(event.node, "lineno", 0), getattr(event.node, "col_offset", 0)


def is_mute(body: Body) -> bool:
    """Whether a function returns nothing but None."""
    values = (node.value for node in body.own(ast.Return))
    return all(value is None or (isinstance(value, ast.Constant) and value.value is None) for value in values)


def told(life: Life) -> Life:
    """The life after a function that returns something: a failure that it has swallowed is no secret."""
    return Life(life.phases, life.marks & ~SWALLOWED | TOLD) if life.marks & SWALLOWED else life


def joined_lives(states: list[State]) -> tuple[tuple[Resource, Life], ...]:
    """For each session the join over ``states``; a state that does not know it left it as it was."""
    lives: dict[Resource, Life] = {}
    for resource in {r for state in states for r in state.lives}:
        for state in states:
            life = state.lives.get(resource, Life(ENTRY) if resource.origin != OPENED else None)
            if life is not None:
                lives[resource] = lives[resource].join(life) if resource in lives else life
    return tuple(sorted(lives.items()))


def telling(values: list[Value]) -> Value:
    """The value that says most: a session before anything else, then the first that is known.

    Objects of different classes say nothing: which of them it is, is decided at run time. One that is returned on
    some ways only may be missing. Of tuples each element for itself, so ``return None, []`` does not speak for
    ``return query, conditions``.
    """
    for value in values:
        if value.kind == SESSION:
            return value
    known = next((v for v in values if v != UNKNOWN and v.kind != CONSTANT), UNKNOWN)
    if are_of_different_classes(values):
        return UNKNOWN
    if known.kind == OBJECT and NONE in values:
        return late(known)
    if known.kind != TUPLE or known.name == "dict" or all(value == known for value in values):
        return known
    alike = [v for v in values if v.kind == TUPLE and v.name == known.name and len(v.extra) == len(known.extra)]
    tuples = [v.extra for v in alike]
    return known._replace(extra=tuple(telling(list(element)) for element in zip(*tuples, strict=True)))
