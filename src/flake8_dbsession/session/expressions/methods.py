"""Methods of sessions, queries, results, engines and transactions, by the measured tables."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..functions.lending import pass_on, unseen
from ..functions.project_calls import run
from ..state import CHANGED, GIVEN, SERVER_SIDE, WRITTEN
from ..values import (
    CLASS,
    COROUTINE,
    ENGINE,
    FACTORY,
    FUNCTION,
    LENT_CONNECTION,
    MANAGER,
    NEW_ROW,
    OBJECT,
    QUERY,
    REGISTRY,
    RESULT,
    ROW,
    ROWS,
    SESSION,
    TRANSACTION,
    UNKNOWN,
    Resource,
    Value,
    pool_of,
    truth,
)
from ..verbs import run_method
from .call import Call
from .opening import manager, next_of, open_session
from .selects import PLAIN, STATEMENT, STREAMED, are_columns, asks_for_stream, is_text, marked, model_of, only_reads

if TYPE_CHECKING:
    from .evaluate import Evaluation


_ONE_ROW = frozenset({"get", "get_one", "merge", "first", "one", "one_or_none", "scalar", "scalar_one", "get_or_404"})
_ONE_ROW |= {"scalar_one_or_none", "first_or_404", "one_or_404", "fetchone"}


_READERS = frozenset({"get", "get_one", "refresh"})


_LOOKUPS = frozenset({"one", "scalar_one", "get_one", "get_or_404", "first_or_404", "one_or_404"})


def session_method(ev: Evaluation, receiver: Value, name: str, call: Call, awaited: bool) -> Value:
    """A method of a session, a registry or a connection, by the measured tables."""
    resource = receiver.resource
    if resource is None:
        return unseen(ev, call)
    type_name = resource.type
    if receiver.kind == REGISTRY:
        type_name = "async_scoped_session" if resource.is_async else "scoped_session"
        if name == "remove" and resource.is_async and not awaited:
            return Value(COROUTINE, name, resource)
        if name == "remove":
            ev.now.finish(resource, call.node, "remove")
            return UNKNOWN
    if name == "configure" and call.argument(9, "bind").kind == SESSION:
        ev.now.mark(resource, GIVEN)  # joined to a connection that its owner closes
    effect = ev.world.known.effect(type_name, name)
    if effect is None:
        own = ev.world.attribute(Value(OBJECT, receiver.name), name) if receiver.name else UNKNOWN
        if own.kind == FUNCTION:
            return run(ev, own._replace(extra=(receiver, *own.extra[1:])), call, awaited)
        pass_on(ev, call)
        ev.now.may_raise()
        return UNKNOWN
    if name in ("begin", "begin_nested"):
        return Value(TRANSACTION, "nested" if name == "begin_nested" or resource.is_connection else "root", resource)
    if effect.awaitable and not awaited:
        return Value(COROUTINE, name, resource)
    if name == "merge" and is_of_others(ev, call):
        effect = effect._replace(conditional=False)
    run_method(ev.now, resource, effect, name, call.node)
    if effect.word == "checkout" and not reads(name, call):
        ev.now.mark(resource, CHANGED)
    if name == "expunge" and call.node.args and isinstance(call.node.args[0], ast.Name):
        ev.now.names.pop(call.node.args[0].id, None)
    if name in ("add", "refresh", "add_all") and call.node.args:
        as_row(ev, call.node.args[0], resource, is_new=name != "refresh")
    if name == "delete" and call.node.args and isinstance(call.node.args[0], ast.Name):
        ev.now.names.pop(call.node.args[0].id, None)  # commit detaches it with what it has loaded
    return session_result(ev, receiver, name, call)


def is_of_others(ev: Evaluation, call: Call) -> bool:
    """Whether ``merge()`` is given what was not made here, so that it has a key, by which its row is read.

    Measured: ``merge`` of an object with a key takes a connection, of one without it, or with ``load=False``, none.
    """
    if truth(call.keywords.get("load", UNKNOWN)) is False:
        return False
    match call.node.args:
        case [ast.Name(id=name), *_]:
            return name in {p.arg for p in ev.body.parameters} or call.positional[0].kind == ROW
        case [ast.Attribute(), *_]:
            return True
    return False


def reads(name: str, call: Call) -> bool:
    """Whether a method that runs SQL surely does nothing but read."""
    if name in _READERS:
        return "with_for_update" not in call.keywords or truth(call.keywords["with_for_update"]) is False
    return only_reads(call.node, call.argument(0, "statement"))


def given_session(function: Value, call: Call) -> Value:
    """``Query(Parcel).with_session(session)``: a query of that session, whoever made it; else UNKNOWN."""
    called = call.node.func
    if function.kind == FUNCTION or not (isinstance(called, ast.Attribute) and called.attr == "with_session"):
        return UNKNOWN
    session = call.argument(0, "session")
    return Value(QUERY, resource=session.resource) if session.kind in (SESSION, REGISTRY) else UNKNOWN


def as_row(ev: Evaluation, argument: ast.expr, resource: Resource, *, is_new: bool) -> None:
    """What is added to a session is a row of it from then on; one that was none before is new in it."""
    if isinstance(argument, ast.Name) and ev.now.names.get(argument.id, UNKNOWN).kind in ("unknown", "object", "row"):
        known = ev.now.names.get(argument.id, UNKNOWN)
        is_new = is_new and (known.kind != ROW or NEW_ROW in known.extra)
        ev.now.names[argument.id] = Value(ROW, known.name, resource, (NEW_ROW,) if is_new else ())


def session_result(ev: Evaluation, receiver: Value, name: str, call: Call) -> Value:
    resource = receiver.resource
    if name in ("get_bind", "get_async_bind"):
        flask = resource is not None and resource.flavour == "flask"
        return Value(ENGINE, "Engine", extra=("flask", receiver.name.rpartition(".")[2] or "db") if flask else ())
    if name == "connection":
        return LENT_CONNECTION
    if name in ("query", "query_property"):
        return Value(QUERY, model_of(call), resource, (PLAIN,) if are_columns(call.node.args) else ())
    statement = Value(STATEMENT, extra=(PLAIN,)) if is_text(call.node) else call.argument(0, "statement")
    if name in ("execute", "exec", "scalars", "stream", "stream_scalars") and resource is not None:
        told = statement if statement.kind == STATEMENT else UNKNOWN
        result = Value(RESULT, told.name, resource, told.extra)
        streamed = name.startswith("stream") or asks_for_stream(call.node)
        return marked(result, STREAMED) if streamed or ev.now.life(resource).marks & SERVER_SIDE else result
    if name in _ONE_ROW:
        model = statement.name if statement.kind in (STATEMENT, CLASS) else ""
        return UNKNOWN if PLAIN in statement.extra else Value(ROW, model, resource)
    if name == "execution_options" and resource is not None and asks_for_stream(call.node):
        ev.now.mark(resource, SERVER_SIDE)
    if name in ("execution_options", "__enter__", "__aenter__"):
        return receiver
    return UNKNOWN


def query_method(ev: Evaluation, receiver: Value, name: str, call: Call) -> Value:
    """Building a query takes nothing; running it takes a connection."""
    effect = ev.world.known.effect("Query", name)
    resource = receiver.resource
    if resource is None:
        return UNKNOWN
    if name == "with_for_update":
        ev.now.mark(resource, CHANGED)
    if name == "yield_per" or (name == "execution_options" and asks_for_stream(call.node)):
        return marked(receiver, STREAMED)
    plain = PLAIN in receiver.extra and name != "get"
    extra = name in ("first_or_404", "get_or_404", "one_or_404", "paginate")
    if extra or (effect is not None and effect.word == "checkout"):
        ev.now.take(resource, call.node, may_fail="lookup" if name in _LOOKUPS else "db")
        if name in ("update", "delete"):
            ev.now.mark(resource, WRITTEN)
        if name in _ONE_ROW and not plain:
            return Value(ROW, receiver.name, resource)
        return Value(ROWS, receiver.name, resource) if name in ("all", "paginate") and not plain else UNKNOWN
    if effect is None or effect.lazy:
        return receiver
    return UNKNOWN


def result_method(ev: Evaluation, receiver: Value, name: str) -> Value:
    plain = PLAIN in receiver.extra
    if name in ("all", "fetchall", "fetchmany"):
        return UNKNOWN if plain else Value(ROWS, receiver.name, receiver.resource)
    if name in _ONE_ROW:
        if name in _LOOKUPS:
            ev.now.may_raise("lookup")
        return UNKNOWN if plain else Value(ROW, receiver.name, receiver.resource)
    if name == "yield_per":
        return marked(receiver, STREAMED)
    return receiver if receiver.kind == RESULT else UNKNOWN


def engine_method(ev: Evaluation, receiver: Value, name: str, call: Call, awaited: bool) -> Value:
    """``connect()`` takes a connection at once (an AsyncEngine when awaited or entered).

    Without a pool that could run empty, it is one of those that the server allows (measured with NullPool: "Too many
    connections"); all that StaticPool gives are the same one.
    """
    if "StaticPool" in receiver.extra:
        return unseen(ev, call)
    is_async = receiver.name == "AsyncEngine"
    pool = (("pool", pool_of(receiver)),)
    if name == "connect" and not (is_async and not awaited):
        made = "AsyncConnection" if is_async else "Connection"
        return open_session(ev, Call(call.node, (), {}), Value(FACTORY, made, extra=pool))
    if name in ("begin", "connect"):
        return manager(Value(FACTORY, f"{'Async' if is_async else ''}Connection", extra=pool), call.node)
    if name == "raw_connection":
        return open_session(ev, Call(call.node, (), {}), Value(FACTORY, "PoolProxiedConnection", extra=pool))
    if name == "execution_options":
        return receiver
    if name == "dispose" and is_async and not awaited:
        return Value(COROUTINE, name)
    ev.now.may_raise()
    return UNKNOWN


def transaction_method(ev: Evaluation, receiver: Value, name: str, call: Call) -> Value:
    if receiver.resource is not None and receiver.name == "root":
        if name == "commit":
            ev.now.commit(receiver.resource, call.node)
        elif name in ("rollback", "close"):
            ev.now.rollback(receiver.resource)
    elif receiver.resource is not None and name in ("rollback", "close"):
        ev.now.back_to_savepoint(receiver.resource)
    return UNKNOWN


def manager_method(ev: Evaluation, receiver: Value, name: str, call: Call) -> Value:
    if name in ("__enter__", "__aenter__", "__next__", "__anext__", "send", "asend") and receiver.resource is not None:
        asked = call.node.func.value  # type: ignore[attr-defined]
        return next_of(ev, receiver, call.node, kept=not isinstance(asked, ast.Call) or is_connecting(asked, receiver))
    if name in ("__exit__", "__aexit__", "close", "aclose") and receiver.resource is not None:
        ev.now.finish(receiver.resource, call.node)
    return UNKNOWN


def is_connecting(asked: ast.Call, manager: Value) -> bool:
    """``engine.connect()`` of an AsyncEngine, which gives itself and is no generator."""
    is_connection = manager.resource is not None and manager.resource.is_connection
    return is_connection and isinstance(asked.func, ast.Attribute) and asked.func.attr == "connect"


def flask_method(ev: Evaluation, receiver: Value, name: str, call: Call) -> Value:
    """Methods of Flask-SQLAlchemy's ``db``; its ``*_404`` helpers go through ``db.session``."""
    resource = receiver.resource
    effect = ev.world.known.effect("flask_sqlalchemy.SQLAlchemy", name)
    if resource is not None and effect is not None and effect.word == "checkout":
        ev.now.take(resource, call.node)
        return Value(ROW, resource=resource)
    if name == "get_engine":
        return Value(ENGINE, "Engine", extra=("flask", receiver.name.rpartition(".")[2] or "db"))
    if name == "create_scoped_session":
        return Value(REGISTRY, receiver.name, resource)
    if name == "Session":  # SQLAlchemy's own, as Flask-SQLAlchemy passes on what it has no name of its own for
        return open_session(ev, call, Value(FACTORY, "Session"))
    if name == "init_app":
        ev.scope.owners.append(call.node)
    ev.now.may_raise()
    return UNKNOWN


def lent_for_a_block(database: Value) -> Value:
    """``with db(): …``: fastapi-sqlalchemy's ``db`` has a session within such a block, as within a request."""
    resource = database.resource
    return Value(MANAGER, resource.type if resource is not None else "", resource, ("borrowed", True, True))


def is_decorated(ev: Evaluation, function: Value) -> bool:
    target = ev.world.target(function)
    return target is not None and bool(target.decorators)
