"""Blocks of an object that share one session: the outermost opens it, those inside of it get the same."""

from __future__ import annotations

import ast

from ..body import Body


def is_for_inner_blocks(body: Body, statement: ast.AST | None) -> bool:
    """``if self.session is not None: yield self.session``, in a generator that opens it otherwise: whoever comes there
    stands inside of a block that has opened it, and gives it back.
    """
    match statement:
        case ast.If(test=test, body=[ast.Expr(value=ast.Yield(value=ast.Attribute() as shared)), *rest]):
            is_asked = any(ast.dump(part) == ast.dump(shared) for part in ast.walk(test))
            is_all = all(isinstance(each, ast.Return) for each in rest)
            return is_asked and is_all and shared_by(body) == shared.attr
    return False


def shared_by(body: Body) -> str:
    """The attribute of its object that a generator gives to whoever asks, and sets itself where there is none; "" for
    anything else."""
    own = {attribute_of(body.me, target) for target, _ in body.assigned()} - {""}
    given = (attribute_of(body.me, each.value) for each in body.own(ast.Yield))
    return next((name for name in given if name in own), "")


def attribute_of(me: str, node: ast.expr | None) -> str:
    """The name in ``self.session``, where the object is called ``me``; "" for anything else."""
    match node:
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner == me:
            return name
    return ""
