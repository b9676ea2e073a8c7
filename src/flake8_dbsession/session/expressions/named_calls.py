"""Calls of what is known by its dotted name, of the user's own functions, and of what nobody knows."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..events import Happening
from ..functions.coroutines import run_to_its_end, task_of
from ..functions.effects import report_wait
from ..functions.groups import add_to_group
from ..functions.lending import pass_on, unseen
from ..sharing.handover import hand_over
from ..summary import Wait
from ..values import COROUTINE, OBJECT, UNKNOWN, Value, contained
from ..waiting import STREAMING_RESPONSES, only_names, stream, wait
from .call import Call
from .changing import touch
from .going_through import go_through_by_function, go_through_by_method
from .library import PASSING
from .opening import entered_by_stack, sqlalchemy_call
from .rows import LOADER

if TYPE_CHECKING:
    from .evaluate import Evaluation


_TELLING_METHODS = {
    "run_in_executor": "asyncio.AbstractEventLoop.run_in_executor",
    "get_bind": "alembic.op.get_bind",
    "add_request_method": "pyramid.config.Configurator.add_request_method",
    "start_background_task": "flask_socketio.SocketIO.start_background_task",
    "basic_consume": "pika.adapters.blocking_connection.BlockingChannel.basic_consume",
}
"""Methods whose name leaves no doubt, whatever the receiver is called."""

_AWAITERS = frozenset({"asyncio.wait_for", "asyncio.shield", "asyncio.timeout"})

_CONTEXTS = frozenset({"app_context", "test_request_context", "request_context"})
TELLING_WORDS = _CONTEXTS | {LOADER}
"""Attributes that do something whatever they are attributes of."""


def named(ev: Evaluation, name: str, call: Call, awaited: bool, receiver: Value = UNKNOWN) -> Value:
    """A function, class or method known by its dotted name."""
    known = ev.world.known
    short = known.sqlalchemy_type(name)
    if short is not None:
        made = sqlalchemy_call(ev, short, call)
        if made is not None:
            return made
    if name in known.conventions.never_returns:
        ev.now.may_raise()
        ev.now.is_dead = True
        return UNKNOWN
    plain = PASSING.get(name)
    if plain is not None:
        return plain(ev, call)
    go_through_by_function(ev, name, call)
    tail = name.rpartition(".")[2]
    if tail in _CONTEXTS:
        return Value(OBJECT, "flask.app_context")
    if name == "flask.app_context.pop":
        ev.now.pop_context()
        return UNKNOWN
    if name == "flask.app_context.push":
        ev.now.event(Happening.PUSHED, call.node)
        return UNKNOWN
    if name.endswith(("ExitStack.enter_context", "ExitStack.enter_async_context")):
        return entered_by_stack(ev, call)
    if name in STREAMING_RESPONSES:
        stream(ev, name, call)
    role = configured(ev, name, call)
    if role is not None:
        return role
    handover = known.handover(name)
    if handover is not None:
        result = hand_over(ev, handover, call, awaited)
        if result is not None:
            return result
        add_to_group(ev, receiver, handover, call)
    fact = known.call(name)
    if fact is not None and fact.awaited and not awaited and not (fact.plain and not ev.body.is_async):
        return Value(COROUTINE, name, extra=call.values)
    if name in _AWAITERS and awaited and call.positional and call.positional[0].kind == COROUTINE:
        inner = known.call(call.positional[0].name)
        fact = inner if inner is not None and inner.kind else fact
    for_others = handover is not None and handover.every and not only_names(call)
    is_seen = handover is not None and handover.inline and run_to_its_end(ev, call)
    if fact is not None and fact.kind and not for_others and not is_seen:
        wait(ev, fact, call)
    made = task_of(Value(OBJECT, fact.makes), call) if fact is not None and fact.makes else UNKNOWN
    if known.never_raises(name) or (fact is not None and fact.kind == "sleep"):
        return made
    if handover is None and fact is None:
        pass_on(ev, call)
    ev.now.may_raise()
    if handover is not None:
        for value in call.values:
            ev.now.give(value, uncertain=False)
    return made


def configured(ev: Evaluation, name: str, call: Call) -> Value | None:
    """What the user's configuration says about the function."""
    if ev.world.configured(name, "closer") is not None:
        for value in call.values:
            for resource in contained(value):
                ev.now.finish(resource, call.node)
        return UNKNOWN
    if ev.world.configured(name, "owner") is not None:
        return unknown(ev, call)
    advice = ev.world.configured(name, "wait")
    if advice is not None:
        report_wait(ev, Wait("network", name, advice=advice, line=call.node.lineno), call.node)
        ev.now.may_raise()
        return UNKNOWN
    return None


def unknown(ev: Evaluation, call: Call) -> Value:
    """A call of something unknown: only a name that leaves no doubt tells what it is."""
    if isinstance(call.node.func, ast.Attribute) and call.node.func.attr in _TELLING_METHODS:
        return named(ev, _TELLING_METHODS[call.node.func.attr], call, False)
    if isinstance(call.node.func, ast.Attribute) and call.node.func.attr in _CONTEXTS:
        return Value(OBJECT, "flask.app_context")
    touch(ev, call)
    go_through_by_method(ev, call)
    return unseen(ev, call)
