"""Pauses before another attempt, which only a failure brings about."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..names import dotted
from .body import Body
from .exceptions import is_for_database


def is_rare(body: Body, node: ast.AST, waits: list[ast.AST], own: list[ast.AST], is_lent: bool) -> bool:
    """Whether whoever calls the function hardly ever has to wait for a pause at ``node``.

    ``waits`` are the other waits of the function, ``own`` what it asks sessions of its own; ``is_lent`` where it works
    with others, too.
    """
    return (not is_lent and follows_a_failure(body, node)) or is_between_attempts(body, node, waits, own)


def follows_a_failure(body: Body, node: ast.AST) -> bool:
    """Whether what is done at ``node`` is only done after the database has failed: a pause before the next attempt."""
    handlers = (handler for handler in body.own(ast.ExceptHandler) if is_for_database(handler))
    return any(is_in(handler, node) for handler in handlers)


def is_between_attempts(body: Body, node: ast.AST, waits: list[ast.AST], own: list[ast.AST]) -> bool:
    """Whether ``node`` stands in the ``except`` of one of a few attempts at something that needs no waiting by itself:
    none of ``waits``, and nothing that is asked of others, but of its ``own`` sessions. Who goes on until it works,
    waits for that."""
    attempts = [loop for loop in body.own(ast.For, ast.AsyncFor, ast.While) if is_in(loop, node)]
    tried = [block for block in body.own(ast.Try) if any(is_in(handler, node) for handler in block.handlers)]
    is_endless = any(isinstance(loop, ast.While) and not counts_up(loop) for loop in attempts)
    if is_endless or not any(is_in(loop, block) for loop in attempts for block in tried):
        return False
    parts = [part for block in tried for statement in block.body for part in ast.walk(statement)]
    known = set(map(id, own))
    others = [part for part in parts if id(part) not in known]
    return not any(each is part for each in waits for part in parts) and not any(asked_of_others(body, others))


def counts_up(loop: ast.While) -> bool:
    """Whether a loop counts its turns and ends with one of them: ``while attempts < 5``."""
    match loop.test:
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Lt() | ast.LtE()], comparators=[_]):
            steps = (
                part for part in ast.walk(loop) if isinstance(part, ast.AugAssign) and isinstance(part.op, ast.Add)
            )
            return any(isinstance(step.target, ast.Name) and step.target.id == name for step in steps)
    return False


def asked_of_others(body: Body, parts: list[ast.AST]) -> Iterator[bool]:
    """For each call among the parts, whether it is of what the function had before: a parameter, an object of its own,
    and in the wrapper of a decorator what that was given."""
    names = [part for part in parts if isinstance(part, ast.Name)]
    bound = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    for call in (part for part in parts if isinstance(part, ast.Call)):
        name = (dotted(call.func) or "").partition(".")[0]
        is_around = body.outermost is not body and isinstance(call.func, ast.Name)
        yield name not in bound and (name in body.local_names or is_around)


def is_in(outer: ast.AST, node: ast.AST) -> bool:
    return any(part is node for part in ast.walk(outer))
