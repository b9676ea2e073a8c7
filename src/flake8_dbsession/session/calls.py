"""Calls: which one it is, and what it does to the sessions it reaches."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, NamedTuple

from ..names import dotted
from ..known import Entry
from .events import Happening
from .handover import hand_over
from .project_calls import construct, run
from .state import ENTRY, GIVEN, HELD, IDLE, SERVER_SIDE, WRITTEN
from .statements import ENUMERATED, PLAIN, STATEMENT, STREAMED, are_columns, asks_for_stream, marked
from .summary import Wait
from .values import (
    CLASS,
    CLOSING,
    ENGINE,
    FACTORY,
    FLASK_DB,
    FUNCTION,
    GENERATOR,
    MANAGER,
    METHOD,
    NAMED,
    OBJECT,
    OPENED,
    PARTIAL,
    QUERY,
    REGISTRY,
    RESULT,
    ROW,
    ROWS,
    SESSION,
    TRANSACTION,
    TUPLE,
    UNKNOWN,
    AMBIENT,
    Resource,
    Value,
    contained,
    pool_of,
)

if TYPE_CHECKING:
    from .evaluate import Evaluation

COROUTINE = "coroutine"
_ONE_ROW = frozenset({"get", "get_one", "merge", "first", "one", "one_or_none", "scalar", "scalar_one", "get_or_404"})
_ONE_ROW |= {"scalar_one_or_none", "first_or_404", "one_or_404", "fetchone"}
_LOOKUPS = frozenset({"one", "scalar_one", "get_one", "get_or_404", "first_or_404", "one_or_404"})
_AWAITERS = frozenset({"asyncio.wait_for", "asyncio.shield", "asyncio.timeout"})
_TELLING_METHODS = {
    "run_in_executor": "asyncio.AbstractEventLoop.run_in_executor",
    "start_background_task": "flask_socketio.SocketIO.start_background_task",
    "basic_consume": "pika.adapters.blocking_connection.BlockingChannel.basic_consume",
}
"""Methods whose name leaves no doubt, whatever the receiver is called."""
_CONTEXTS = frozenset({"app_context", "test_request_context", "request_context"})


class Call(NamedTuple):
    """One call with everything around it evaluated."""

    node: ast.Call
    positional: tuple[Value, ...]
    keywords: dict[str, Value]

    @property
    def values(self) -> tuple[Value, ...]:
        return (*self.positional, *self.keywords.values())

    def argument(self, position: int, keyword: str) -> Value:
        """The value of one argument; UNKNOWN where it is not given."""
        if keyword in self.keywords:
            return self.keywords[keyword]
        return self.positional[position] if position < len(self.positional) else UNKNOWN

    def literal(self, keyword: str) -> Any:
        """The constant given for a keyword, or None."""
        for given in self.node.keywords:
            if given.arg == keyword and isinstance(given.value, ast.Constant):
                return given.value.value
        return None


def evaluate_call(ev: Evaluation, node: ast.Call) -> Value:
    """Evaluate a call: the function, the arguments, then what it does."""
    awaited = ev.awaited is node
    ev.awaited = None
    function = ev.value(node.func)
    inner = awaited_inside(ev, function) if awaited else -1
    positional = tuple(awaited_value(ev, a) if i == inner else ev.value(a) for i, a in enumerate(node.args))
    keywords = {k.arg or "**": ev.value(k.value) for k in node.keywords}
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
    match function.kind:
        case "factory":
            return open_session(ev, call, function)
        case "registry":
            return Value(SESSION, resource=function.resource)
        case "method":
            return method(ev, function, call, awaited)
        case "function":
            return project_function(ev, function, call, awaited)
        case "class":
            return construct(ev, function, call)
        case "named":
            return named(ev, function.name, call, awaited)
        case "partial":
            inner, values, words = function.extra
            whole = Call(call.node, (*values, *call.positional), {**dict(words), **call.keywords})
            return perform(ev, inner, whole, awaited)
    return unseen(ev, call)


def unseen(ev: Evaluation, call: Call) -> Value:
    """Code that cannot be seen may raise, and may keep or close what it gets if it is called like that."""
    if isinstance(call.node.func, ast.Attribute) and call.node.func.attr in _TELLING_METHODS:
        return named(ev, _TELLING_METHODS[call.node.func.attr], call, False)
    if isinstance(call.node.func, ast.Attribute) and call.node.func.attr in _CONTEXTS:
        return Value(OBJECT, "flask.app_context")
    pass_on(ev, call)
    if not is_log(ev, call.node.func):
        ev.now.may_raise()
    return UNKNOWN


def is_log(ev: Evaluation, function: ast.expr) -> bool:
    """``logger.warning(…)`` on whatever is called like a logger."""
    if not isinstance(function, ast.Attribute):
        return False
    owner = function.value
    name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
    return name in ev.world.known.conventions.loggers


def pass_on(ev: Evaluation, call: Call) -> None:
    """A session is lent to a plain function or method, and given to a constructor, a callback or a closer.

    Whoever takes a session as a parameter leaves closing it to the caller (seven thousand of seven thousand in a
    count of public applications); what stores or closes says so in its name.
    """
    named = [(k, v) for k, v in call.keywords.items()] + [("", v) for v in call.positional]
    for keyword, value in named:
        if value.kind == SESSION and (keyword in _SESSION_WORDS or is_borrower(ev, call.node.func)):
            ev.now.lend(value, call.node)
        elif value.kind == FUNCTION:
            for resource in ev.reached(value):
                ev.now.mark(resource, GIVEN)
        else:
            ev.now.give(value)


_SESSION_WORDS = frozenset({"db", "session", "db_session", "dbsession", "conn", "connection", "con", "sess"})


def is_borrower(ev: Evaluation, function: ast.expr) -> bool:
    """``service.load(session)`` of a module or class: no name that speaks of closing or keeping, no callback."""
    name = dotted(function)
    if name is None or keeps(name.rpartition(".")[2]):
        return False
    head = name.partition(".")[0]
    return (head in ("self", "cls") or head not in ev.scope.local_names) and ("." in name or "_" in name)


def keeps(name: str) -> bool:
    return name[:1].isupper() or any(word in name.lower() for word in _KEEPING)


_KEEPING = (
    *("close", "clean", "dispose", "release", "remove", "finish", "teardown", "shutdown", "stop", "end", "exit", "free", "done"),
    *("register", "append", "push", "put", "store", "attach", "enqueue", "submit", "cache", "callback", "return", "finaliz"),
    *("set", "insert", "yield", "bind", "wrap", "handle_error", "rollback", "abort", "reset", "init", "enter", "with_"),
)


# -- opening


def open_session(ev: Evaluation, call: Call, factory: Value) -> Value:
    """A new session (or connection) from a factory call."""
    options = dict(factory.extra)
    bind = call.argument(0, "bind")
    if bind.kind == SESSION and bind.resource is not None and bind.resource.is_connection:
        return UNKNOWN  # joined to a connection that its owner closes (measured: 1 -> 1)
    if options.get("autocommit") or call.literal("autocommit"):
        return UNKNOWN  # 1.4 facade: nothing is held between statements
    keeps = options.get("keeps_rows", False) or call.literal("expire_on_commit") is False
    pool = pool_of(bind) or options.get("pool", "")
    resource = Resource(OPENED, place(call.node), factory.name, keeps_rows=bool(keeps), pool=pool)
    beside = options.get("beside") or beside_framework(bind)
    ev.now.open(resource, call.node, HELD if resource.is_connection else IDLE, beside)
    if resource.is_connection:
        ev.now.failures.append(("db", dict(ev.now.before.lives)))
    return Value(SESSION, resource=resource)


def opened(ev: Evaluation, value: Value, node: ast.AST) -> Value:
    """The session of a property or function that opens one each time (``value.name`` is its type)."""
    resource = Resource(OPENED, place(node), value.name)
    ev.now.open(resource, node, HELD if resource.is_connection else IDLE)
    return Value(SESSION, resource=resource)


def beside_framework(bind: Value) -> str | None:
    """The framework's own session, as text, when ``bind`` is its engine (``db.engine`` -> ``"db.session"``)."""
    return f"{bind.extra[1]}.session" if bind.kind == ENGINE and bind.extra[:1] == ("flask",) else None


def place(node: ast.AST) -> str:
    """The key of what is opened at ``node``."""
    return f"{node.lineno}:{node.col_offset}"  # type: ignore[attr-defined]


# -- methods


def method(ev: Evaluation, function: Value, call: Call, awaited: bool) -> Value:
    receiver: Value = function.extra[0]
    name = function.name
    match receiver.kind:
        case "session" | "registry":
            return session_method(ev, receiver, name, call, awaited)
        case "query":
            return query_method(ev, receiver, name, call)
        case "result" | "rows":
            return result_method(ev, receiver, name)
        case "engine":
            return engine_method(ev, receiver, name, call, awaited)
        case "transaction":
            return transaction_method(ev, receiver, name, call)
        case "manager" | "generator":
            return manager_method(ev, receiver, name, call)
        case "factory" if name == "begin":
            return manager(receiver, call.node)
        case "statement":
            streamed = name == "execution_options" and asks_for_stream(call.node)
            return marked(receiver, STREAMED) if streamed else Value(STATEMENT) if name == "add_columns" else receiver
        case "flask_db":
            return flask_method(ev, receiver, name, call)
        case "object":
            return named(ev, f"{receiver.name}.{name}", call, awaited, receiver)
        case "function" if name in ("delay", "apply_async") and is_decorated(ev, receiver):
            return named(ev, f"celery.Task.{name}", call, awaited)
        case "row":
            ev.read_row(call.node, receiver)
    return unseen(ev, call)


def is_decorated(ev: Evaluation, function: Value) -> bool:
    target = ev.world.target(function)
    return target is not None and bool(target.decorators)


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
    effect = ev.world.known.effect(type_name, name)
    if effect is None:
        pass_on(ev, call)
        ev.now.may_raise()
        return UNKNOWN
    if name in ("begin", "begin_nested"):
        return Value(TRANSACTION, "nested" if name == "begin_nested" or resource.is_connection else "root", resource)
    if effect.awaitable and not awaited:
        return Value(COROUTINE, name, resource)
    ev.now.apply(resource, effect, name, call.node)
    if name == "expunge" and call.node.args and isinstance(call.node.args[0], ast.Name):
        ev.now.names.pop(call.node.args[0].id, None)
    if name in ("add", "refresh", "delete", "add_all") and call.node.args:
        as_row(ev, call.node.args[0], resource)
    return session_result(ev, receiver, name, call)


def as_row(ev: Evaluation, argument: ast.expr, resource: Resource) -> None:
    """What is added to a session is a row of it from then on."""
    if isinstance(argument, ast.Name) and ev.now.names.get(argument.id, UNKNOWN).kind in ("unknown", "object", "row"):
        ev.now.names[argument.id] = Value(ROW, resource=resource)


def session_result(ev: Evaluation, receiver: Value, name: str, call: Call) -> Value:
    resource = receiver.resource
    if name in ("get_bind", "get_async_bind"):
        flask = resource is not None and resource.flavour == "flask"
        return Value(ENGINE, "Engine", extra=("flask", receiver.name.rpartition(".")[2] or "db") if flask else ())
    if name in ("query", "query_property"):
        return Value(QUERY, resource=resource, extra=(PLAIN,) if are_columns(call.node.args) else ())
    statement = call.argument(0, "statement")
    if name in ("execute", "exec", "scalars", "stream", "stream_scalars") and resource is not None:
        result = Value(RESULT, resource=resource, extra=statement.extra if statement.kind == STATEMENT else ())
        streamed = name.startswith("stream") or asks_for_stream(call.node)
        return marked(result, STREAMED) if streamed or ev.now.life(resource).marks & SERVER_SIDE else result
    if name in _ONE_ROW:
        return UNKNOWN if PLAIN in statement.extra else Value(ROW, resource=resource)
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
    if name == "yield_per" or (name == "execution_options" and asks_for_stream(call.node)):
        return marked(receiver, STREAMED)
    plain = PLAIN in receiver.extra and name != "get"
    extra = name in ("first_or_404", "get_or_404", "one_or_404", "paginate")
    if extra or (effect is not None and effect.word == "checkout"):
        ev.now.take(resource, call.node, may_fail="lookup" if name in _LOOKUPS else "db")
        if name in ("update", "delete"):
            ev.now.mark(resource, WRITTEN)
        if name in _ONE_ROW and not plain:
            return Value(ROW, resource=resource)
        return Value(ROWS, resource=resource) if name in ("all", "paginate") and not plain else UNKNOWN
    if effect is None or effect.lazy:
        return receiver
    return UNKNOWN


def result_method(ev: Evaluation, receiver: Value, name: str) -> Value:
    plain = PLAIN in receiver.extra
    if name in ("all", "fetchall", "fetchmany"):
        return UNKNOWN if plain else Value(ROWS, resource=receiver.resource)
    if name in _ONE_ROW:
        if name in _LOOKUPS:
            ev.now.may_raise("lookup")
        return UNKNOWN if plain else Value(ROW, resource=receiver.resource)
    if name == "yield_per":
        return marked(receiver, STREAMED)
    return receiver if receiver.kind == RESULT else UNKNOWN


def engine_method(ev: Evaluation, receiver: Value, name: str, call: Call, awaited: bool) -> Value:
    """``connect()`` takes a connection at once (an AsyncEngine when awaited or entered)."""
    if "NullPool" in receiver.extra or "StaticPool" in receiver.extra:
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
    return UNKNOWN


def manager(factory: Value, node: ast.AST) -> Value:
    """A context manager that opens a session on entry and closes it at the end."""
    options = dict(factory.extra)
    keeps = bool(options.get("keeps_rows"))
    resource = Resource(OPENED, place(node), factory.name, keeps_rows=keeps, pool=options.get("pool", ""))
    return Value(MANAGER, factory.name, resource)


def manager_method(ev: Evaluation, receiver: Value, name: str, call: Call) -> Value:
    if name in ("__enter__", "__aenter__", "__next__", "__anext__", "send", "asend") and receiver.resource is not None:
        return next_of(ev, receiver, call.node, kept=not isinstance(call.node.func.value, ast.Call))  # type: ignore[attr-defined]
    if name in ("__exit__", "__aexit__", "close", "aclose") and receiver.resource is not None:
        ev.now.finish(receiver.resource, call.node)
    return UNKNOWN


def next_of(ev: Evaluation, generator: Value, node: ast.AST, *, kept: bool) -> Value:
    """``next(get_db())``: nobody keeps the generator, so it closes its session before it is used (measured)."""
    resource = generator.resource
    if resource is None:
        return UNKNOWN
    ev.now.open(resource, node)
    ev.now.mark(resource, GIVEN)
    if not kept:
        ev.now.event(Happening.DISCARDED_GENERATOR, node, resource)
    return Value(SESSION, resource=resource)


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
    ev.now.may_raise()
    return UNKNOWN


# -- functions by name


def named(ev: Evaluation, name: str, call: Call, awaited: bool, receiver: Value = UNKNOWN) -> Value:
    """A function, class or method known by its dotted name."""
    known = ev.world.known
    short = known.sqlalchemy_type(name)
    if short is not None:
        made = sqlalchemy_call(ev, short, call)
        if made is not None:
            return made
    plain = _PLAIN.get(name)
    if plain is not None:
        return plain(ev, call)
    tail = name.rpartition(".")[2]
    if tail in _CONTEXTS:
        return Value(OBJECT, "flask.app_context")
    if name == "flask.app_context.pop":
        ev.now.pop_context(ev.world)
        return UNKNOWN
    if name == "flask.app_context.push":
        ev.now.event(Happening.PUSHED, call.node)
        return UNKNOWN
    if name.endswith("ExitStack.enter_context") or name.endswith("ExitStack.enter_async_context"):
        return entered_by_stack(ev, call)
    if name in _STREAMING:
        stream(ev, name, call)
    role = configured(ev, name, call)
    if role is not None:
        return role
    handover = known.handover(name)
    if handover is not None:
        result = hand_over(ev, handover, call, awaited)
        if result is not None:
            return result
    fact = known.call(name)
    if fact is not None and fact.awaited and not awaited:
        return Value(COROUTINE, name, extra=call.values)
    if name in _AWAITERS and awaited and call.positional and call.positional[0].kind == COROUTINE:
        inner = known.call(call.positional[0].name)
        fact = inner if inner is not None and inner.kind else fact
    if fact is not None and fact.kind and not (handover and handover.every and not only_names(call)):
        wait(ev, fact, call)
    made = Value(OBJECT, fact.makes) if fact is not None and fact.makes else UNKNOWN
    if known.never_raises(name) or (fact is not None and fact.kind == "sleep"):
        return made
    ev.now.may_raise()
    if handover is not None:
        for value in call.values:
            ev.now.give(value, uncertain=False)
    elif fact is None:
        pass_on(ev, call)
    return made


def sqlalchemy_call(ev: Evaluation, short: str, call: Call) -> Value | None:
    """The constructors and module functions of SQLAlchemy, SQLModel and Flask-SQLAlchemy."""
    made = construction(short, call)
    if made is None:
        return None
    if made.kind == FACTORY and short in ("Session", "AsyncSession", "sqlmodel.Session", "sqlmodel.ext.asyncio.session.AsyncSession"):
        return open_session(ev, call, made)
    if made.kind == ENGINE and not {"NullPool", "StaticPool"} & set(made.extra):
        ev.now.event(Happening.ENGINE_MADE, call.node, None, short)
        ev.scope.engines.append(call.node)
    elif made.kind in (FACTORY, REGISTRY):
        ev.now.event(Happening.REGISTRY_MADE, call.node, None, short)
    return made


def construction(short: str, call: Call) -> Value | None:
    """What a constructor gives: an engine, a factory, a registry."""
    match short:
        case "create_engine" | "create_async_engine" | "engine_from_config" | "async_engine_from_config":
            return Value(ENGINE, "AsyncEngine" if "async" in short else "Engine", extra=pool_class(call))
        case "Session" | "AsyncSession" | "sqlmodel.Session" | "sqlmodel.ext.asyncio.session.AsyncSession":
            return Value(FACTORY, short, extra=options(call))
        case "sessionmaker" | "async_sessionmaker":
            return Value(FACTORY, session_class(short, call), extra=options(call))
        case "scoped_session" | "async_scoped_session":
            factory = call.argument(0, "session_factory")
            type_name = factory.name if factory.kind == FACTORY else "Session"
            if short.startswith("async"):
                type_name = "AsyncSession"
            keeps = bool(dict(factory.extra).get("keeps_rows")) if factory.kind == FACTORY else False
            own_scope = len(call.node.args) > 1 or "scopefunc" in call.keywords
            flavour = "scoped by function" if own_scope else "scoped"
            pool = dict(factory.extra).get("pool", "") if factory.kind == FACTORY else ""
            return Value(REGISTRY, "", Resource(AMBIENT, place(call.node), type_name, keeps, flavour, pool=pool))
        case "flask_sqlalchemy.SQLAlchemy":
            return Value(FLASK_DB, "", Resource(AMBIENT, place(call.node), "Session", False, "flask"))
    return None


def options(call: Call) -> tuple[tuple[str, Any], ...]:
    found: list[tuple[str, Any]] = []
    if call.literal("expire_on_commit") is False:
        found.append(("keeps_rows", True))
    if call.literal("autocommit"):
        found.append(("autocommit", True))
    bind = call.argument(0, "bind")
    beside = beside_framework(bind)
    if beside:
        found.append(("beside", beside))
    if pool_of(bind):
        found.append(("pool", pool_of(bind)))
    return tuple(found)


def session_class(short: str, call: Call) -> str:
    """The type of session a sessionmaker makes: its ``class_`` where that is known."""
    given = call.argument(1, "class_")
    if short.startswith("async") or "AsyncSession" in given.name or call.argument(0, "bind").name == "AsyncEngine":
        return "AsyncSession"
    return given.name if given.kind == FACTORY else "Session"


def pool_class(call: Call) -> tuple[str, ...]:
    return tuple(
        k.value.attr if isinstance(k.value, ast.Attribute) else k.value.id
        for k in call.node.keywords
        if k.arg == "poolclass" and isinstance(k.value, (ast.Name, ast.Attribute))
    )


def entered_by_stack(ev: Evaluation, call: Call) -> Value:
    """``stack.enter_context(x)``: the stack closes it."""
    value = call.positional[0] if call.positional else UNKNOWN
    if value.kind in (MANAGER, GENERATOR) and value.resource is not None:
        ev.now.open(value.resource, call.node, HELD if value.resource.is_connection else IDLE)
        value = Value(SESSION, resource=value.resource)
    elif value.kind == CLOSING:
        value = value.extra[0]
    for resource in contained(value):
        ev.now.mark(resource, GIVEN)
    return value


def configured(ev: Evaluation, name: str, call: Call) -> Value | None:
    """What the user's configuration says about the function."""
    if ev.world.configured(name, "closer") is not None:
        for value in call.values:
            for resource in contained(value):
                ev.now.finish(resource, call.node)
        return UNKNOWN
    if ev.world.configured(name, "owner") is not None:
        return unseen(ev, call)
    advice = ev.world.configured(name, "wait")
    if advice is not None:
        report_wait(ev, Wait("network", name, advice=advice, line=call.node.lineno), call.node)
        ev.now.may_raise()
        return UNKNOWN
    return None


# -- waiting


def wait(ev: Evaluation, fact: Any, call: Call) -> None:
    """The call waits for something: an event for every session that holds its connection meanwhile."""
    for argument, gives_up in ((fact.unless, (False, 0)), (fact.when, ())):
        if argument is None:
            continue
        given = argument.of(call.node)
        if argument is fact.unless and isinstance(given, ast.Constant) and given.value in gives_up:
            return
        if argument is fact.when and (given is None or (isinstance(given, ast.Constant) and not given.value)):
            return
    argument = fact.seconds or fact.timeout
    duration = argument.of(call.node) if argument is not None else None
    seconds = duration.value if isinstance(duration, ast.Constant) else 0
    literal = float(seconds) if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) else 0.0
    if fact.kind == "sleep" and isinstance(duration, ast.Constant) and not literal:
        return  # sleep(0) only yields
    report_wait(ev, Wait(fact.kind, fact.name, literal, line=call.node.lineno), call.node)


def only_names(call: Call) -> bool:
    """``gather(*tasks)``: tasks that were made elsewhere."""
    inner = [a.value if isinstance(a, ast.Starred) else a for a in call.node.args]
    return bool(inner) and all(isinstance(a, ast.Name) for a in inner) and not any(contained(v) for v in call.positional)


def wait_for_next(ev: Evaluation, iterated: Value, node: ast.expr) -> None:
    """``for message in consumer``: each turn waits for the next one."""
    for method_name in ("__next__", "__iter__", "__anext__", "__aiter__"):
        fact = ev.world.known.call(f"{iterated.name}.{method_name}")
        if fact is not None and fact.kind:
            report_wait(ev, Wait(fact.kind, iterated.name, line=node.lineno), node)
            return


def wait_to_enter(ev: Evaluation, value: Value, node: ast.expr, is_async: bool) -> Value | None:
    """``with lock:`` waits; what it binds, where that is known."""
    fact = ev.world.known.call(f"{value.name}.{'__aenter__' if is_async else '__enter__'}")
    if fact is not None and fact.kind:
        report_wait(ev, Wait(fact.kind, value.name, line=node.lineno), node)
    return Value(OBJECT, fact.makes) if fact is not None and fact.makes else None


def report_wait(ev: Evaluation, what: Wait, node: ast.AST, released: tuple[Resource, ...] = ()) -> None:
    """One wait: reported for what is held, remembered for callers that may hold more."""
    for resource in ev.now.held():
        if resource not in released:
            ev.now.event(Happening.WAITED, node, resource, what)
    free = tuple(r for r, life in ev.now.lives.items() if not life.phases & ENTRY and r.origin != OPENED)
    ev.scope.waits.setdefault((what, tuple(sorted({*free, *released}))), node)


_STREAMING = frozenset(
    {"starlette.responses.StreamingResponse", "fastapi.responses.StreamingResponse", "flask.stream_with_context"}
    | {"sse_starlette.sse.EventSourceResponse", "sse_starlette.EventSourceResponse", "flask.Response"}
    | {"fastapi.sse.EventSourceResponse", "quart.Response", "werkzeug.Response", "werkzeug.wrappers.Response"}
)
_FINISHED = frozenset({"iter", "list", "BytesIO", "StringIO", "getvalue", "open", "dumps"})


def stream(ev: Evaluation, name: str, call: Call) -> None:
    """A response that is produced while it is sent: what is held now stays held until the client has it all."""
    if not call.node.args or not is_produced(call.node.args[0], call.positional[0], name.endswith(".Response")):
        return
    if call.positional[0].kind == "generated" and call.positional[0].name:
        ev.scope.registered.append((call.positional[0].name, Entry(name, "stream")))
    for resource in ev.now.held():
        ev.now.event(Happening.STREAMED, call.node, resource, name)


def is_produced(argument: ast.expr, value: Value, plain: bool) -> bool:
    """Whether the content is a generator; a plain response streams only what is known to be one."""
    if value.kind in ("generated", "generator") or isinstance(argument, ast.GeneratorExp):
        return True
    if plain or not isinstance(argument, (ast.Call, ast.Name)):
        return False
    function = argument.func if isinstance(argument, ast.Call) else argument
    last = function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    return last not in _FINISHED and isinstance(argument, ast.Call)


# -- a few functions of the standard library


def _closing(ev: Evaluation, call: Call) -> Value:
    return Value(CLOSING, extra=call.positional[:1] or (UNKNOWN,))


def _next(ev: Evaluation, call: Call) -> Value:
    value = call.positional[0] if call.positional else UNKNOWN
    if value.kind == GENERATOR:
        return next_of(ev, value, call.node, kept=not isinstance(call.node.args[0], ast.Call))
    item = ev.item_of(value, call.node)
    ev.now.may_raise()
    return item


def _getattr(ev: Evaluation, call: Call) -> Value:
    name = call.node.args[1] if len(call.node.args) > 1 else None
    if isinstance(name, ast.Constant) and isinstance(name.value, str) and call.positional[0].kind != UNKNOWN.kind:
        return ev.attribute(ast.Attribute(call.node.args[0], name.value, ast.Load()), call.positional[0])
    return UNKNOWN


def _partial(ev: Evaluation, call: Call) -> Value:
    if not call.positional:
        return UNKNOWN
    return Value(PARTIAL, extra=(call.positional[0], call.positional[1:], tuple(call.keywords.items())))


def _cast(ev: Evaluation, call: Call) -> Value:
    return call.positional[1] if len(call.positional) > 1 else UNKNOWN


def _listed(ev: Evaluation, call: Call) -> Value:
    value = call.positional[0] if call.positional else UNKNOWN
    if value.kind == GENERATOR:
        return Value(TUPLE, extra=(next_of(ev, value, call.node, kept=False),))
    item = ev.item_of(value, call.node)
    return Value(ROWS, resource=item.resource) if item.kind == ROW else value


def _manager_of(ev: Evaluation, call: Call) -> Value:
    """``contextmanager(get_db)``: a function again."""
    value = call.positional[0] if call.positional else UNKNOWN
    return value._replace(extra=(*value.extra, "contextmanager")) if value.kind == FUNCTION else UNKNOWN


def _close_all(ev: Evaluation, call: Call) -> Value:
    for resource in list(ev.now.lives):
        if not resource.is_connection:
            ev.now.finish(resource, call.node, "close_all_sessions")
    return UNKNOWN


def _map(ev: Evaluation, call: Call) -> Value:
    if call.positional and contained(call.positional[0]):
        return Value(TUPLE, extra=(call.positional[0],))
    return unseen(ev, call)


def _select(ev: Evaluation, call: Call) -> Value:
    return Value(STATEMENT, extra=(PLAIN,) if are_columns(call.node.args) else ())


_PLAIN: dict[str, Any] = {
    **dict.fromkeys(("sqlalchemy.select", "sqlalchemy.future.select", "sqlalchemy.sql.select", "sqlmodel.select"), _select),
    "builtins.map": _map,
    "builtins.enumerate": lambda ev, call: Value(ENUMERATED, extra=call.positional[:1]),
    "contextlib.closing": _closing,
    "contextlib.aclosing": _closing,
    "contextlib.suppress": lambda ev, call: Value(OBJECT, "contextlib.suppress"),
    "builtins.next": _next,
    "builtins.anext": _next,
    "builtins.getattr": _getattr,
    "builtins.list": _listed,
    "builtins.sorted": _listed,
    "builtins.tuple": _listed,
    "builtins.iter": lambda ev, call: call.positional[0] if call.positional else UNKNOWN,
    "functools.partial": _partial,
    "typing.cast": _cast,
    "contextlib.contextmanager": _manager_of,
    "contextlib.asynccontextmanager": _manager_of,
    "sqlalchemy.orm.close_all_sessions": _close_all,
    "sqlalchemy.orm.session.close_all_sessions": _close_all,
}


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


__all__ = ["AMBIENT", "CLASS", "FLASK_DB", "METHOD", "NAMED", "Call", "evaluate_call", "perform"]
