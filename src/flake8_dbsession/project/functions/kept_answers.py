"""Decorators that put the answers of a function away, and give what they find there instead of calling it again."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator

from ...session.body import Body


def remembers_answers(wrapper: Body, call: ast.Call) -> bool:
    """Whether what stands in the place of a function puts its answers away, and gives what it finds there instead.

    ``found = store.get(key)``, ``return found`` before the call, and ``store.set(key, answer)`` after it.
    """
    kept = [value for value in put_away(wrapper) if value.lineno >= call.lineno]
    answers = names_made_of(wrapper, lambda value: any(part is call for part in ast.walk(value)))
    found = names_made_of(wrapper, lambda value: any(map(is_looked_up, ast.walk(value))))
    given = [node for node in wrapper.own(ast.Return) if node.value is not None and node.lineno < call.lineno]
    is_given = any(
        is_looked_up(part) or mentions(part, found) for node in given for part in ast.walk(node) if part is not node
    )
    return is_given and any(part is call or mentions(part, answers) for value in kept for part in ast.walk(value))


_PUTS = frozenset({"add", "hset", "put", "save", "set", "setex", "set_many", "store", "write"})


def put_away(wrapper: Body) -> Iterator[ast.expr]:
    """What a function sets an item to, or gives to ``store.set(key, answer)``."""
    yield from (value for target, value in wrapper.assigned() if isinstance(target, ast.Subscript))
    for call in wrapper.own(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in _PUTS:
            yield from (*call.args, *(keyword.value for keyword in call.keywords))


def is_looked_up(part: ast.AST) -> bool:
    """``store.get(key)``, ``store[key]``."""
    match part:
        case ast.Call(func=ast.Attribute(attr="get" | "hget" | "fetch")) | ast.Subscript(ctx=ast.Load()):
            return True
    return False


def names_made_of(body: Body, begins: Callable[[ast.expr], bool]) -> frozenset[str]:
    """The names that a function makes of values with which it ``begins``, one of the other."""
    names: set[str] = set()
    pairs = [(target.id, value) for target, value in body.assigned() if isinstance(target, ast.Name)]
    while new := {n for n, v in pairs if begins(v) or any(mentions(part, names) for part in ast.walk(v))} - names:
        names |= new
    return frozenset(names)


def mentions(part: ast.AST, names: Collection[str]) -> bool:
    return isinstance(part, ast.Name) and part.id in names
