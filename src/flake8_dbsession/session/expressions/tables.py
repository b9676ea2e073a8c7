"""What a key picks at run time: of tables of functions, ``HANDLERS = {"north": from_north, …}``, and of dictionaries of
objects of one class, ``clients: dict[str, Client]``."""

from __future__ import annotations

import ast

from ..values import FUNCTION, MAPPING, OBJECT, ONE_OF, TABLE, TUPLE, UNKNOWN, Value, contained, late
from .call import Call

_MOST = 24
"""What a longer table picks, nobody can say."""


def table(items: list[tuple[ast.expr | None, Value]]) -> Value:
    """A dictionary whose values are functions of the project, known wherever one is called, objects of one class, or
    among others objects, each under a key that is written down; UNKNOWN for any other."""
    objects = {value for _, value in items if value.kind == OBJECT and not contained(value)}
    if len(objects) == 1 and all(value in objects for _, value in items):
        return Value(MAPPING, extra=tuple(objects))
    if objects and len(items) <= _MOST and all(isinstance(key, ast.Constant) for key, _ in items):
        return Value(TUPLE, "dict", extra=tuple((ast.unparse(key), value) for key, value in items if key is not None))
    are_functions = all(key is not None and is_seen(value) for key, value in items)
    if not items or len(items) > _MOST or not are_functions:
        return UNKNOWN
    return Value(TABLE, extra=tuple((ast.unparse(key), value) for key, value in items if key is not None))


def is_seen(value: Value) -> bool:
    """A function that is no part of another one, whose names it might use."""
    return value.kind == FUNCTION and bool(value.name) and (len(value.extra) < 2 or value.extra[1] is None)


def looked_up(functions: Value, key: ast.expr) -> Value:
    """``HANDLERS[key]``: the function of a key that is written down, else one of all."""
    known: dict[str, Value] = dict(functions.extra)
    return known.get(ast.unparse(key), UNKNOWN) if isinstance(key, ast.Constant) else any_of(functions)


def any_of(functions: Value) -> Value:
    return Value(ONE_OF, extra=tuple(dict.fromkeys(function for _, function in functions.extra)))


def table_method(functions: Value, name: str, call: Call) -> Value:
    """``get``, ``values`` and ``items`` of a table."""
    match name, call.node.args:
        case (("get" | "pop"), [key, *_]):
            found = looked_up(functions, key)
            default = call.argument(1, "default")
            is_another = found.kind == ONE_OF and is_seen(default) and default not in found.extra
            return found.with_extra(*found.extra, default) if is_another else found
        case "values", []:
            return Value(TUPLE, extra=(any_of(functions),))
        case "items", []:
            return Value(TUPLE, extra=(Value(TUPLE, extra=(UNKNOWN, any_of(functions))),))
    return UNKNOWN


def mapping_method(objects: Value, name: str, call: Call) -> Value:
    """What a dictionary of objects gives when it is asked for one, for all, or for a copy of itself."""
    one: Value = objects.extra[0]
    match name, call.node.args:
        case (("get" | "pop"), [_]):
            return late(one) if name == "get" else one
        case (("get" | "pop" | "setdefault"), [_, _]):
            return one
        case "values", []:
            return Value(TUPLE, extra=(one,))
        case "items", []:
            return Value(TUPLE, extra=(Value(TUPLE, extra=(UNKNOWN, one)),))
        case "copy", []:
            return objects
    return UNKNOWN
