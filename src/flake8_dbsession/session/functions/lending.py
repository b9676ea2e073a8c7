"""Sessions that are passed to code that cannot be seen: lent to functions, given to whatever keeps or closes."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from ...names import dotted
from ..expressions.call import Call
from ..expressions.removing import is_removal_by_name, remove_all
from ..state import GIVEN
from ..values import FUNCTION, SESSION, UNKNOWN, Value

if TYPE_CHECKING:
    from ..expressions.evaluate import Evaluation


def unseen(ev: Evaluation, call: Call) -> Value:
    """Code that cannot be seen may raise, and may keep or close what it gets if it is called like that."""
    pass_on(ev, call)
    if is_removal_by_name(ev.body, call.node):
        remove_all(ev)
    if is_continuation(ev, call.node.func):
        for value in [v for name, v in ev.now.names.items() if is_laid_down(name) and v.kind == SESSION]:
            ev.now.lend(value, call.node)
    if not is_log(ev, call.node.func) and not is_formatting(call.node.func):
        ev.now.may_raise()
    return UNKNOWN


def is_continuation(ev: Evaluation, function: ast.expr) -> bool:
    """``next()`` of a middleware: what runs there finds what was put into the context before."""
    return isinstance(function, ast.Name) and any(p.arg == function.id for p in ev.body.parameters)


def is_laid_down(name: str) -> bool:
    """``context["db"]``, ``request.state.db``: where what runs later finds a session."""
    return name.endswith("]") or ("." in name and not name.startswith("self."))


def is_log(ev: Evaluation, function: ast.expr) -> bool:
    """``logger.warning(…)`` on whatever is called like a logger."""
    if not isinstance(function, ast.Attribute):
        return False
    owner = function.value
    name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
    return name in ev.world.known.conventions.loggers


def is_formatting(function: ast.expr) -> bool:
    """``message.format(error)``, as handlers write it before they roll back."""
    return isinstance(function, ast.Attribute) and function.attr == "format"


def pass_on(ev: Evaluation, call: Call) -> None:
    """A session is lent to a plain function or method, and given to a constructor, a callback or a closer.

    Whoever takes a session as a parameter leaves closing it to the caller (seven thousand of seven thousand in a
    count of public applications); what stores or closes says so in its name.
    """
    named = [(k, v) for k, v in call.keywords.items()] + [("", v) for v in call.positional]
    for keyword, value in named:
        if value.kind == SESSION and (keyword in _SESSION_WORDS or is_borrower(ev, call.node.func, value)):
            ev.now.lend(value, call.node, reads(dotted(call.node.func) or ""))
        elif value.kind == FUNCTION:
            for resource in ev.reached(value):
                ev.now.mark(resource, GIVEN)
        else:
            ev.now.give(value, uncertain=not is_container(ev, call.node.func))


def is_container(ev: Evaluation, function: ast.expr) -> bool:
    """``OPEN.append(session)``, ``self.open.add(session)``: a container that outlives the call has it from then on."""
    if not isinstance(function, ast.Attribute) or function.attr not in _STORING:
        return False
    name = dotted(function)
    return name is not None and name.partition(".")[0] not in ev.scope.local_names - {"self", "cls"}


_BUILTINS = frozenset(dir(builtins))
_STORING = frozenset({"append", "appendleft", "add", "insert", "put", "put_nowait", "setdefault", "push"})
_SESSION_WORDS = frozenset({"db", "session", "db_session", "dbsession", "conn", "connection", "con", "sess"})


def is_borrower(ev: Evaluation, function: ast.expr, session: Value) -> bool:
    """``service.load(session)`` of a module or class: no name that speaks of closing or keeping, no callback.

    A session that a ``with`` block of this function closes is never given away, nor one that it closes later.
    """
    name = dotted(function)
    if name is None:
        return False
    if name not in _BUILTINS and not closes(name.rpartition(".")[2]) and is_closed_later(ev, function, session):
        return True
    if keeps(name.rpartition(".")[2]):
        return False
    head = name.partition(".")[0]
    if any(held.resource == session.resource for slot, held in ev.now.names.items() if slot.startswith("<")):
        return True
    return (head in ("self", "cls") or head not in ev.scope.local_names) and ("." in name or "_" in name)


def is_closed_later(ev: Evaluation, function: ast.expr, session: Value) -> bool:
    """Whether ``session.close()`` follows below the call of the function, other than where an exception is caught."""
    names = {name for name, value in ev.now.names.items() if value == session}
    caught = [handler for attempt in ev.body.own(ast.Try) for handler in attempt.handlers]
    for call in ev.body.own(ast.Call):
        match call.func:
            case ast.Attribute(value=ast.Name(id=name), attr="close") if name in names:
                is_below = call.lineno > function.lineno
                if is_below and not any(h.lineno <= call.lineno <= (h.end_lineno or 0) for h in caught):
                    return True
    return False


def reads(name: str) -> bool:
    """``get_limits``, ``orders.find_open``: a name that says that a function only reads, not ``get_or_create``."""
    first, *rest = name.rpartition(".")[2].lstrip("_").split("_")
    return first in _READING and not _WRITING.intersection(rest)


_READING = frozenset({"check", "count", "exists", "fetch", "find", "get", "has", "is", "list", "load", "query", "read"})
_WRITING = frozenset(
    {"add", "and", "commit", "create", "delete", "ensure", "insert", "lock", "mark", "or", "save", "set", "then"}
    | {"session", "sync", "update", "upsert", "write"}
)


def keeps(name: str) -> bool:
    """Whether a name speaks of closing or keeping: a constructor, or one with such a word in it."""
    return name[:1].isupper() or closes(name)


def closes(name: str) -> bool:
    """Whether a name speaks of closing or keeping by one of its words."""
    return "handle_error" in name or any(map(is_keeping, name.lower().split("_")))


def is_keeping(word: str) -> bool:
    return word in _WHOLE or word.startswith(_BEGINNINGS) or any(part in word for part in _PARTS)


_WHOLE = frozenset(
    {"bind", "done", "end", "ends", "enter", "exit", "free", "push", "put", "set", "stop", "with", "wrap"}
)
"""Words that are only meant where they stand for themselves: "send" and "dataset" are none of them."""
_BEGINNINGS = ("init", "setup")
_PARTS = (
    *("close", "clean", "dispose", "release", "remove", "finish", "teardown", "shutdown", "rollback", "abort", "reset"),
    *("register", "append", "store", "attach", "enqueue", "submit", "cache", "callback", "return", "finaliz"),
    *("insert", "yield"),
)
