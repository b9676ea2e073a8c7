"""Calls that open sessions and connections, or make what opens them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from ...names import last_part
from ..events import Happening
from ..one_connection import is_of_one_connection
from ..state import GIVEN, HELD, IDLE, STORED
from ..values import (
    AMBIENT,
    AT_ONCE,
    BOUND,
    BY_FUNCTION,
    CLOSING,
    COMMITS,
    ENGINE,
    FACTORY,
    FLASK_DB,
    GENERATOR,
    JOINED,
    LENT_CONNECTION,
    MANAGER,
    OF_ONE_CONNECTION,
    ONE_CONNECTION,
    OPENED,
    OWN_CLASS,
    REGISTRY,
    SESSION,
    UNKNOWN,
    UNPOOLED,
    Resource,
    Value,
    contained,
    pool_of,
)
from .call import Call, place

if TYPE_CHECKING:
    from .evaluate import Evaluation

_OF_THE_THREAD = frozenset({"get_ident", "getcurrent", "__ident_func__", "current_thread"})
"""What tells threads apart, or greenlets where they take the place of threads."""


def open_session(ev: Evaluation, call: Call, factory: Value) -> Value:
    """A new session (or connection) from a factory call."""
    options = dict(factory.extra)
    bind = call.argument(0, "bind")
    joined = is_connection(bind) or is_lent_connection(ev, bind, call) or bool(options.get(JOINED))
    if options.get("autocommit") or is_autocommit(ev, call):
        return UNKNOWN  # 1.4 facade: nothing is held between statements
    if options.get(ONE_CONNECTION) or is_of_one_connection(bind):
        return OF_ONE_CONNECTION
    keeps = options.get("keeps_rows", False) or call.literal("expire_on_commit") is False
    pool = pool_of(bind) or options.get("pool", "")
    flavour = JOINED if joined else ""
    resource = Resource(OPENED, place(call.node), type_of(ev, factory, call), bool(keeps), flavour, pool=pool)
    beside = options.get("beside") or beside_framework(bind)
    ev.now.open(resource, call.node, HELD if resource.is_connection else IDLE, beside)
    if joined:
        ev.now.mark(resource, STORED)
    if resource.is_connection:
        ev.now.failures.append(("db", dict(ev.now.before.lives)))
    return Value(SESSION, options.get(OWN_CLASS, ""), resource)


def type_of(ev: Evaluation, factory: Value, call: Call) -> str:
    """The type of session that a factory makes: one that a plain ``with`` enters is none to be awaited, whatever else
    the factory may make."""
    is_plain = factory.name == "AsyncSession" and call.node in ev.body.entered_plainly
    return "Session" if is_plain else factory.name


def is_connection(bind: Value) -> bool:
    """Whether what a session is bound to is a connection that is checked out already."""
    return bind == LENT_CONNECTION or (bind.resource is not None and bind.resource.is_connection)


def is_lent_connection(ev: Evaluation, bind: Value, call: Call) -> bool:
    """``Session(bind=connection)``, where that is a parameter of which only the name is known, or what a block over the
    ``connect()`` of something unknown gives."""
    node = call.node_of("bind") or next(iter(call.node.args), None)
    if bind != UNKNOWN or not isinstance(node, ast.Name) or node.id not in ("conn", "connection"):
        return False
    items = (item for block in ev.body.own(ast.With, ast.AsyncWith) for item in block.items)
    entered = {ast.unparse(i.optional_vars) for i in items if i.optional_vars and is_connecting(i.context_expr)}
    return node.id in entered or node.id in {each.arg for each in ev.body.parameters}


def is_connecting(made: ast.expr) -> bool:
    """``engine.connect()``, ``engine.begin()``."""
    match made:
        case ast.Call(func=ast.Attribute(attr="connect" | "begin")):
            return True
    return False


def opened(ev: Evaluation, value: Value, node: ast.AST) -> Value:
    """The session of a property or function that opens one each time (``value.name`` is its type)."""
    resource = Resource(OPENED, place(node), value.name)
    ev.now.open(resource, node, HELD if resource.is_connection else IDLE)
    return Value(SESSION, resource=resource)


def beside_framework(bind: Value) -> str | None:
    """The framework's own session, as text, when ``bind`` is its engine (``db.engine`` -> ``"db.session"``)."""
    return f"{bind.extra[1]}.session" if bind.kind == ENGINE and bind.extra[:1] == ("flask",) else None


def manager(factory: Value, node: ast.AST) -> Value:
    """A context manager that opens a session on entry, and commits and closes it at the end."""
    options = dict(factory.extra)
    keeps = bool(options.get("keeps_rows"))
    resource = Resource(OPENED, place(node), factory.name, keeps_rows=keeps, pool=options.get("pool", ""))
    return Value(MANAGER, factory.name, resource, (COMMITS,))


def next_of(ev: Evaluation, generator: Value, node: ast.AST, *, kept: bool) -> Value:
    """``next(get_db())``: nobody keeps the generator, so it closes its session before it is used (measured)."""
    resource = generator.resource
    if resource is None:
        return UNKNOWN
    ev.now.open(resource, node)
    ev.now.mark(resource, GIVEN)
    ev.now.event(Happening.KEPT_GENERATOR if kept else Happening.DISCARDED_GENERATOR, node, resource)
    return Value(SESSION, resource=resource)


def sqlalchemy_call(ev: Evaluation, short: str, call: Call) -> Value | None:
    """The constructors and module functions of SQLAlchemy, SQLModel and Flask-SQLAlchemy."""
    if short == "AsyncEngine":
        return asynchronous(call)
    made = construction(ev, short, call)
    if made is None:
        return None
    if made.kind == FACTORY and short in (
        "Session",
        "AsyncSession",
        "sqlmodel.Session",
        "sqlmodel.ext.asyncio.session.AsyncSession",
    ):
        return open_session(ev, call, made)
    if made.kind == ENGINE and {"NullPool", "StaticPool"} & set(made.extra):
        ev.scope.unpooled.append(call.node)
    elif made.kind == ENGINE:
        ev.now.event(Happening.ENGINE_MADE, call.node, None, short)
        ev.scope.engines.append(call.node)
    elif made.kind in (FACTORY, REGISTRY):
        ev.now.event(Happening.REGISTRY_MADE, call.node, None, short)
    return made


def construction(ev: Evaluation, short: str, call: Call) -> Value | None:
    """What a constructor gives: an engine, a factory, a registry."""
    match short:
        case "create_engine" | "create_async_engine" | "engine_from_config" | "async_engine_from_config":
            marks = pool_class(call)
            if ev.body.node is not None and not UNPOOLED.intersection(marks):  # one of the function's own
                marks = (*marks, ("pool", f"{ev.body.qualified}.{place(call.node)}"))
            return Value(ENGINE, "AsyncEngine" if "async" in short else "Engine", extra=marks)
        case "Session" | "AsyncSession" | "sqlmodel.Session" | "sqlmodel.ext.asyncio.session.AsyncSession":
            return Value(FACTORY, short, extra=options(ev, call))
        case "sessionmaker" | "async_sessionmaker":
            return Value(FACTORY, session_class(short, call), extra=options(ev, call))
        case "scoped_session" | "async_scoped_session":
            factory = call.argument(0, "session_factory")
            type_name = factory.name if factory.kind == FACTORY else "Session"
            if short.startswith("async"):
                type_name = "AsyncSession"
            keeps = bool(dict(factory.extra).get("keeps_rows")) if factory.kind == FACTORY else False
            flavour = BY_FUNCTION if has_scope_of_its_own(call) else "scoped"
            pool = pool_of_factory(factory)
            return Value(REGISTRY, "", Resource(AMBIENT, place(call.node), type_name, keeps, flavour, pool=pool))
        case "flask_sqlalchemy.SQLAlchemy":
            return Value(FLASK_DB, "", Resource(AMBIENT, place(call.node), "Session", False, "flask"))
    return None


def has_scope_of_its_own(call: Call) -> bool:
    """Whether the registry goes by anything but the thread, as it does anyway: ``scopefunc=threading.get_ident``."""
    written = call.node.args[1] if len(call.node.args) > 1 else call.node_of("scopefunc")
    if written is None:
        return False
    meant = call.argument(1, "scopefunc").name.rpartition(".")[2]
    return _OF_THE_THREAD.isdisjoint((last_part(written), meant))


def asynchronous(call: Call) -> Value:
    """``AsyncEngine(create_engine(url))``, or an engine of a class of the project that extends it: the same pool."""
    given = call.argument(0, "sync_engine")
    return Value(ENGINE, "AsyncEngine", extra=given.extra if given.kind == ENGINE else ())


def pool_of_factory(factory: Value) -> str:
    """The engine of the sessions that a factory makes; JOINED where all of them work on one connection, AT_ONCE where
    they keep none."""
    known = dict(factory.extra) if factory.kind == FACTORY else {}
    if known.get("autocommit"):
        return AT_ONCE
    return JOINED if known.get(JOINED) else str(known.get("pool", ""))


def options(ev: Evaluation, call: Call) -> tuple[tuple[str, Any], ...]:
    found: list[tuple[str, Any]] = []
    if call.literal("expire_on_commit") is False:
        found.append(("keeps_rows", True))
    if is_autocommit(ev, call):
        found.append(("autocommit", True))
    bind = call.argument(0, "bind")
    if is_connection(bind) or is_lent_connection(ev, bind, call):
        found.append((JOINED, True))
    if is_of_one_connection(bind):
        found.append((ONE_CONNECTION, True))
    beside = beside_framework(bind)
    if beside:
        found.append(("beside", beside))
    if pool_of(bind):
        found.append(("pool", pool_of(bind)))
    elif (call.node.args or "bind" in call.keywords) and not UNPOOLED.intersection(bind.extra):
        found.append(BOUND)
    made = dict(call.argument(1, "class_").extra) if call.argument(1, "class_").kind == FACTORY else {}
    if OWN_CLASS in made:
        found.append((OWN_CLASS, made[OWN_CLASS]))
    return tuple(found)


def is_autocommit(ev: Evaluation, call: Call) -> bool:
    """Whether sessions give each connection back by themselves: ``autocommit=True``, or a parameter that says so."""
    given = call.node_of("autocommit")
    usual = ev.body.defaults.get(given.id) if isinstance(given, ast.Name) else given
    return isinstance(usual, ast.Constant) and bool(usual.value)


def session_class(short: str, call: Call) -> str:
    """The type of session a sessionmaker makes: its ``class_`` where that is known."""
    given = call.argument(1, "class_")
    if short.startswith("async") or "AsyncSession" in given.name or call.argument(0, "bind").name == "AsyncEngine":
        return "AsyncSession"
    return given.name if given.kind == FACTORY else "Session"


def pool_class(call: Call) -> tuple[Any, ...]:
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
