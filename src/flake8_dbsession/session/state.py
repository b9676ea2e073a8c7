"""The lattice: what is known about every session at one point of a function. Knows no syntax.

Phases are measured (SQLAlchemy 1.4 to 2.1): a session is IDLE until its first SQL, BEGUN when a transaction
was begun without SQL, HELD while it has a pooled connection, FAILED when a flush or commit raised (still
HELD, and unusable until rollback), CLOSED after ``close()`` (IDLE, but meant to be finished). ENTRY stands for
"as it was when the function was entered". A set of phases is what may be true; join is union.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from .liveness import may_be_forgotten
from .values import (
    ATTRIBUTE,
    CONSTANT,
    COROUTINE,
    LIST,
    NAMED,
    NONE,
    PARAMETER,
    ROW,
    TUPLE,
    UNKNOWN,
    Resource,
    Value,
    contained,
)

IDLE, BEGUN, HELD, FAILED, CLOSED, ENTRY, UNSURE = 1, 2, 4, 8, 16, 32, 64
HOLDING = HELD | FAILED

STORED = 1  # stored where others reach it
GUESSED = 1 << 20  # passed to code that cannot be seen
RETURNED = 1 << 21  # handed out to the caller
GIVEN = STORED | GUESSED | RETURNED  # somebody else may close it
WRITTEN = 2  # changes wait for a commit
USED = 4  # SQL was run in this function
STREAMING = 8  # a server-side cursor is open
DROPPED = 16  # the only name was bound to something else while it was held
CUT = 256  # a commit or rollback ended the cursor that is being read
SERVER_SIDE = 512  # every statement of the connection opens a server-side cursor
ENDED = 128  # closed once: what it takes from now on nobody expects to give back
KEPT = 64  # stored on the object whose method this is
COMMITTED = 8192  # FAILED, by a commit
BROKEN = 4096  # a statement failed, and nothing has ended the transaction since
SWALLOWED = 32  # FAILED, and the exception was caught
TOLD = 16384  # the same by a callee that returns something, and may tell of it
TOUCHED = 2048  # a row was passed to, or asked for, what may change it
CHANGED = 1024  # more than reading was done, or may have been: a row set, another statement than SELECT, a row lock

_LITTLE = frozenset({CONSTANT, TUPLE, NAMED, UNKNOWN.kind})
"""What says little of the way on where no session has been met."""
EXPIRED = "expired"  # in the extra of a row

NAMES = {
    IDLE: "idle",
    BEGUN: "begun",
    HELD: "held",
    FAILED: "failed",
    CLOSED: "closed",
    ENTRY: "entry",
    UNSURE: "unsure",
}


class Life(NamedTuple):
    """What may be true of one session: a set of phases and a set of marks."""

    phases: int
    marks: int = 0

    def join(self, other: Life) -> Life:
        return Life(self.phases | other.phases, self.marks | other.marks)

    @property
    def may_hold(self) -> bool:
        return bool(self.phases & HOLDING)

    @property
    def may_leak(self) -> bool:
        """As :attr:`may_hold`, or lent to code that surely used it."""
        return bool(self.phases & (HOLDING | UNSURE))

    @property
    def surely_holds(self) -> bool:
        return bool(self.phases & HOLDING) and not self.phases & ~HOLDING

    def fails_anew(self, before: Life) -> Life:
        """As a failure leaves the session while its exception is on its way: nobody has caught that yet, unless the
        session had surely failed before."""
        return self if before.phases == FAILED else Life(self.phases, self.marks & ~(SWALLOWED | TOLD))

    def __str__(self) -> str:
        return "|".join(name for bit, name in NAMES.items() if self.phases & bit)


AT_ENTRY = Life(ENTRY)


def doubt(lives: dict[Resource, Life], ended: Resource, touched: Collection[Resource | None] = ()) -> None:
    """``ended`` has given its connection back: what may be the same session holds nothing for sure any more, but for
    the ``touched`` of which more is known."""
    for other in (r for r, life in lives.items() if life.surely_holds and r.may_be_the_same_as(ended)):
        if other not in touched:
            lives[other] = Life(UNSURE, lives[other].marks)


def doubt_failed(lives: dict[Resource, Life]) -> None:
    """Something was rolled back or closed: of the sessions that were given, one that has failed may be it."""
    for resource, life in lives.items():
        if life.phases & FAILED and resource.origin in (ATTRIBUTE, PARAMETER):
            lives[resource] = Life(UNSURE, life.marks)


class State:
    """One possible state of a function: values of names, lives of sessions, and the exception on its way.

    ``raising`` is "" or what kind of exception travels: "db" (flush, commit, SQL), "lookup" (no row), "other".
    ``steps`` tells why (session -> the expression that took its connection) and takes no part in comparison.
    """

    __slots__ = ("_hash", "_places", "_raised", "_things", "_trimmed", "lives", "names", "raising", "result", "steps")

    def __init__(
        self,
        names: dict[str, Value],
        lives: dict[Resource, Life],
        raising: str = "",
        result: Value = UNKNOWN,
        steps: dict[Any, Any] | None = None,
    ) -> None:
        self.names = names
        self.lives = lives
        self.raising = raising
        self.result = result
        self.steps = steps if steps is not None else {}
        self._hash = 0
        self._places: tuple[tuple[str, Value], ...] | None = None
        self._things: frozenset[tuple[str, Value]] | None = None
        self._raised: dict[str, State] | None = None
        self._trimmed: tuple[tuple[str, ...], State | None] | None = None

    @property
    def places(self) -> tuple[tuple[str, Value], ...]:
        """The attributes and items that stand for something: ``self.session``, ``context["db"]``."""
        if self._places is None:
            self._places = tuple([item for item in self.names.items() if "." in item[0] or "[" in item[0]])
        return self._places

    @property
    def things(self) -> frozenset[tuple[str, Value]]:
        """The names that stand for more than a flag, a collection of what has no session, or nothing known."""
        if self._things is None:
            items = self.names.items()
            self._things = frozenset([item for item in items if item[1].kind not in _LITTLE or contained(item[1])])
        return self._things

    def raised(self, raising: str) -> State:
        """The same with this kind of exception on its way."""
        if raising == self.raising:
            return self
        if self._raised is None:
            self._raised = {}
        if raising not in self._raised:
            self._raised[raising] = State(self.names, self.lives, raising, self.result, self.steps)
        return self._raised[raising]

    def without(self, left: tuple[str, ...]) -> State:
        """The same without the names that are left behind, as far as nothing is lost with what they stand for."""
        if not left:
            return self
        if self._trimmed is not None and self._trimmed[0] is left:
            return self._trimmed[1] or self
        names = self.names
        gone = [name for name in left if name in names and may_be_forgotten(names[name])]
        trimmed = None
        if gone:
            kept = names.copy()
            for name in gone:
                del kept[name]
            trimmed = State(kept, self.lives, self.raising, self.result, self.steps)
        self._trimmed = (left, trimmed)
        return trimmed or self

    def __hash__(self) -> int:
        """Found when it is first asked for: many states are on their way to another one."""
        if not self._hash:
            told = (len(self.names), frozenset(self.lives.values()), self.raising, self.result.kind)
            self._hash = hash(told) or 1  # the names of the states at a node are mostly the same, and values are long
        return self._hash

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, State)
            and hash(self) == hash(other)
            and self.raising == other.raising
            and self.result == other.result
            and self.lives == other.lives
            and self.names == other.names
        )

    def __str__(self) -> str:
        lives = " ".join(f"{r.key}:{life}" for r, life in self.lives.items())
        return f"[{lives}]" + (f" raising {self.raising}" if self.raising else "")


def join(left: State, right: State) -> State:
    """The least state that covers both.

    A name that stands for different things stands for UNKNOWN; a session bound on one side only stays bound
    (it cannot be in two minds about which session it is), anything else known on one side only is forgotten.
    """
    names = {**left.names, **right.names}
    for name in names:
        here, there = left.names.get(name), right.names.get(name)
        if here is not there:
            names[name] = row_of_both(left, right, name) or joined(here, there)
    lives = dict(left.lives)
    for resource, life in right.lives.items():
        lives[resource] = lives[resource].join(life) if resource in lives else life
    result = left.result if left.result == right.result else UNKNOWN
    raising = left.raising if left.raising == right.raising else "other"
    return State(names, lives, raising, result, {**right.steps, **left.steps})


def row_of_both(left: State, right: State, name: str) -> Value | None:
    """The row that a name stands for on one side, and on the other one like it or None; else None.

    Where it has expired on one side only, whoever reads it holds a connection afterwards if the other side does so
    already.
    """
    here, there = left.names.get(name), right.names.get(name)
    if here is None or there is None or ROW not in (here.kind, there.kind):
        return None
    if NONE in (here, there):
        return there if here == NONE else here
    if here._replace(extra=()) != there._replace(extra=()) or set(here.extra) ^ set(there.extra) != {EXPIRED}:
        return None
    expired, other, loaded = (here, there, right) if EXPIRED in here.extra else (there, here, left)
    holds = other.resource is not None and loaded.lives.get(other.resource, AT_ENTRY).surely_holds
    return expired if holds else None


def joined(left: Value | None, right: Value | None) -> Value:
    """One value for both; None means that the name was not bound on that side."""
    if left == right and left is not None:
        return left
    if left is None or right is None:
        one = left or right
        return one if one is not None and one.resource is not None else UNKNOWN
    if left.kind == right.kind == TUPLE and LIST in (left.name, right.name):
        return max(left, right, key=lambda jobs: len(jobs.extra))
    if left.kind == right.kind == COROUTINE and (left.resource is None) != (right.resource is None):
        return left if left.resource is not None else right  # one that may use a session
    return UNKNOWN
