"""A few functions of the standard library and of SQLAlchemy that pass sessions and rows through."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from .attributes import attribute
from .call import Call
from .lending import unseen
from .opening import next_of
from .statements import ENUMERATED, PLAIN, STATEMENT, are_columns, model_of
from .values import CLOSING, FUNCTION, GENERATOR, OBJECT, PARTIAL, ROW, ROWS, SUPER, TUPLE, UNKNOWN, Value, contained

if TYPE_CHECKING:
    from .evaluate import Evaluation


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
        return attribute(ev, ast.Attribute(call.node.args[0], name.value, ast.Load()), call.positional[0])
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
    if value.kind == "generated":
        return UNKNOWN  # it has come to its end
    return Value(ROWS, item.name, item.resource) if item.kind == ROW else value


def _manager_of(ev: Evaluation, call: Call) -> Value:
    """``contextmanager(get_db)``: a function again."""
    value = call.positional[0] if call.positional else UNKNOWN
    return value._replace(extra=(*value.extra, "contextmanager")) if value.kind == FUNCTION else UNKNOWN


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
    if call.positional and contained(call.positional[0]):
        return Value(TUPLE, extra=(call.positional[0],))
    return unseen(ev, call)


def _select(ev: Evaluation, call: Call) -> Value:
    return Value(STATEMENT, model_of(call), extra=(PLAIN,) if are_columns(call.node.args) else ())


PASSING: dict[str, Callable[[Evaluation, Call], Value]] = {
    **dict.fromkeys(
        ("sqlalchemy.select", "sqlalchemy.future.select", "sqlalchemy.sql.select", "sqlmodel.select"), _select
    ),
    "builtins.map": _map,
    "builtins.super": _super,
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
    "builtins.staticmethod": lambda ev, call: call.positional[0] if call.positional else UNKNOWN,
    "builtins.iter": lambda ev, call: call.positional[0] if call.positional else UNKNOWN,
    "functools.partial": _partial,
    "typing.cast": _cast,
    "contextlib.contextmanager": _manager_of,
    "contextlib.asynccontextmanager": _manager_of,
    "sqlalchemy.orm.close_all_sessions": _close_all,
    "sqlalchemy.orm.session.close_all_sessions": _close_all,
}
