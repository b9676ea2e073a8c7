"""The frozen answers of :class:`flake8_dbsession.known.Known`."""

from __future__ import annotations

import ast
from typing import Literal, NamedTuple

EntryKind = Literal[
    "request", "dependency", "task", "consumer", "thread", "process", "timer", "scheduler", "socket", "bot",
    "command", "test", "teardown", "startup", "middleware",
]  # fmt: skip
Runs = Literal["", "thread", "task", "process", "greenlet", "later"]
_SERVED = frozenset({"bot", "consumer", "request", "scheduler", "socket"})
SHORT_LIVED = frozenset({"command", "test"})


class Argument(NamedTuple):
    """One argument of a call: its position without ``self`` (-1: keyword only), its keyword ("": position only)."""

    position: int
    keyword: str

    @classmethod
    def read(cls, text: str | None) -> Argument | None:
        """``"1:timeout"``, ``"0"`` or ``"timeout"`` as the tables write it; None for nothing."""
        if not text:
            return None
        position, _, keyword = text.partition(":")
        return cls(int(position), keyword) if position.isdigit() else cls(-1, position)

    def of(self, call: ast.Call) -> ast.expr | None:
        """The expression given for this argument; None where it is left out or hidden behind a star."""
        for keyword in call.keywords:
            if self.keyword and keyword.arg == self.keyword:
                return keyword.value
        if not 0 <= self.position < len(call.args):
            return None
        until = call.args[: self.position + 1]
        return None if any(isinstance(argument, ast.Starred) for argument in until) else until[-1]


class CallFact(NamedTuple):
    """What one function or method does with the time of its caller.

    ``name`` is the dotted name under which it is known. ``kind`` is "sleep", "network", "wait", "hash" or "" (does
    not wait); ``what`` names the other side for messages ("an HTTP request", "a queue"). ``seconds`` holds the
    duration of a sleep, ``timeout`` the longest wait, ``milliseconds`` that in thousandths of a second, ``rounds`` how
    often a hash is computed. An ``endless`` call has no end where no time is given, or nought. The call returns at once
    where ``unless`` is given as something false, where ``when`` is not given (or false), and where ``address``
    is no address but what is to be read. ``awaited`` calls wait only under ``await``, ``async for`` or ``async
    with``; ``plain`` ones also in functions that are no coroutines. ``makes`` is the receiver that the call
    returns; for ``__enter__`` and ``__aenter__`` what ``with`` binds.
    """

    name: str
    kind: str = ""
    what: str = ""
    seconds: Argument | None = None
    timeout: Argument | None = None
    milliseconds: Argument | None = None
    endless: bool = False
    unless: Argument | None = None
    when: Argument | None = None
    address: Argument | None = None
    rounds: Argument | None = None
    awaited: bool = False
    plain: bool = False
    makes: str = ""


class Entry(NamedTuple):
    """Who calls a function from outside, and what that means for sessions.

    ``kind`` is one of :data:`EntryKind`. ``runs``, one of :data:`Runs`, says what runs beside the code that registers
    it ("later": in the same thread, after this code).
    ``cleans`` names what is released after each run: "flask-sqlalchemy" is ``db.session.remove()``, "all" what a
    process gives back as it ends. ``after`` is the kind of unit after each of which it is run.
    """

    framework: str
    kind: str
    runs: str = ""
    cleans: frozenset[str] = frozenset()
    after: str = ""

    @property
    def cleans_flask_sqlalchemy(self) -> bool:
        return "flask-sqlalchemy" in self.cleans

    @property
    def cleans_all(self) -> bool:
        return "all" in self.cleans

    @property
    def is_waited_for(self) -> bool:
        """``asyncio.run(main())``: part of what whoever calls it does, and no unit of work of its own."""
        return self.framework == "asyncio" and not self.runs

    @property
    def runs_where_called(self) -> bool:
        """Prefect's flows and tasks: a plain call runs them in the process of whoever calls."""
        return self.framework == "prefect"

    @property
    def is_served(self) -> bool:
        """Whether the function is called again and again for as long as the process lives: requests, messages."""
        return self.kind in _SERVED

    @property
    def is_short_lived(self) -> bool:
        """Whether the process (or test) ends with the function, so that nothing held can add up."""
        return self.kind in SHORT_LIVED


class Handover(NamedTuple):
    """A call that gives a callable or coroutine to someone else.

    ``callable`` is the argument that holds it; None where ``every`` positional argument does (``asyncio.gather``) and
    where it is the receiver itself (``task.delay(…)``). What the callable receives stands in ``args`` (a sequence) and
    ``kwargs`` (a mapping), in the positional and keyword arguments behind it where ``rest`` (all of them without a
    ``callable``), or one by one in ``each`` (``map``; coroutines, without one). ``coroutine``: the argument is the
    result of a call, whose arguments are those that count. ``inline``: awaiting the call waits for the callable's end.
    """

    name: str
    entry: Entry
    callable: Argument | None = None
    args: Argument | None = None
    kwargs: Argument | None = None
    each: Argument | None = None
    rest: bool = False
    every: bool = False
    coroutine: bool = False
    inline: bool = False


class Effect(NamedTuple):
    """What one method does to the pooled connection of its receiver, as measured.

    ``word`` is "creates" (returns a new resource, takes nothing), "checkout", "release" (used further), "dispose" (done
    with) or "neutral". ``conditional``: only under a condition; ``transient``: takes a connection and returns it within
    the call; ``lazy``: what is returned takes one later; ``begins``: starts the transaction without a connection;
    ``raises_if_begun``: raises when it has begun; ``ends``: ends it, keeps the connection; ``consumes``: exhausts the
    result; ``expires``: reading a row takes a connection again; ``detaches``: reading an expired row raises;
    ``awaitable``: without ``await`` nothing happens at all. ``returns`` is the short name of the type that is returned
    or that ``with`` binds, or "".
    """

    type: str
    method: str
    word: str
    conditional: bool = False
    transient: bool = False
    lazy: bool = False
    begins: bool = False
    ends: bool = False
    raises_if_begun: bool = False
    consumes: bool = False
    expires: bool = False
    detaches: bool = False
    awaitable: bool = False
    returns: str = ""
