"""Calls of methods that hand out sessions, on an object that nobody tells the class of: ``store.get_session()``.

The name tells it: it speaks of a session, and every method of the project that has it opens one for its caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..functions.project_calls import run
from ..values import OPENED, SESSION, UNKNOWN, Value
from .implementations import Method, fits, found

if TYPE_CHECKING:
    from ..summary import Target
    from .call import Call
    from .evaluate import Evaluation


def handed_out(ev: Evaluation, call: Call, name: str, awaited: bool) -> Value:
    """What a call of a method of that name gives where it is sure to be a session, or a block that opens one."""
    methods = found(ev, ev.world.methods_called(name)) if speaks_of_sessions(name) else []
    able = [method for method in methods if not method[1].is_abstract and not method[1].refuses]
    given = {opened_by(ev, method) if gets(method[1], call, awaited) else None for method in able}
    if len(given) != 1 or None in given:
        return UNKNOWN
    return run(ev, able[0][0], call, awaited)


def speaks_of_sessions(name: str) -> bool:
    """``get_session``, ``session_scope``, ``open_connection``."""
    return "session" in name or "connection" in name


def gets(target: Target, call: Call, awaited: bool) -> bool:
    """Whether the call gets what the method gives: the session, or the block, with arguments that it takes."""
    is_block = target.is_generator and target.is_manager and not awaited
    return target.takes(call.node) if is_block else fits(target, call, awaited)


def opened_by(ev: Evaluation, method: Method) -> tuple[str, bool] | None:
    """The type of session that a method opens for its caller, and whether for a block only; None for no such thing."""
    value, target = method
    summary = ev.world.summary(value, ())
    made = UNKNOWN if summary is None else summary.yields if target.is_generator else summary.returns
    is_opened = made.kind == SESSION and made.resource is not None and made.resource.origin == OPENED
    return (made.resource.type, target.is_generator) if is_opened and made.resource is not None else None
