"""A few functions of the standard library and of SQLAlchemy that pass sessions and rows through."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..bearable import bearable
from ..functions.coroutines import begun
from ..functions.lending import unseen
from ..state import CHANGED
from ..values import (
    AMBIENT,
    CLOSING,
    FUNCTION,
    GENERATOR,
    LENT_CONNECTION,
    NAMED,
    OBJECT,
    PARTIAL,
    QUERY,
    REGISTRY,
    ROW,
    ROWS,
    SESSION,
    SUPER,
    TRUE,
    TUPLE,
    UNKNOWN,
    Resource,
    Value,
    contained,
)
from ..waiting import wait_for_each, wait_for_next
from .applied import APPLIED, laid_by, made_by, sort_by_key
from .attributes import attribute
from .call import Call, place
from .going_through import filtered
from .opening import next_of
from .providers import PROVIDERS
from .selects import (
    ENUMERATED,
    LOCKING,
    PLAIN,
    STATEMENT,
    ZIPPED,
    are_columns,
    does_more,
    model_of,
    reads_as_text,
)

if TYPE_CHECKING:
    from .evaluate import Evaluation


_MODULES = ("sqlalchemy", "sqlalchemy.future", "sqlalchemy.sql", "sqlalchemy.sql.expression", "sqlmodel")


def _closing(ev: Evaluation, call: Call) -> Value:
    return Value(CLOSING, extra=call.positional[:1] or (UNKNOWN,))


def _next(ev: Evaluation, call: Call) -> Value:
    value = call.positional[0] if call.positional else UNKNOWN
    if value.kind == GENERATOR:
        return next_of(ev, value, call.node, kept=not isinstance(call.node.args[0], ast.Call))
    wait_for_next(ev, value, call.node)
    item = ev.item_of(value, call.node)
    ev.now.may_raise()
    return item


def _getattr(ev: Evaluation, call: Call) -> Value:
    name = call.node.args[1] if len(call.node.args) > 1 else None
    if isinstance(name, ast.Constant) and isinstance(name.value, str) and call.positional[0].kind != UNKNOWN.kind:
        read = ast.Attribute(call.node.args[0], name.value, ast.Load())
        return attribute(ev, ast.copy_location(read, call.node), call.positional[0])
    return UNKNOWN


def _get_bind(ev: Evaluation, call: Call) -> Value:
    """The connection that a migration runs on, in a transaction."""
    return LENT_CONNECTION


def _hasattr(ev: Evaluation, call: Call) -> Value:
    """``hasattr(session, "close")``: every session has what it is given back by, in every release."""
    match call.node.args:
        case [_, ast.Constant(value="close" | "commit" | "execute" | "rollback")] if call.positional[0].kind == SESSION:
            return TRUE
    return unseen(ev, call)


def _partial(ev: Evaluation, call: Call) -> Value:
    if not call.positional:
        return UNKNOWN
    given = (call.positional[0], call.positional[1:], tuple(call.keywords.items()))
    return bearable(ev.now, Value(PARTIAL, extra=given))


def _zip(ev: Evaluation, call: Call) -> Value:
    return bearable(ev.now, Value(ZIPPED, extra=call.positional))


def _cast(ev: Evaluation, call: Call) -> Value:
    return call.positional[1] if len(call.positional) > 1 else UNKNOWN


def _listed(ev: Evaluation, call: Call) -> Value:
    value = call.positional[0] if call.positional else UNKNOWN
    if value.kind == GENERATOR:
        return Value(TUPLE, extra=(next_of(ev, value, call.node, kept=False),))
    item = wait_for_each(ev, value, call.node)
    sort_by_key(ev, call, item)
    if value.kind in ("generated", APPLIED):  # it has come to its end
        return made_by(item)
    if value.kind == OBJECT:  # what is in it has been waited for
        return UNKNOWN
    return item._replace(kind=ROWS) if item.kind == ROW else value


def _manager_of(ev: Evaluation, call: Call) -> Value:
    """``contextmanager(get_db)``: a function again."""
    value = call.positional[0] if call.positional else UNKNOWN
    return value._replace(extra=(*value.extra, "contextmanager")) if value.kind == FUNCTION else UNKNOWN


def _proxied(ev: Evaluation, call: Call) -> Value:
    """``LocalProxy(get_session)``: the session of whatever request or context it is that asks, which ends with that."""
    function = call.positional[0] if call.positional else UNKNOWN
    summary = ev.world.summary(function, ()) if function.kind == FUNCTION else None
    given = summary.returns if summary is not None else UNKNOWN
    if given.kind == REGISTRY:
        return given
    known = given.resource.type if given.kind == SESSION and given.resource is not None else ""
    type_name = known or ev.world.session_said_by(function)
    return (
        Value(REGISTRY, "", Resource(AMBIENT, place(call.node), type_name, flavour="flask")) if type_name else UNKNOWN
    )


def _close_all(ev: Evaluation, call: Call) -> Value:
    for resource in list(ev.now.lives):
        if not resource.is_connection:
            ev.now.finish(resource, call.node, "close_all_sessions")
    return UNKNOWN


def _super(ev: Evaluation, call: Call) -> Value:
    """``super()`` in a method."""
    if not ev.body.owner or not ev.body.parameters:
        return UNKNOWN
    me = ev.now.names.get(ev.body.parameters[0].arg, UNKNOWN)
    return Value(SUPER, f"{ev.body.module}.{ev.body.owner}".lstrip("."), extra=(me,))


def _map(ev: Evaluation, call: Call) -> Value:
    """``map(session.refresh, rows)``, ``map(work, rows)`` of a coroutine function: one for each."""
    function = call.positional[0] if call.positional else UNKNOWN
    if contained(function):
        return Value(TUPLE, extra=(function,))
    target = ev.world.target(function) if function.kind == FUNCTION else None
    is_over_query = target is None and any(each.kind == QUERY for each in call.positional[1:])
    if is_over_query or waits(ev, function) or (target is not None and not target.is_async and not target.is_generator):
        return laid_by(call)
    if target is None or target.is_generator:
        return unseen(ev, call)
    each = ast.copy_location(ast.Call(call.node.args[0], [], []), call.node)
    return Value(TUPLE, extra=(begun(ev, function, Call(each, (UNKNOWN,) * (len(call.positional) - 1), {})),))


def waits(ev: Evaluation, function: Value) -> bool:
    """Whether a function of a library waits as it is called: ``map(requests.get, urls)``."""
    fact = ev.world.known.call(function.name) if function.kind == NAMED else None
    return fact is not None and bool(fact.kind) and not fact.awaited


def _filter(ev: Evaluation, call: Call) -> Value:
    kept = filtered(ev, call)
    return kept if kept != UNKNOWN else unseen(ev, call)


def _select(ev: Evaluation, call: Call) -> Value:
    """``select(Plant)``, ``select(func.pg_advisory_xact_lock(1))``."""
    plain = (PLAIN,) if are_columns(call.node.args) else ()
    locking = (LOCKING,) if any(map(does_more, call.node.args)) else ()
    return Value(STATEMENT, model_of(call), extra=(*plain, *locking))


def _text(ev: Evaluation, call: Call) -> Value:
    """``text("SELECT …")``, or one that may do more than read."""
    return Value(STATEMENT, extra=(PLAIN,) if reads_as_text(call.node) else (PLAIN, LOCKING))


def _set(ev: Evaluation, call: Call) -> Value:
    """``setattr(plant, name, value)``."""
    if call.positional and call.positional[0].kind == ROW and call.positional[0].resource is not None:
        ev.now.mark(call.positional[0].resource, CHANGED)
    return unseen(ev, call)


def _select_of_table(ev: Evaluation, call: Call) -> Value:
    """``Plant.__table__.select()``."""
    return Value(STATEMENT, extra=(PLAIN,))


PASSING: dict[str, Callable[[Evaluation, Call], Value]] = {
    **{f"{module}.select": _select for module in _MODULES},
    **{f"{module}.text": _text for module in _MODULES},
    "sqlalchemy.Table.select": _select_of_table,
    "builtins.setattr": _set,
    "sqlalchemy.orm.attributes.flag_modified": _set,
    "builtins.map": _map,
    "builtins.filter": _filter,
    "builtins.super": _super,
    "builtins.enumerate": lambda ev, call: Value(ENUMERATED, extra=call.positional[:1]),
    "builtins.zip": _zip,
    "contextlib.closing": _closing,
    "contextlib.aclosing": _closing,
    "contextlib.suppress": lambda ev, call: Value(OBJECT, "contextlib.suppress"),
    "builtins.next": _next,
    "random.choice": _next,
    "secrets.choice": _next,
    "werkzeug.local.LocalProxy": _proxied,
    "builtins.anext": _next,
    "builtins.getattr": _getattr,
    "builtins.hasattr": _hasattr,
    "alembic.context.get_bind": _get_bind,
    "alembic.op.get_bind": _get_bind,
    "builtins.list": _listed,
    "builtins.sorted": _listed,
    "builtins.tuple": _listed,
    "builtins.staticmethod": lambda ev, call: call.positional[0] if call.positional else UNKNOWN,
    "builtins.iter": lambda ev, call: call.positional[0] if call.positional else UNKNOWN,
    "functools.partial": _partial,
    **PROVIDERS,
    "typing.cast": _cast,
    "contextlib.contextmanager": _manager_of,
    "contextlib.asynccontextmanager": _manager_of,
    "sqlalchemy.orm.close_all_sessions": _close_all,
    "sqlalchemy.orm.session.close_all_sessions": _close_all,
}
