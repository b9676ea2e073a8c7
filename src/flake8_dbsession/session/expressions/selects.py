"""What a SELECT gives: rows of mapped classes or plain columns, all at once or from a server-side cursor."""

from __future__ import annotations

import ast

from ..values import CLASS, UNKNOWN, Value
from .call import Call

STATEMENT = "statement"
"""The kind of a ``select(…)`` that is not executed yet."""
PLAIN = "plain"
"""In ``extra``: gives columns, which no session loads again."""
STREAMED = "streamed"
"""In ``extra``: gives its rows one after the other, from a cursor that lives with the transaction."""
LOCKING = "locking"
"""In ``extra``: locks the rows that it reads until the transaction ends, or does more than read."""
ENUMERATED = "enumerated"
"""The kind of ``enumerate(x)``; ``extra`` holds x."""
ZIPPED = "zipped"
"""The kind of ``zip(x, y)``; ``extra`` holds what is gone through side by side."""

_OPTIONS = frozenset({"yield_per", "stream_results"})
_READING = (["select"], ["show"], ["describe"])
_TOUCHING = (" update", " into ", "lock", " share", "setval", "nextval")
"""What a SELECT says that locks or sets something."""


def marked(value: Value, mark: str) -> Value:
    """The value with a mark more in its ``extra``."""
    return value if mark in value.extra else value.with_extra(*value.extra, mark)


def only_reads(call: ast.Call, statement: Value) -> bool:
    """Whether what a session is asked to execute is surely a SELECT that locks nothing, or a SHOW."""
    if statement.kind == STATEMENT:
        return LOCKING not in statement.extra
    match call.args[:1]:
        case [ast.Call() as inner]:
            return reads_as_text(inner)
    return reads_as_text(call)


def reads_as_text(call: ast.Call) -> bool:
    """Whether the first argument is the text of a statement that surely only reads."""
    match call.args[:1]:
        case [ast.Constant(value=str() as text)]:
            words = text.lower().split()
            return words[:1] in _READING and not any(word in text.lower() for word in _TOUCHING)
    return False


def does_more(argument: ast.expr) -> bool:
    """Whether what is selected is a function of the database that locks or sets something."""
    name = argument.func.attr if isinstance(argument, ast.Call) and isinstance(argument.func, ast.Attribute) else ""
    return any(word in name.lower() for word in _TOUCHING)


def is_text(call: ast.Call) -> bool:
    """``execute(text("…"))`` and ``execute("…")``: what the database answers belongs to no session."""
    match call.args[:1]:
        case [ast.Constant(value=str())] | [ast.Call(func=ast.Name(id="text") | ast.Attribute(attr="text"))]:
            return True
    return False


def model_of(call: Call) -> str:
    """The dotted name of the one mapped class that ``query(Plant)`` or ``select(Plant)`` asks for; "" if not one."""
    asked = call.positional[0] if len(call.positional) == 1 else UNKNOWN
    return asked.name if asked.kind == CLASS else ""


def are_columns(arguments: list[ast.expr]) -> bool:
    """Whether ``select(*arguments)`` names columns and functions only: ``Plant.name``, ``func.count()``."""
    return bool(arguments) and all(is_column(argument) for argument in arguments)


def is_column(argument: ast.expr) -> bool:
    if isinstance(argument, ast.Call):
        return isinstance(argument.func, ast.Attribute)
    return isinstance(argument, ast.Attribute) and not argument.attr[:1].isupper()


def asks_for_stream(call: ast.Call) -> bool:
    """``execution_options(yield_per=100)``, ``scalars(…, execution_options={"stream_results": True})``."""
    for keyword in call.keywords:
        if keyword.arg in _OPTIONS and not is_off(keyword.value):
            return True
        if keyword.arg == "execution_options" and isinstance(keyword.value, ast.Dict):
            pairs = zip(keyword.value.keys, keyword.value.values, strict=True)
            if any(isinstance(k, ast.Constant) and k.value in _OPTIONS and not is_off(v) for k, v in pairs):
                return True
    return False


def is_off(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and not value.value
