"""Pauses before another attempt, which only a failure brings about."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..names import dotted
from .body import Body
from .steps.exceptions import is_for_database


def is_rare(body: Body, node: ast.AST, waits: list[ast.AST], own: list[ast.AST], is_lent: bool) -> bool:
    """Whether whoever calls the function hardly ever has to wait for a pause at ``node``.

    ``waits`` are the other waits of the function, ``own`` what it asks sessions of its own; ``is_lent`` where it works
    with others, too.
    """
    return (not is_lent and follows_a_failure(body, node)) or is_between_attempts(body, node, waits, own)


def follows_a_failure(body: Body, node: ast.AST) -> bool:
    """Whether what is done at ``node`` is only done after the database has failed: a pause before the next attempt."""
    handlers = (handler for handler in body.own(ast.ExceptHandler) if is_for_database(handler))
    if any(is_in(handler, node) for handler in handlers):
        return True
    return any(all(map(is_for_database, going_on(block))) for block in failed_before(body, node))


def is_between_attempts(body: Body, node: ast.AST, waits: list[ast.AST], own: list[ast.AST]) -> bool:
    """Whether ``node`` stands in the ``except`` of one of a few attempts at something that needs no waiting by itself:
    none of ``waits``, and nothing that is asked of others, but of its ``own`` sessions. Who goes on until it works,
    waits for that."""
    attempts = [loop for loop in body.own(ast.For, ast.AsyncFor, ast.While) if is_in(loop, node)]
    tried = [block for block in body.own(ast.Try) if any(is_in(handler, node) for handler in block.handlers)]
    tried += failed_before(body, node)
    is_endless = any(isinstance(loop, ast.While) and not counts(loop) for loop in attempts)
    if is_endless or not any(is_in(loop, block) for loop in attempts for block in tried):
        return False
    parts = [part for block in tried for statement in block.body for part in ast.walk(statement)]
    known = set(map(id, own))
    others = [part for part in parts if id(part) not in known]
    return not any(each is part for each in waits for part in parts) and not any(asked_of_others(body, others))


def failed_before(body: Body, node: ast.AST) -> list[ast.Try]:
    """The ``try`` blocks behind which ``node`` stands, and which go on there only where they have failed:
    ``try: return ask()``, ``except OSError: pass``, and a pause."""
    found = []
    for loop in body.own(ast.For, ast.AsyncFor, ast.While):
        behind = next((place for place, step in enumerate(loop.body) if is_in(step, node)), 0)
        blocks = [step for step in loop.body[:behind] if isinstance(step, ast.Try)]
        found += [each for each in blocks if going_on(each) and (leaves(each.body) or leaves(each.orelse))]
    return found


def going_on(block: ast.Try) -> list[ast.ExceptHandler]:
    """The handlers behind which the function goes on below the ``try``."""
    return [handler for handler in block.handlers if not leaves(handler.body)]


def leaves(statements: list[ast.stmt]) -> bool:
    """Whether nothing goes on behind the statements."""
    match statements:
        case [*_, ast.Return() | ast.Raise() | ast.Break() | ast.Continue()]:
            return True
        case [*_, ast.With(body=inner) | ast.AsyncWith(body=inner)]:
            return leaves(inner)
        case [*_, ast.If(body=one, orelse=other)]:
            return leaves(one) and leaves(other)
    return False


def counts(loop: ast.While) -> bool:
    """Whether a loop counts its turns, and ends with one of them: ``while attempts < 5``, ``while tries > 0``."""
    match loop.test:
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Lt() | ast.LtE()], comparators=[_]):
            step: type[ast.operator] = ast.Add
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Gt() | ast.GtE()], comparators=[_]) | ast.Name(id=name):
            step = ast.Sub
        case _:
            return False
    steps = (part for part in ast.walk(loop) if isinstance(part, ast.AugAssign) and isinstance(part.op, step))
    return any(isinstance(each.target, ast.Name) and each.target.id == name for each in steps)


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
