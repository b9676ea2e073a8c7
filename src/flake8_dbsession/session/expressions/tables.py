"""What a key picks at run time: of tables of functions or classes, ``HANDLERS = {"north": from_north, …}``, and of
dictionaries of objects, ``clients: dict[str, Client]``."""

from __future__ import annotations

import ast

from ..values import CLASS, FUNCTION, MAPPING, OBJECT, ONE_OF, TABLE, TUPLE, UNKNOWN, Value, contained, late
from .call import Call

_MOST = 24
"""What a longer table picks, nobody can say."""


def table(items: list[tuple[ast.expr | None, Value]]) -> Value:
    """A dictionary whose values are functions or classes of the project, known wherever one is called, objects of one
    class, or among others objects, each under a key that is written down; UNKNOWN for any other."""
    objects = {value for _, value in items if value.kind == OBJECT and not contained(value)}
    if len(objects) == 1 and all(value in objects for _, value in items):
        return Value(MAPPING, extra=tuple(objects))
    if objects and len(items) <= _MOST and all(isinstance(key, ast.Constant) for key, _ in items):
        return Value(TUPLE, "dict", extra=tuple((ast.unparse(key), value) for key, value in items if key is not None))
    if not items or len(items) > _MOST or not all(key is not None and is_seen(value) for key, value in items):
        return UNKNOWN
    return Value(TABLE, extra=tuple((ast.unparse(key), value) for key, value in items if key is not None))


def is_seen(value: Value) -> bool:
    """A class, or a function that is no part of another one, whose names it might use."""
    if value.kind == FUNCTION:
        return bool(value.name) and (len(value.extra) < 2 or value.extra[1] is None)
    return value.kind == CLASS


def looked_up(functions: Value, key: ast.expr) -> Value:
    """``HANDLERS[key]``: the function of a key that is written down, else one of all."""
    known: dict[str, Value] = dict(functions.extra)
    return known.get(ast.unparse(key), UNKNOWN) if isinstance(key, ast.Constant) else any_of(functions)


def any_of(functions: Value) -> Value:
    return any_among(tuple(function for _, function in functions.extra))


def any_among(values: tuple[Value, ...]) -> Value:
    """One of several functions, classes or plain objects of the project; UNKNOWN of anything else."""
    each = tuple(dict.fromkeys(values))
    if len(each) == 1:
        return each[0]
    are_plain = all(is_seen(value) or (value.kind == OBJECT and not contained(value)) for value in each)
    return Value(ONE_OF, extra=each) if each and len(each) <= _MOST and are_plain else UNKNOWN


def made_by_any(classes: Value) -> Value:
    """The object that one of several classes makes; UNKNOWN where these are no classes."""
    are_classes = all(value.kind == CLASS for value in classes.extra)
    return classes.with_extra(*(Value(OBJECT, value.name) for value in classes.extra)) if are_classes else UNKNOWN


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
