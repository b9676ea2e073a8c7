"""What an expression stands for, as far as sessions are concerned.

A :class:`Value` is a kind and a few words; everything else is :data:`UNKNOWN`. Values are compared and
hashed all the time, so they are plain tuples.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

OPENED, PARAMETER, ATTRIBUTE, AMBIENT, CAPTURED = "opened", "parameter", "attribute", "ambient", "captured"

JOINED = "joined"
"""The flavour of a session that works on a connection which its owner closes (measured: 1 -> 1).

Also the pool of a registry whose sessions do.
"""

AT_ONCE = "at once"
"""The pool of a registry whose sessions give each connection back as a statement ends (``autocommit=True``; measured on
1.4: a flush, ``all()``, ``first()`` and ``scalar()`` leave none checked out)."""

BY_FUNCTION = "scoped by function"
"""The flavour of a registry with a scopefunc that goes by something else than the thread."""

CONTEXT = "context"
"""The flavour of the session of a context variable: who has set it ends it, and may have it under another name."""

CONTEXT_VAR = "contextvars.ContextVar"

NEW = ":new"
"""The pool of a session whose engine is made for it alone, as those know it who call what makes both."""


class Resource(NamedTuple):
    """Something that can hold a pooled connection, known by where it comes from.

    ``origin`` is one of OPENED (``key`` is its place ``line:column``), PARAMETER, CAPTURED and ATTRIBUTE (the
    name as written) or AMBIENT (the dotted name of the registry). ``type`` is the SQLAlchemy type.
    """

    origin: str
    key: str
    type: str
    keeps_rows: bool = False
    """expire_on_commit=False: rows stay readable after commit."""
    flavour: str = ""
    """"flask" for a registry of Flask-SQLAlchemy, "scoped" for a plain one, BY_FUNCTION, JOINED, CONTEXT."""
    anonymous: bool = False
    pool: str = ""
    """The engine it takes connections of: its dotted name, or that of a parameter; "" where that is not known."""

    def is_of_another_pool(self, other: Resource) -> bool:
        """Whether the two have different engines; that of a connection of which nothing is known may be any.

        What is asynchronous has an engine of its own, and nobody else has one that the function makes for itself.
        """
        if self.is_async != other.is_async or (":" in self.pool) != (":" in other.pool):
            return True
        if {AT_ONCE, JOINED, NEW} & {self.pool, other.pool}:
            return True
        connections = [each for each in (self, other) if each.is_connection]
        if connections and self.pool == other.pool:
            return not self.pool
        if connections:
            may_be_any = any(not each.pool or each.is_of_given_engine for each in connections)
            return may_be_any or bool(self.pool and other.pool)
        are_known = bool(self.pool and other.pool) and self.is_of_given_engine == other.is_of_given_engine
        return are_known and self.pool != other.pool

    @property
    def gives_back_at_once(self) -> bool:
        """Whether it has a connection only while a statement runs."""
        return self.pool == AT_ONCE

    @property
    def is_of_given_engine(self) -> bool:
        """Whether the engine is a parameter, which may be any engine of a module."""
        return bool(self.pool) and "." not in self.pool

    def is_apart_from(self, other: Resource) -> bool:
        """Whether the two surely take two connections of one pool: what was handed in may be the registry's session."""
        apart = self.origin == OPENED or (self.origin == AMBIENT and other.origin == OPENED)
        return apart and CONTEXT not in (self.flavour, other.flavour) and not self.is_of_another_pool(other)

    def may_be_the_same_as(self, other: Resource) -> bool:
        """Whether an object may have been given the session that another object has, or the function itself."""
        both = (self, other)
        given = all(each.origin in (PARAMETER, ATTRIBUTE) and not each.is_connection for each in both)
        others = self.key != other.key and any(each.is_kept_inside for each in both)
        return given and others and not self.is_of_another_pool(other)

    @property
    def is_kept_inside(self) -> bool:
        """Whether it is an attribute of what an object keeps (``self.store.session``), or of a parameter."""
        way = self.key.removeprefix("self.").lstrip(".") if self.is_of_an_object else self.key
        return "." in way and (self.is_of_an_object or self.origin == PARAMETER)

    @property
    def is_of_an_object(self) -> bool:
        """Whether it is an attribute: of the object whose method this is, or (``.store.session``) of another one."""
        return self.origin == ATTRIBUTE and self.key.startswith(("self.", "."))

    @property
    def is_async(self) -> bool:
        return self.type.startswith(("Async", "async", "sqlmodel.ext.asyncio"))

    @property
    def is_connection(self) -> bool:
        """Holds its connection from the start to ``close()``; commit does not give it back (measured 1 -> 1)."""
        return self.type in ("Connection", "AsyncConnection", "PoolProxiedConnection")


class Value(NamedTuple):
    kind: str
    name: str = ""
    resource: Resource | None = None
    extra: tuple[Any, ...] = ()

    def with_extra(self, *extra: Any) -> Value:
        return self._replace(extra=extra)


UNKNOWN = Value("unknown")
NONE = Value("constant", "None")
TRUE = Value("constant", "True")
FALSE = Value("constant", "False")
EMPTY = Value("tuple")
"""A list or tuple without anything, to which something may come."""
SOMETHING = Value("object", "object")
"""Of which nothing is known but that it is there."""
LENT_CONNECTION = Value("object", "sqlalchemy.engine.Connection")
"""A connection that is checked out for somebody else: that of a session, or of a migration."""

CONSTANT = "constant"  # name: its repr
NAMED = "named"  # name: dotted name of something that is not ours
FUNCTION = "function"  # name: dotted name of a project function; extra: (bound self value or None, local def node)
CLASS = "class"  # name: dotted name of a project class
OBJECT = "object"  # name: dotted type; extra: ((attribute, value), …) known by its constructor
FACTORY = "factory"  # calling gives a session; name: its type; extra: options
REGISTRY = "registry"  # scoped_session: resource is the ambient session
FLASK_DB = "flask_db"  # flask_sqlalchemy.SQLAlchemy(): resource is the ambient session
ENGINE = "engine"  # name: Engine or AsyncEngine; extra: (pool class,)
SESSION = "session"  # session or connection; name: its class where that is one of the project
QUERY = "query"  # of this and the next three, name: the dotted name of the mapped class where it is one of the project
RESULT = "result"
ROWS = "rows"
ROW = "row"  # extra: ("expired",) where reading takes a connection again
NEW_ROW = "new"
"""In the extra of a row that was added and not committed yet: it stays readable where that fails (measured)."""
TRANSACTION = "transaction"  # name: "nested" for a savepoint
MANAGER = "manager"  # with … as: resource is what it hands out, closed at the end
GENERATOR = "generator"  # next(): resource as above
TUPLE = "tuple"  # extra: the values
LIST = "list"  # the name of a tuple that grows: what was appended in a loop stands in it twice
TABLE = "table"  # a dictionary of functions or classes of the project; extra: ((key as written, function), …)
MAPPING = "mapping"  # a dictionary of objects of one class; extra: (object,)
ONE_OF = "one of"  # extra: the functions, classes or plain objects of which a key picks one at run time
METHOD = "method"  # name: attribute; extra: (receiver,)
PARTIAL = "partial"  # extra: (function value, argument values, keywords)
PROVIDER = "provider"  # the same of a container of dependencies, which calls the providers among the arguments, too
COROUTINE = "coroutine"  # not awaited; extra: the argument values, and how it was BEGUN
BEGUN = "begun"  # extra: (function value, argument values, keywords, call)
CLOSING = "closing"  # contextlib.closing(x): extra (x,)
MODULE = "module"
SUPER = "super"  # name: the dotted class whose bases are asked; extra: (self value,)

HANDLES = frozenset({FACTORY, REGISTRY, ENGINE})
"""What gives sessions and connections."""

MAYBE = "maybe"
"""In ``extra``: an attribute that is None until something sets it."""
EITHER = "either"
"""In ``extra`` of a session, with the type of the other kind: it may be one that is awaited, or a plain one."""
PERHAPS = (MAYBE, NONE)
"""The same of an object, whose ``extra`` are pairs."""
DOUBTED = ("doubted", NONE)
"""An object that may be empty or nought: a list of rows, a price."""
REFUTED = ("refuted", NONE)
"""An object that a condition has found to be false."""


UNPOOLED = frozenset({"flask", "NullPool", "StaticPool"})
"""In ``extra`` of an engine: the framework has it, or it has no pool that could run empty."""
OWN_CLASS = "class"
"""In ``extra`` of what makes sessions, with its name: a class of the project, which the sessions are named after."""
ONE_CONNECTION = "one connection"
"""In ``extra`` of what makes sessions: their engine has one connection for all of them."""
OF_ONE_CONNECTION = Value(OBJECT, "sqlalchemy.pool.StaticPool")
"""Such a session, which keeps nobody waiting for a connection."""
COMMITS = "commits"
"""In ``extra`` of what gives a session to a block: it commits as the block ends well."""
BOUND = ("bound", True)
"""In ``extra`` of what makes sessions: it was given an engine, and nothing tells which."""


def pool_of(engine: Value) -> str:
    """The dotted name of an engine at module level, the name of one that is a parameter, "" for any other value."""
    marks = (mark for mark in engine.extra if isinstance(mark, tuple) and mark[:1] == ("pool",))
    return str(next(marks, ("", ""))[1])


def made_at(value: Value, function: str, place: str) -> Value:
    """An engine, or what makes sessions of one, that a call has just made: each call makes another one.

    Outside of a function it has no name of its own yet.
    """
    if value.kind not in (ENGINE, FACTORY, REGISTRY) or ":" not in pool_of(value):
        return value
    rest = tuple(mark for mark in value.extra if not (isinstance(mark, tuple) and mark[:1] == ("pool",)))
    if function:
        return value._replace(extra=(*rest, ("pool", f"{function}.{place}")))
    return value._replace(extra=rest if value.kind == ENGINE or BOUND in rest else (*rest, BOUND))


def known_by(value: Value, qualified: str) -> Value:
    """An engine, or what makes sessions of one that nobody else knows, by where it is kept."""
    value = made_at(value, "", "")
    is_unknown = (value.kind == ENGINE or BOUND in value.extra) and not pool_of(value)
    if is_unknown and not UNPOOLED.intersection(value.extra):
        return value.with_extra(*value.extra, ("pool", qualified))
    return value


def constant(value: object) -> Value:
    return Value(CONSTANT, repr(value))


def late(value: Value) -> Value:
    """A session, transaction or object that is set some time after None was: it may still be that."""
    match value.kind:
        case "session" | "transaction":
            return value.with_extra(*value.extra, MAYBE)
        case "object":
            return value.with_extra(*value.extra, PERHAPS)
    return value


def truth(value: Value) -> bool | None:
    """Whether the value is true, where that is known."""
    if value.kind == CONSTANT:
        return value.name not in ("None", "False", "0", "''", "0.0", "b''")
    if REFUTED in value.extra:
        return False
    if MAYBE in value.extra or PERHAPS in value.extra or DOUBTED in value.extra:
        return None
    if value.kind == METHOD:  # what an object of a library has by that name may be anything
        return None if value.extra and value.extra[0].kind in (OBJECT, METHOD, NAMED) else True
    if value.kind in (SESSION, FACTORY, REGISTRY, ENGINE, FUNCTION, CLASS, OBJECT, FLASK_DB, TRANSACTION):
        return True
    return None


def is_there(value: Value) -> bool:
    """Whether the value surely is not None."""
    known = value._replace(extra=tuple(each for each in value.extra if each not in (DOUBTED, REFUTED)))
    return bool(truth(known))


def found_to_be(value: Value, wanted: bool) -> Value:
    """What is known of an object that may be missing or empty, after a condition has found it true or false."""
    if value.kind != OBJECT or not {PERHAPS, DOUBTED}.intersection(value.extra):
        return value
    if wanted:
        return value._replace(extra=tuple(each for each in value.extra if each not in (PERHAPS, DOUBTED)))
    return value.with_extra(*value.extra, REFUTED)


def found_to_be_there(value: Value) -> Value:
    """What is known of an object that may be missing, after a condition has found that it is not None."""
    return value._replace(extra=tuple(each for each in value.extra if each != PERHAPS))


def as_used(session: Value, is_async: bool) -> Value:
    """A session that may be of either kind, as a function takes it that awaits what it does, or does not."""
    resource = session.resource
    if session.kind != SESSION or resource is None or resource.is_async == is_async:
        return session
    other = next((mark[1] for mark in session.extra if isinstance(mark, tuple) and mark[:1] == (EITHER,)), None)
    return session._replace(resource=resource._replace(type=other)) if other is not None else session


def found_session(session: Value) -> Value:
    """What is known of a session that may be missing, after something was asked of it."""
    return session._replace(extra=tuple(each for each in session.extra if each != MAYBE))


def are_of_different_classes(values: Iterable[Value]) -> bool:
    """Whether the values are objects, or classes, of which nobody knows which one it is."""
    return len({(value.kind, value.name) for value in values if value.kind in (OBJECT, CLASS)}) > 1


_SESSIONS = frozenset({SESSION, MANAGER, GENERATOR, TRANSACTION, COROUTINE})


def contained(value: Value) -> tuple[Resource, ...]:
    """The sessions that whoever gets the value can reach."""
    is_one = value.resource is not None and value.kind in _SESSIONS
    if not value.extra:
        return (value.resource,) if is_one and value.resource is not None else ()
    found: list[Resource] = [value.resource] if is_one and value.resource is not None else []
    for part in values_in(value.extra):
        found.extend(contained(part))
    return tuple(found)


def values_in(extra: tuple[Any, ...]) -> list[Value]:
    """The values that the extra of one holds: as they are, in pairs with a name, or in a tuple of such pairs."""
    found: list[Value] = []
    for part in extra:
        if isinstance(part, Value):
            found.append(part)
        elif type(part) is tuple:
            found += values_in(part)
    return found
