"""What the test of a branch says of the code in it: that it runs only as a script, or for databases of SQLite."""

from __future__ import annotations

import ast

from ..names import last_part


def is_guard(test: ast.expr) -> bool:
    """``__name__ == "__main__"`` or ``TYPE_CHECKING``."""
    if isinstance(test, ast.Compare):
        return any(isinstance(side, ast.Name) and side.id == "__name__" for side in [test.left, *test.comparators])
    return last_part(test) == "TYPE_CHECKING"


def is_of_sqlite(test: ast.expr, outcome: bool) -> bool:
    """Whether the database is one of SQLite where ``test`` comes to ``outcome``: ``url.startswith("sqlite")``,
    ``"sqlite" in url``, ``url.drivername == "sqlite"``, ``kind == Kind.SQLITE``, ``is_sqlite``, or where no server is
    told else: ``not url or is_sqlite``."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return is_of_sqlite(inner, not outcome)
        case ast.BoolOp(op=ast.Or(), values=values) if outcome:
            others = [each for each in values if not _has_no_url(each)]
            return bool(others) and all(is_of_sqlite(each, outcome) for each in others)
        case ast.BoolOp(op=operator, values=values):
            return isinstance(operator, ast.And) is outcome and any(is_of_sqlite(each, outcome) for each in values)
        case ast.Compare(left=left, ops=[ast.In() | ast.NotIn() as asked]):
            return isinstance(asked, ast.In) is outcome and _names_sqlite(left)
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as asked], comparators=[right]):
            return isinstance(asked, ast.Eq) is outcome and (_names_sqlite(left) or _names_sqlite(right))
        case ast.Call(func=ast.Attribute(attr="startswith"), args=[start]):
            return outcome and _names_sqlite(start)
        case ast.Name() | ast.Attribute():
            return outcome and last_part(test).lower() in ("is_sqlite", "use_sqlite", "sqlite")
    return False


def _names_sqlite(expression: ast.expr) -> bool:
    """``"sqlite"``, ``"sqlite3"``, ``Kind.SQLITE``."""
    if isinstance(expression, ast.Constant):
        return str(expression.value).startswith("sqlite")
    return last_part(expression) == "SQLITE"


def _has_no_url(test: ast.expr) -> bool:
    """``not url``: what is told no address connects to no server."""
    if not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
        return False
    words = last_part(test.operand).lower().split("_")
    return any(word in ("url", "uri", "dsn") for word in words)
