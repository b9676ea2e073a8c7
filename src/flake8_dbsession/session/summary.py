"""What a call of a project function does to the caller's sessions, and who can be asked for it."""

from __future__ import annotations

import ast
from typing import NamedTuple, Protocol

from ..files.sources import Sources
from ..known import Known
from .body import Body
from .state import Life
from .values import UNKNOWN, Resource, Value

Steps = tuple[tuple[str, str, int], ...]
"""The project functions on a way, outermost first, as ``(name, path, line)``: the line where each goes on."""


class Own(NamedTuple):
    """Where a session that a function opens, or a registry, takes a connection."""

    node: ast.AST
    line: int
    resource: Resource
    way: Steps = ()
    """The project functions on the way on from there."""
    free: tuple[Resource, ...] = ()
    """The caller's sessions that have given theirs back by then."""


Answers = tuple[tuple[str, str], ...]
"""The streaming responses that a function makes: the parameter that is their content ("": its own), and their class."""


class Wait(NamedTuple):
    """A call that waits for something else: sleep, network, a queue …

    ``kind`` is "sleep", "network", "wait" or "hash"; ``name`` is what is called; ``seconds`` a literal
    duration (0.0 when unknown); ``chain`` are the project functions on the way; ``advice`` comes from the
    user's configuration.
    """

    kind: str
    name: str
    seconds: float = 0.0
    chain: Steps = ()
    advice: str = ""
    line: int = 0
    """The line of the call that waits, or leads to the wait, in the function that is asked."""
    is_guessed: bool = False
    """Whether a call on the way may run one method or another, of which most wait."""
    read: tuple[str, str, int] = ("", "", 0)
    """The function, path and line where an expired row that was passed on is read, for whose session it waits."""

    def inside(self, callee: tuple[str, str], line: int) -> Wait:
        """The wait as the caller of a function (its name and path) sees it, who calls it in a line."""
        read = self.read if self.read[0] or not self.read[2] else (*callee, self.read[2])
        return self._replace(chain=((*callee, self.line), *self.chain), line=line, read=read)

    def held_before(self) -> Wait:
        """The same wait for a session that holds its connection already, whatever is read inside."""
        return self._replace(read=("", "", 0)) if self.read[2] else self


Heard = tuple[Wait, tuple[Resource, ...], tuple[Resource, ...]]
"""A wait, with the caller's sessions that are given back by then, and those that are held inside."""


class Summary(NamedTuple):
    """A solved function seen from outside.

    ``normal`` and ``failed`` say how each of the caller's sessions (parameters by name, ``self`` attributes,
    registries) is left when the function returns and when it raises; a session that is not listed is not
    touched. ``returns`` is the returned value and ``returned_life`` the life of a session opened inside and
    handed out. ``yields`` likewise for a generator. ``waits`` are the waits while a session of the caller may
    be held, with the sessions that are no concern of the caller (given back before, or reported inside) and
    those that are held inside, which nobody but the caller knows to be sessions. ``attributes`` are the
    attributes of ``self`` set to values worth knowing.
    """

    normal: tuple[tuple[Resource, Life], ...] = ()
    failed: tuple[tuple[Resource, Life], ...] = ()
    failures: tuple[tuple[str, tuple[tuple[Resource, Life], ...]], ...] = ()
    """``failed`` for each kind of exception by itself: "db", "lookup", "other"."""
    returns: Value = UNKNOWN
    returned_life: Life | None = None
    yields: Value = UNKNOWN
    gives_back: tuple[bool, bool] = (False, False)
    """Whether a session of others that a generator yields has no connection afterwards: at its end, by an exception."""
    commits: bool = False
    """Whether a generator commits the session that it yields as it comes to its end."""
    between: tuple[tuple[Resource, Life], ...] = ()
    """How a generator leaves each of the caller's sessions where it yields."""
    streams: tuple[Resource, ...] = ()
    """The caller's sessions that surely hold a connection at some ``yield``."""
    saves: tuple[Resource, ...] = ()
    """The sessions that have a savepoint around some ``yield``."""
    waits: tuple[Heard, ...] = ()
    attributes: tuple[tuple[str, Value], ...] = ()
    never_returns: bool = False
    can_raise: bool = True
    makes_engine: bool = False
    """Whether an engine is made inside at each call and handed out."""
    removes_all: bool = False
    """Whether registries that only the running program knows are removed."""
    makes_owner: bool = False
    """Whether an object with an engine of its own is made at each call and handed out, or (a constructor) is one."""
    swallows: tuple[tuple[Resource, ast.AST], ...] = ()
    """The caller's sessions whose failure a handler has caught, with the handler; nothing tells the caller of it."""
    told: tuple[tuple[Resource, ast.AST], ...] = ()
    """The same of a function that returns something, which tells nobody who does not look at it."""
    used: tuple[Resource, ...] = ()
    """The caller's sessions that meet SQL or a commit before any rollback."""
    closes: tuple[Resource, ...] = ()
    """The caller's sessions that are closed, and idle afterwards."""
    answers: Answers = ()
    takes_own: Own | None = None
    """Where a session that is opened inside, or a registry, takes a connection."""

    @property
    def untaken(self) -> Summary:
        """As most calls of a function are that remembers its answers: they take nothing, and give nothing back."""
        return self._replace(normal=())


class Target(Protocol):
    """A project function as its callers see it."""

    path: str
    is_async: bool
    is_generator: bool
    is_manager: bool
    is_fixture: bool
    is_cached: bool
    runs_once: bool
    """Whether its first answer is remembered for all calls."""
    remembers: bool
    """Whether each answer is remembered for all calls with the same arguments."""
    is_put_off: bool
    """Whether a call runs nothing, and gives what stands for the answer."""
    decorators: frozenset[str]

    @property
    def is_abstract(self) -> bool:
        """Whether it is a method that only other classes carry out."""

    @property
    def is_left_open(self) -> bool:
        """Whether it is a method of a protocol that says nothing of what it does."""

    @property
    def defaults(self) -> tuple[tuple[str, Value], ...]:
        """The parameters with a default that decides something, such as None for a session."""

    @property
    def changes_itself(self) -> bool:
        """Whether it is a method that sets something on its object."""

    @property
    def asks_itself(self) -> frozenset[str]:
        """The methods that it calls on its object."""

    @property
    def ends(self) -> frozenset[str]:
        """The names of what it rolls back or closes."""

    @property
    def rolls_back(self) -> bool:
        """Whether it speaks of rolling back anything, or of closing what may be a session."""

    @property
    def goes_through(self) -> frozenset[str]:
        """The parameters whose items it takes."""

    @property
    def yields_whole(self) -> bool:
        """Whether all that it does is to yield once what it is given."""

    @property
    def yields_first(self) -> int:
        """The line of its first ``yield``; 0 for none."""

    @property
    def turns(self) -> tuple[tuple[int, int], ...]:
        """The lines, from and to, that a generator runs through between two of its items."""

    @property
    def yields_in_context(self) -> bool:
        """Whether it yields inside of an app context of Flask, which it enters itself."""

    @property
    def awaits(self) -> bool:
        """Whether it awaits anything."""

    @property
    def refuses(self) -> bool:
        """Whether it does nothing but raise."""

    @property
    def is_empty(self) -> bool:
        """Whether it does nothing at all: it is still to be written."""

    @property
    def gathers(self) -> str:
        """The name of what runs the coroutines it is given at once; "" for none."""

    @property
    def starts(self) -> tuple[tuple[str, ast.Call], ...]:
        """The calls, by their dotted names, that may run a parameter or a function inside beside the caller."""

    @property
    def functions(self) -> dict[str, ast.AST]:
        """The functions inside, by their names."""

    @property
    def names(self) -> frozenset[str]:
        """The parameters that a call can name."""

    @property
    def parameters(self) -> tuple[tuple[str, ...], str, str]:
        """The parameters in order, and those for the rest of them and for other names; "" for none."""

    @property
    def closes(self) -> bool:
        """Whether it speaks of closing anything."""

    def takes(self, call: ast.Call) -> bool:
        """Whether a method can be called like that."""

    def bind(
        self, function: Value, positional: tuple[Value, ...], keywords: dict[str, Value]
    ) -> list[tuple[str, Value]]:
        """The parameters with the values given for them (``self`` first for a method)."""


class World(Protocol):
    """What one function's analysis may ask about everything around it."""

    @property
    def known(self) -> Known: ...

    @property
    def sources(self) -> Sources:
        """What the function's analysis rests on is told to them."""

    @property
    def summaries(self) -> int:
        """How often a summary was asked for so far; what a call does depends on how deep it stands."""

    def value(self, name: str) -> Value:
        """What a dotted name stands for."""

    def attribute(self, owner: Value, name: str) -> Value:
        """What an attribute of a project class, of an object of it, or of a known type stands for."""

    def property_of(self, owner: Value, name: str) -> Value:
        """The function behind a property of a project class; UNKNOWN for any other attribute."""

    def inherited(self, owner: str, name: str, me: Value) -> Value:
        """The method that ``super()`` finds in the bases of a project class, bound to ``me``; UNKNOWN for none."""

    def foreign_bases(self, name: str) -> tuple[str, ...]:
        """The dotted names of the library classes that a project class extends."""

    def owns_engine(self, name: str) -> bool:
        """Whether each object of a project class makes an engine for itself when one is first asked for."""

    def fields(self, name: str) -> tuple[str, ...]:
        """What the constructor of a project class takes, where it is made from the annotations of the class."""

    def is_single(self, name: str) -> bool:
        """Whether a project class may give the same object each time."""

    def is_set_later(self, name: str, attribute: str) -> bool:
        """Whether a method of a project class, beside its constructor, sets an attribute of the object."""

    def opened_when_asked(self, name: str, attribute: str) -> Value:
        """The session that an object of a project class opens when it is first asked for it; UNKNOWN for none."""

    def makes_registry(self, name: str, attribute: str) -> bool:
        """Whether each object of a project class makes a registry of its own, which it keeps under the attribute."""

    def is_made_once(self, name: str) -> bool:
        """Whether the constructor of a project class runs once, as far as can be seen."""

    def stored(self, module: str, text: str) -> Value:
        """What a place outside of the function (``g.db``) stands for, as far as its module sets it."""

    def session_said_by(self, function: Value) -> str:
        """The type of session that a return annotation speaks of, whoever opens it; "" for none."""

    def returned(self, function: Value) -> Value:
        """What calling a project function gives as far as its annotation says (UNKNOWN otherwise)."""

    def target(self, function: Value) -> Target | None:
        """The project function a value stands for; None where it cannot be found."""

    def asked(self, body: Body, name: str) -> str:
        """The type of session that a local name or chain of attributes is by what the function asks it; "" for none."""

    def declared(self, body: Body, annotation: ast.expr) -> Value:
        """The object, or several, that an annotation inside a function speaks of; UNKNOWN for anything else."""

    def called(self, body: Body, name: str) -> Value:
        """The factory or registry that a variable is by its name alone, UNKNOWN for any other."""

    def attribute_called(self, body: Body, node: ast.Attribute) -> Value:
        """The factory or registry that an attribute of something unseen is by its name, UNKNOWN for any other."""

    def kept_under(self, body: Body, node: ast.Subscript) -> Value:
        """The factory, registry or engine that an application keeps under a key, UNKNOWN for any other."""

    def is_of_library(self, body: Body, expression: ast.expr) -> bool:
        """Whether an expression is an object of a library, as far as the function itself shows."""

    def attributes_used(self, method: Value, *, at_once: bool = False) -> list[tuple[str, Value]]:
        """The attributes of ``self`` that a bound method reads, with what they stand for; ``at_once``: that several
        calls at the same time read, without a lock of the object's."""

    def optional_sessions(self, method: Value) -> tuple[tuple[str, Value], ...]:
        """Those of them that are sessions or None."""

    def carried_out(self, method: Value) -> tuple[Value, ...]:
        """The methods of the project's classes that carry out an abstract one."""

    def kept_by_others(self, method: Value, carried_out: Value) -> tuple[Resource, ...]:
        """The sessions on objects of other classes that carry out the same, which those of the method's do not have."""

    def methods_called(self, name: str) -> tuple[Value, ...]:
        """The methods of the project's classes, outside of tests, that have a telling name."""

    def summary(self, function: Value, sessions: tuple[tuple[str, Value], ...]) -> Summary | None:
        """What a call does, where the named parameters (``self`` included) are sessions; None: cannot be seen."""

    def rolls_back(self, module: str) -> bool:
        """Whether the sessions of a module's package are of a class that rolls back by itself where a commit fails."""

    @property
    def flushes_before_queries(self) -> bool:
        """Whether sessions write what waits before a query, as they do where nobody says ``autoflush=False``."""

    def has_teardown(self, registry: Resource) -> bool:
        """Whether the application removes the registry when an app context or request ends."""

    def configured(self, name: str, role: str) -> str | None:
        """The user's entry that gives ``name`` the role ("closer", "owner", "manager" …): its advice or ""."""
