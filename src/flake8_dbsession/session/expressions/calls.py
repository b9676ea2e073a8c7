"""Calls: which one it is, and what it does to the sessions it reaches."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..functions.constructing import construct
from ..functions.coroutines import under_keys
from ..functions.project_calls import run
from ..sharing.side_by_side import put
from ..values import (
    CONTEXT_VAR,
    COROUTINE,
    FUNCTION,
    MAYBE,
    NAMED,
    NONE,
    SESSION,
    UNKNOWN,
    Value,
    found_session,
    pool_of,
)
from ..waiting import wait
from .attributes import read_row
from .call import Call
from .changing import change_by_method
from .compound import handle_asked_for
from .context_variables import context_method
from .going_through import go_through_by_method, goes_through
from .handing_out import handed_out
from .implementations import by_name, one_of
from .methods import (
    engine_method,
    flask_method,
    given_session,
    is_decorated,
    lent_for_a_block,
    manager_method,
    query_method,
    result_method,
    session_method,
    transaction_method,
)
from .named_calls import configured, named, unknown
from .opening import manager, open_session
from .providers import provided
from .refine import place_of, remember
from .selects import LOCKING, STATEMENT, STREAMED, asks_for_stream, marked
from .tables import made_by_any, mapping_method, table_method

if TYPE_CHECKING:
    from .evaluate import Evaluation


def evaluate_call(ev: Evaluation, node: ast.Call) -> Value:
    """Evaluate a call: the function, the arguments, then what it does."""
    awaited = ev.awaited is node
    ev.awaited = None
    function = ev.value(node.func)
    inner = awaited_inside(ev, function) if awaited else -1
    ev.gone_through = node.args[0] if node.args and goes_through(function, node) else None
    positional = tuple(awaited_value(ev, a) if i == inner else ev.value(a) for i, a in enumerate(node.args))
    keywords = {k.arg or "**": ev.value(k.value) for k in node.keywords}
    change_by_method(ev, function, node)
    return perform(ev, function, Call(node, positional, keywords), awaited)


def awaited_inside(ev: Evaluation, function: Value) -> int:
    """The position of the coroutine that ``await wait_for(…)`` and its like run in the same place; -1 for none."""
    fact = ev.world.known.handover(function.name) if function.kind == NAMED else None
    return fact.callable.position if fact is not None and fact.inline and fact.coroutine and fact.callable else -1


def awaited_value(ev: Evaluation, node: ast.expr) -> Value:
    ev.awaited = node
    value = ev.value(node)
    ev.awaited = None
    if value.kind == COROUTINE:
        ev.awaited_later(value, node)
        return UNKNOWN
    return value


def perform(ev: Evaluation, function: Value, call: Call, awaited: bool) -> Value:
    """What calling ``function`` gives, its effects applied."""
    if function.kind != FUNCTION and is_exit(call.node):
        ev.now.is_dead = True
    query = given_session(function, call)
    if query != UNKNOWN:
        return query
    match function.kind:
        case "factory":
            return open_session(ev, call, function)
        case "registry":
            return Value(SESSION, resource=function.resource)
        case "flask_db":
            return lent_for_a_block(function)
        case "method":
            return method(ev, function, call, awaited)
        case "function":
            return project_function(ev, function, call, awaited)
        case "class":
            return construct(ev, function, call)
        case "named":
            return named(ev, function.name, call, awaited)
        case "object":
            return called_itself(ev, function, call, awaited)
        case "partial":
            inner, values, words = function.extra
            whole = Call(call.node, (*values, *call.positional), {**dict(words), **call.keywords})
            return perform(ev, inner, whole, awaited)
        case "provider":
            return perform(ev, function.extra[0], provided(ev, function, call, perform), awaited)
        case "one of":
            made = made_by_any(function)
            if made == UNKNOWN:
                one_of(ev, function.extra, call, awaited)
            unknown(ev, call)
            return made
    if isinstance(call.node.func, ast.Attribute):
        session = handed_out(ev, call, call.node.func.attr, awaited)
        if session != UNKNOWN:
            return session
    by_name(ev, call, awaited)
    return unknown(ev, call)


def called_itself(ev: Evaluation, called: Value, call: Call, awaited: bool) -> Value:
    """What an object does that is called like a function, one of the project or of a library."""
    carried_out = ev.world.attribute(called, "__call__")
    if carried_out.kind == FUNCTION:
        return project_function(ev, carried_out, call, awaited)
    name = f"{called.name}.__call__"
    return named(ev, name, call, awaited, called) if ev.world.known.call(name) is not None else unknown(ev, call)


def method(ev: Evaluation, function: Value, call: Call, awaited: bool) -> Value:
    receiver: Value = function.extra[0]
    name = function.name
    match receiver.kind:
        case "session" | "registry":
            found_there(ev, call.node.func, receiver)
            return session_method(ev, receiver, name, call, awaited)
        case "query":
            return query_method(ev, receiver, name, call)
        case "result" | "rows":
            go_through_by_method(ev, call)
            return result_method(ev, receiver, name)
        case "engine":
            return engine_method(ev, receiver, name, call, awaited)
        case "transaction":
            return transaction_method(ev, receiver, name, call)
        case "manager" | "generator":
            return manager_method(ev, receiver, name, call)
        case "factory" if name == "begin":
            return manager(receiver, call.node)
        case "factory" if name == "configure":
            bind_later(ev, receiver, call)
            return NONE
        case "statement":
            if name == "with_for_update":
                return marked(receiver, LOCKING)
            streamed = name == "execution_options" and asks_for_stream(call.node)
            return marked(receiver, STREAMED) if streamed else Value(STATEMENT) if name == "add_columns" else receiver
        case "flask_db":
            return flask_method(ev, receiver, name, call)
        case "object" if receiver.name == CONTEXT_VAR:
            return context_method(ev, receiver, name, call)
        case "object":
            return named(ev, f"{receiver.name}.{name}", call, awaited, receiver)
        case "function" if name in ("delay", "apply_async") and is_decorated(ev, receiver):
            return named(ev, f"celery.Task.{name}", call, awaited)
        case "table":
            return table_method(receiver, name, call)
        case "mapping":
            return mapping_method(receiver, name, call)
        case "row":
            read_row(ev, call.node, receiver)
        case "tuple" if put(ev, receiver, call):
            return NONE
        case "tuple" if name == "values" and not call.node.args:
            return under_keys(receiver)
        case "tuple" if name == "get" and receiver.name == "dict" and call.node.args:
            handle = handle_asked_for(receiver, call)
            return handle if handle != UNKNOWN else unknown(ev, call)
    return unknown(ev, call)


def bind_later(ev: Evaluation, factory: Value, call: Call) -> None:
    """``Factory.configure(bind=engine)``: from here on it makes sessions of that engine."""
    place = place_of(ev, call.node.func.value) if isinstance(call.node.func, ast.Attribute) else ""
    pool = pool_of(call.argument(9, "bind"))
    if place and pool:
        remember(ev, place, factory.with_extra(*factory.extra, ("pool", pool)))


def found_there(ev: Evaluation, function: ast.expr, session: Value) -> None:
    """A session whose method is called is none that may be missing: from here on whoever gets it has one."""
    if MAYBE in session.extra and isinstance(function, ast.Attribute):
        place = place_of(ev, function.value)
        if place:
            remember(ev, place, found_session(session))


def is_exit(node: ast.Call) -> bool:
    """``self.exit(1)`` of an application, which ends the process with that code."""
    match node:
        case ast.Call(func=ast.Attribute(attr="exit"), args=[ast.Constant(value=int())], keywords=[]):
            return True
    return False


def project_function(ev: Evaluation, function: Value, call: Call, awaited: bool) -> Value:
    """A function of the project: what its own analysis says, else as its annotation says."""
    name = function.name
    if name:
        role = configured(ev, name, call)
        if role is not None:
            return role
        fact = ev.world.known.call(name)
        if fact is not None and fact.kind:
            wait(ev, fact, call)
    return run(ev, function, call, awaited)
