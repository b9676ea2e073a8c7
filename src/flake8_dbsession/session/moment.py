"""One statement being carried out on one state: the verbs of the lattice, with the events they cause.

The measured facts: the first SQL takes a connection; commit and rollback give it back; ``close()`` gives it
back and is not terminal; a flush or commit that raises keeps the connection (FAILED) until rollback or close;
a ``Connection`` holds its connection from ``connect()`` to ``close()``; reading an expired row takes one again.
"""

from __future__ import annotations

import ast

from .draft import Draft
from .events import Event, Happening, Second
from .state import (
    BEGUN,
    BROKEN,
    CHANGED,
    CLOSED,
    COMMITTED,
    CUT,
    DROPPED,
    ENDED,
    ENTRY,
    FAILED,
    GIVEN,
    GUESSED,
    HELD,
    HOLDING,
    IDLE,
    STORED,
    STREAMING,
    SWALLOWED,
    TOLD,
    TOUCHED,
    UNSURE,
    USED,
    WRITTEN,
    Life,
    State,
    doubt,
)
from .summary import Own, World
from .values import AMBIENT, CONTEXT, JOINED, OPENED, ROW, ROWS, SESSION, UNKNOWN, Resource, Value, contained

_OF_A_TRANSACTION = WRITTEN | CHANGED | TOUCHED | SWALLOWED | TOLD | DROPPED | BROKEN | COMMITTED
"""The marks that end with it."""


class Moment(Draft):
    """A draft with the verbs of the lattice."""

    def __init__(self, state: State, sink: dict[Event, None], world: World) -> None:
        super().__init__(state, sink)
        self.world = world

    # -- taking

    def open(self, resource: Resource, node: ast.AST, phase: int = IDLE, detail: object = None) -> None:
        """A new session from the factory call at ``node``; one that is opened there already is lost if still held."""
        old = self.lives.get(resource)
        if old is not None and old.may_hold and not old.marks & GIVEN:
            self.event(Happening.LOST, node, resource)
        self.lives[resource] = Life(phase)
        self.steps.pop(resource, None)
        if phase & HOLDING:
            self.steps[resource] = node
            self._second(resource, node)
        self.event(Happening.OPENED, node, resource, detail)

    def take(self, resource: Resource, node: ast.AST, *, may_fail: str = "db") -> None:
        """SQL runs: the session holds a connection now."""
        life = self.life(resource)
        self.event(Happening.QUERIED, node, resource)
        if resource.is_connection or resource.gives_back_at_once:
            self.mark(resource, USED)
            self.may_raise(may_fail)
            return
        self.after_end(resource, life, node)
        self.after_failure(resource, node)
        if not life.surely_holds:
            self.event(Happening.TAKEN, node, resource)
            self._second(resource, node)
            self.steps[resource] = node
        phases = FAILED if life.phases & FAILED and not life.phases & ~FAILED else HELD
        if life.marks & WRITTEN and self.world.flushes_before_queries:  # after which nothing waits any more
            self.may_raise("db", {**self.lives, resource: Life(FAILED, life.marks | USED).fails_anew(life)})
            life = Life(life.phases, life.marks & ~WRITTEN | CHANGED)
        if phases == HELD:  # what goes well tells that no failure is left
            life = Life(phases, life.marks & ~(SWALLOWED | TOLD))
        self.lives[resource] = Life(phases, life.marks | USED)
        broken = {**self.lives, resource: Life(phases, life.marks | USED | BROKEN)} if may_fail == "db" else None
        self.may_raise(may_fail, broken)

    def after_end(self, resource: Resource, life: Life, node: ast.AST) -> None:
        """A session whose ``life`` was over takes a connection that nobody expects to give back."""
        if life.marks & ENDED and not life.phases & ~(CLOSED | BEGUN) and resource.flavour != JOINED:
            self.event(Happening.USED_CLOSED, node, resource)

    def given_back(self) -> tuple[Resource, ...]:
        """The caller's sessions that surely hold nothing."""
        free = (r for r, life in self.lives.items() if r.origin != OPENED and not life.phases & (ENTRY | UNSURE))
        return tuple(sorted(r for r in free if not self.lives[r].may_hold))

    def _second(self, resource: Resource, node: ast.AST, *, at_end: bool = False) -> None:
        if (resource.flavour == JOINED or resource.origin == AMBIENT) and self.life(resource).marks & GIVEN:
            return  # a session or registry that joined a connection takes none of its own
        if self.own is None and resource.origin in (OPENED, AMBIENT):
            self.own = Own(node, getattr(node, "lineno", 0), resource, free=self.given_back())
        for other, life in self.lives.items():
            if other != resource and life.surely_holds and resource.is_apart_from(other):
                self.event(Happening.SECOND, node, other, Second(resource, at_end=at_end))

    # -- giving back

    def release(self, resource: Resource, phase: int = IDLE) -> None:
        """Commit, rollback, close: the connection is back in the pool."""
        if self.names.get(CONTEXT, UNKNOWN).resource == resource:
            self.leave_contexts()
        life = self.life(resource)
        self.lives[resource] = Life(phase, life.marks & ~_OF_A_TRANSACTION)
        self.steps.pop(resource, None)
        self.steps.pop(("caught", resource), None)
        doubt(self.lives, resource)

    def cut(self, resource: Resource, node: ast.AST) -> None:
        """The transaction ends while its rows are being read: the next one is missing, or raises (measured)."""
        if self.life(resource).marks & STREAMING:
            self.mark(resource, CUT)
            self.steps["cut", resource] = node

    def finish(self, resource: Resource, node: ast.AST, method: str = "close") -> None:
        """``close()``, ``remove()``, the end of a ``with`` block."""
        self.release(resource, CLOSED if resource.origin == OPENED else IDLE)
        self.detach(resource)
        self.closed.add(resource)
        if resource.origin == OPENED:
            life = self.life(resource)  # whoever may have been going to close it has been spared that
            self.lives[resource] = Life(life.phases, life.marks & ~GUESSED | ENDED)
        self.event(Happening.CLOSED, node, resource, method)

    def commit(self, resource: Resource, node: ast.AST) -> None:
        """Gives the connection back and expires the rows; where it raises, the connection stays (FAILED)."""
        self.after_failure(resource, node)
        self.event(Happening.COMMITTED, node, resource)
        self.cut(resource, node)
        if resource.is_connection:
            self.may_raise("db")
            return
        self.write_out(resource, node)
        self._may_fail(resource, node, COMMITTED)
        self.release(resource)
        if not resource.keeps_rows:
            self.expire(resource)

    def write_out(self, resource: Resource, node: ast.AST, *, at_end: bool = False) -> None:
        """What waits to be written takes a connection for the time of a commit, which the end of a block may be."""
        if self.life(resource).marks & WRITTEN and not self.life(resource).may_hold:
            self._second(resource, node, at_end=at_end)

    def flush(self, resource: Resource, node: ast.AST) -> None:
        life = self.life(resource)
        if life.phases & ~(HELD | FAILED | IDLE | CLOSED | ENTRY) or life.marks & WRITTEN:
            self._may_fail(resource, node)
            self.take(resource, node)
        else:
            self._may_fail(resource, node)

    def _may_fail(self, resource: Resource, node: ast.AST, mark: int = 0) -> None:
        life = self.life(resource)
        if not resource.is_connection and (life.phases != CLOSED or life.marks & WRITTEN):
            failed = {**self.lives, resource: Life(FAILED, life.marks | USED | mark).fails_anew(life)}
            self.may_raise("db", failed)
            self.steps.setdefault(resource, node)

    def back_to_savepoint(self, resource: Resource) -> None:
        """The rollback of a nested transaction: the connection stays, and a failed session can be used again."""
        life = self.life(resource)
        if not resource.is_connection and (life.phases & FAILED or life.marks & BROKEN):
            self.lives[resource] = Life(life.phases & ~FAILED | HELD, life.marks & ~(SWALLOWED | BROKEN))

    def rollback(self, resource: Resource) -> None:
        if resource.is_connection:
            return
        self.release(resource)
        self.expire(resource)

    def expire(self, resource: Resource) -> None:
        """Every row loaded so far takes a connection when it is read (measured 0 -> 1); async rows raise instead."""
        if resource.is_async:
            return
        for name, value in self.names.items():
            if value.kind in (ROW, ROWS) and value.resource == resource:
                self.names[name] = value.with_extra("expired")

    def detach(self, resource: Resource) -> None:
        """The rows of a closed session have none: reading them takes no connection (measured 0 -> 0, or it raises)."""
        for name, value in self.names.items():
            if value.kind in (ROW, ROWS) and value.resource == resource:
                self.names[name] = value._replace(resource=None, extra=())

    def refresh(self, resource: Resource) -> None:
        for name, value in self.names.items():
            if value.kind in (ROW, ROWS) and value.resource == resource and "expired" in value.extra:
                self.names[name] = value.with_extra()

    # -- passing on

    def after_failure(self, resource: Resource, node: ast.AST) -> None:
        """Whoever uses a session whose failure was swallowed gets PendingRollbackError (measured)."""
        life = self.life(resource)
        if life.phases & ENTRY:
            self.used.add(resource)
        if life.marks & BROKEN and life.surely_holds:
            self.event(Happening.BROKEN_USED, node, resource, self.steps.get(("caught", resource)))
        if life.marks & SWALLOWED and life.phases & FAILED:
            self.event(Happening.FAILED_USED, node, resource, self.steps.get(("caught", resource)))

    def lend(self, value: Value, node: ast.AST, reads: bool = False) -> None:
        """The value is passed to a function that cannot be seen and gives it back: it may have run SQL or committed.

        One that only ``reads`` leaves the transaction as it is.
        """
        for resource in contained(value):
            self.after_failure(resource, node)
            life = self.life(resource)
            stays = resource.is_connection or (reads and life.surely_holds)
            self.lives[resource] = Life(life.phases if stays else UNSURE, life.marks | USED | CHANGED)

    def is_lent(self, resource: Resource) -> bool:
        """Whether code that cannot be seen had the session last, whose rows expire when it commits.

        Asked only of a session whose factory is known, and that nobody may have closed meanwhile.
        """
        life = self.life(resource)
        known = resource.origin in (OPENED, AMBIENT) and not (resource.keeps_rows or resource.is_async)
        return known and life.phases == UNSURE and not life.marks & GUESSED

    def hold(self, resource: Resource, node: ast.AST) -> None:
        """A row of a lent session is read: the connection is held still, or else taken again by the read."""
        self.lives[resource] = Life(HELD, self.life(resource).marks)
        self.steps.setdefault(resource, node)

    def give(self, value: Value, *, uncertain: bool = True) -> None:
        """The value is handed to code that cannot be seen: it may close, commit or keep what it got."""
        for resource in contained(value):
            life = self.life(resource)
            phases = life.phases
            if uncertain and phases & ~(IDLE | CLOSED | UNSURE):
                phases = UNSURE
            self.lives[resource] = Life(phases, life.marks | (GUESSED | CHANGED if uncertain else STORED))

    def mark(self, resource: Resource, mark: int) -> None:
        life = self.life(resource)
        self.lives[resource] = Life(life.phases, life.marks | mark)

    def pop_context(self) -> None:
        """Leaving an app context removes the sessions of Flask-SQLAlchemy, not those of a plain registry (measured)."""
        for resource in list(self.lives):
            if resource.origin == AMBIENT and (resource.flavour == "flask" or self.world.has_teardown(resource)):
                self.release(resource)

    def leave_contexts(self) -> None:
        """The sessions of context variables may have nothing any more: they are others, or have been given back."""
        self.names.pop(CONTEXT, None)
        for resource in [each for each in self.lives if each.flavour == CONTEXT]:
            self.release(resource)

    def unmark(self, resource: Resource, mark: int) -> None:
        if resource in self.lives:
            life = self.lives[resource]
            self.lives[resource] = Life(life.phases, life.marks & ~mark)

    # -- names

    def bind(self, name: str, value: Value, *, constants: frozenset[str]) -> None:
        """``name = value``. Constants are followed only for names that conditions look at."""
        old = self.names.get(name)
        if old is not None and old.kind == SESSION and old.resource is not None and old.resource != value.resource:
            self._drop(name, old.resource)
        if value == UNKNOWN or (value.kind == "constant" and name not in constants):
            self.names.pop(name, None)
            if name in constants:
                self.names[name] = UNKNOWN
        else:
            self.names[name] = value

    def _drop(self, name: str, resource: Resource) -> None:
        life = self.life(resource)
        if resource.origin != OPENED or not life.may_hold or life.marks & GIVEN:
            return
        if not any(other != name and resource in contained(value) for other, value in self.names.items()):
            self.mark(resource, DROPPED)

    def held(self) -> list[Resource]:
        """The sessions that surely hold a connection now."""
        return [r for r, life in self.lives.items() if life.surely_holds]
