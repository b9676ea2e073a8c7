"""What an attribute of something stands for, and what reading it does to sessions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...names import dotted, spelled
from ..functions.effects import wait_as_inside
from ..functions.formals import Formals, of
from ..state import FAILED
from ..values import (
    ATTRIBUTE,
    CAPTURED,
    ENGINE,
    FUNCTION,
    MANAGER,
    METHOD,
    NAMED,
    NEW_ROW,
    OBJECT,
    REGISTRY,
    SESSION,
    UNKNOWN,
    Resource,
    Value,
    as_used,
    contained,
)
from .opening import opened
from .rows import loader_of, loads_by_attribute, member_of_row
from .tables import any_among

if TYPE_CHECKING:
    from .evaluate import Evaluation


_DATA = frozenset(
    {"is_active", "dirty", "new", "deleted", "info", "identity_map", "autoflush", "invalidated", "session_factory"}
)
"""Attributes of sessions and connections that are no methods: they may be true or false."""
_OF_RESULTS = frozenset(
    {
        "rowcount",
        "lastrowid",
        "inserted_primary_key",
        "inserted_primary_key_rows",
        "returns_rows",
        "is_insert",
        "closed",
    }
)
"""Attributes of results that are plain data."""
_APPLICATION = "flask.current_app"
_GIVING_BACK = frozenset({"close", "commit", "rollback"})
_SAME_ENGINE = frozenset({"sync_engine", "engine"})


def attribute(ev: Evaluation, node: ast.Attribute, owner: Value) -> Value:
    """What ``owner.name`` stands for, where ``node`` reads it."""
    name = node.attr
    match owner.kind:
        case "unknown":
            return of_unseen(ev, node)
        case "named" | "module":
            value = ev.world.value(f"{owner.name}.{name}")
            session = put_there(ev, node) if value.kind == NAMED and value.resource is None else UNKNOWN  # ``g.db``
            if session == UNKNOWN and owner.name == _APPLICATION:
                session = ev.world.attribute_called(ev.body, node)
            return session if session != UNKNOWN else value
        case "super":
            return ev.world.inherited(owner.name, name, owner.extra[0])
        case "row":
            read_row(ev, node, owner)
            if owner.name:
                hear_property(ev, node, Value(OBJECT, owner.name))
            return member_of_row(ev, owner, name)
        case "object" | "class":
            return of_object(ev, node, owner)
        case "one of":
            return any_among(tuple(ev.world.attribute(each, name) for each in owner.extra))
        case "flask_db":
            return of_flask(owner, name)
        case "method" if owner.extra[0].kind == OBJECT:
            known = of_unseen(ev, node)  # ``request.state.db``
            return known if known != UNKNOWN else Value(METHOD, f"{owner.name}.{name}", extra=owner.extra)
        case "engine" if name in _SAME_ENGINE:
            return owner._replace(name="Engine") if name == "sync_engine" else owner
        case "result" if name in _OF_RESULTS:
            return UNKNOWN
        case "session" | "registry" if name == "bind":
            return Value(ENGINE, "Engine")
        case "session" | "registry" if name == "no_autoflush":  # a block that lends the session, and does not close it
            return Value(MANAGER, owner.name, owner.resource, ("borrowed", False, False))
        case "session" | "registry" if name in _DATA:
            return UNKNOWN
    return Value(METHOD, name, extra=(owner,))


def of_object(ev: Evaluation, node: ast.Attribute, owner: Value) -> Value:
    """An attribute of an object or class of the project, as this path has set it or as its class says."""
    name = node.attr
    if loads_by_attribute(ev, owner, name):
        return loader_of(owner)
    found = ev.now.names.get(f"self.{name}") if ev.is_self(node.value) else None
    if found is not None:
        return found
    known = dict(p for p in owner.extra if isinstance(p, tuple) and len(p) == 2)
    if name in known:
        set_before: Value = known[name]
        return set_before
    hear_property(ev, node, owner)
    value = as_used(ev.world.attribute(owner, name), ev.body.is_async)
    if value.kind == "opens":
        return opened(ev, value, node)
    if owner.kind == OBJECT and not ev.is_own(node.value):
        value = of_another(node.value, value)
    if value == UNKNOWN and name == "__table__":
        return Value(OBJECT, "sqlalchemy.Table")
    if value.kind == METHOD and value.extra == (owner,):  # of a library, whose class the project may extend
        kept = ev.world.attribute_called(ev.body, node)
        return kept if kept != UNKNOWN else value
    return value if value != UNKNOWN else of_unseen(ev, node)


def hear_property(ev: Evaluation, node: ast.Attribute, owner: Value) -> None:
    """The waits of a property: reading it is a call."""
    function = ev.world.property_of(owner, node.attr)
    target = ev.world.target(function) if function.kind == FUNCTION else None
    summary = ev.world.summary(function, (("self", owner),)) if target is not None else None
    if target is not None and summary is not None and summary.waits:
        wait_as_inside(ev, summary, Formals(), node, (function.name, target.path))


def of_another(node: ast.expr, value: Value) -> Value:
    """What another object has as ``self.session`` in its own methods, also where a third one that it keeps has it."""
    resource = value.resource
    if value.kind == OBJECT and contained(value):
        return value._replace(extra=tuple(pair_of_another(node, pair) for pair in value.extra))
    if resource is None or not resource.is_of_an_object or not resource.key.startswith("self."):
        return value
    return value._replace(resource=of(ast.unparse(node), resource))


def pair_of_another(node: ast.expr, pair: object) -> object:
    """An attribute that a kept object has, with its name; what is no such pair as it is."""
    match pair:
        case (str(name), Value() as value):
            return name, of_another(node, value)
    return pair


def of_unseen(ev: Evaluation, node: ast.Attribute) -> Value:
    """An attribute of something that nobody tells the class of: what was put there, what its name says, what it is
    asked."""
    value = stored(ev, node)
    if value == UNKNOWN and isinstance(node.value, ast.Call):
        value = of_lent(ev, node, node.value)
    if value == UNKNOWN:
        value = ev.world.attribute_called(ev.body, node)
    if value == UNKNOWN and node.attr in _GIVING_BACK:
        value = met(ev, node)
    return value if value != UNKNOWN else asked(ev, node)


def of_lent(ev: Evaluation, node: ast.Attribute, call: ast.Call) -> Value:
    """``current().execute`` of a function of the project that says it gives a session, wherever it has that from."""
    function = ev.value(call.func) if dotted(call.func) and not call.args else UNKNOWN
    type_name = ev.world.session_said_by(function) if function.kind == FUNCTION else ""
    if not type_name:
        return UNKNOWN
    session = Value(SESSION, resource=Resource(CAPTURED, ast.unparse(call), type_name))
    return Value(METHOD, node.attr, extra=(session,))


def put_there(ev: Evaluation, node: ast.Attribute) -> Value:
    """A session that is in something of a library, ``flask.g.db``: this function has put it there, it is one by what it
    is asked, or another function of the file has."""
    text = dotted(node) or ""
    value = ev.now.names.get(text) or asked(ev, node)
    if value != UNKNOWN:
        return value
    value = ev.world.stored(ev.body.module, text)
    resource = value.resource
    if value.kind != SESSION or resource is None or resource.origin != ATTRIBUTE:
        return UNKNOWN
    return value._replace(resource=resource._replace(key=f".{text}"))


def met(ev: Evaluation, node: ast.Attribute) -> Value:
    """``self.db.rollback`` where a method of a subclass, which ``self.work()`` has run, knows ``self.db``."""
    text = dotted(node.value)
    found = (r for r in ev.now.lives if r.origin == ATTRIBUTE and r.key == text)
    session = next((Value(SESSION, resource=resource) for resource in found), None)
    return Value(METHOD, node.attr, extra=(session,)) if session is not None else UNKNOWN


def asked(ev: Evaluation, node: ast.Attribute | ast.Subscript) -> Value:
    """The session that an attribute is by what the function asks it: ``request.state.db.query(Plant)``."""
    text = spelled(node)
    type_name = ev.world.asked(ev.body, text) if text is not None else ""
    if text is None or not type_name:
        return UNKNOWN
    key = text if ev.is_self(node.value) else f".{text}"
    return Value(SESSION, resource=Resource(ATTRIBUTE, key, type_name))


def stored(ev: Evaluation, node: ast.Attribute) -> Value:
    """``g.db`` or ``request.state.db`` that this function itself has set."""
    text = dotted(node)
    if text is None:
        return UNKNOWN
    return ev.now.names.get(text) or ev.world.stored(ev.body.module, text)


def of_flask(owner: Value, name: str) -> Value:
    """Attributes of ``db = SQLAlchemy()``."""
    if name == "session":
        return Value(REGISTRY, owner.name, owner.resource)
    if name == "engine":
        return Value(ENGINE, "Engine", extra=("flask", owner.name.rpartition(".")[2] or "db"))
    if name in ("Model", "Query"):
        return Value(NAMED, f"flask_sqlalchemy.SQLAlchemy.{name}", owner.resource)
    return Value(METHOD, name, extra=(owner,))


def read_row(ev: Evaluation, node: ast.AST, row: Value) -> None:
    """Reading an attribute of an expired row takes a connection again.

    A failed flush or commit expires the rows that were loaded, whatever the session keeps (measured).
    """
    if row.resource is None:
        return
    if NEW_ROW not in row.extra and not row.resource.is_async and ev.now.life(row.resource).phases == FAILED:
        ev.now.after_failure(row.resource, node)
    if "expired" in row.extra:
        for name, value in list(ev.now.names.items()):
            if value == row:
                ev.now.names[name] = row.with_extra()
        ev.now.take(row.resource, node)
    elif ev.now.is_lent(row.resource):
        ev.now.hold(row.resource, node)
