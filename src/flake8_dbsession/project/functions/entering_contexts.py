"""Context managers of the project that enter an app context of Flask for the block that is over them."""

from __future__ import annotations

import ast

from ...session.body import Body

_CONTEXTS = frozenset({"app_context", "test_request_context"})


def yields_in_context(generator: Body) -> bool:
    """``with app.app_context(): yield``, or where the object has an application: ``if self.app: with …: yield``.

    An object that has not been told its application yet has no session of Flask-SQLAlchemy to give back.
    """
    yields = generator.own(ast.Yield)
    blocks = [block for block in generator.own(ast.With) if any(is_context(item.context_expr) for item in block.items)]
    beside = [each.orelse for each in generator.own(ast.If) if asks_for_application(generator, each)]
    inside = {id(part) for block in blocks for part in ast.walk(block)}
    others = {id(part) for statements in beside for statement in statements for part in ast.walk(statement)}
    own = [each for each in yields if id(each) in inside]
    return bool(own) and all(each in own or id(each) in others for each in yields)


def is_context(call: ast.expr) -> bool:
    """``app.app_context()``."""
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _CONTEXTS


def asks_for_application(method: Body, statement: ast.If) -> bool:
    """``if self.app:`` or ``if self.app is not None:`` before the context of this very application is entered."""
    match statement:
        case ast.If(test=test, body=[ast.With(items=[ast.withitem(context_expr=entered)])]):
            match test:
                case ast.Compare(left=asked, ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
                    test = asked
            match test, entered:
                case ast.Attribute(value=ast.Name(id=owner)), ast.Call(func=ast.Attribute(value=application)):
                    is_own = bool(method.owner) and owner == method.me
                    return is_own and ast.dump(application) == ast.dump(test)
    return False
