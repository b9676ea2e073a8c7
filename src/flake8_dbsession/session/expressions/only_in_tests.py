"""Whether a condition asks if tests run the program: ``"TESTING" in os.environ``, ``app.config["TESTING"]``."""

from __future__ import annotations

import ast

from ...known.conventions import Conventions
from ...names import dotted

_FLAGS = ("environ", "config")
_TRUE = ("1", "true", "yes", "on")


def asks_for_tests(known: Conventions, condition: ast.expr) -> bool | None:
    """What the condition would be in a test; None where it asks for anything else."""
    match condition:
        case ast.UnaryOp(op=ast.Not()):
            inner = asks_for_tests(known, condition.operand)
            return None if inner is None else not inner
        case ast.Compare(left=ast.Constant(value=str(name)), ops=[ast.In() | ast.NotIn() as how], comparators=[where]):
            is_told = is_of_environment(where) and known.is_of_tests(name)
            return isinstance(how, ast.In) if is_told else None
        case ast.Compare(left=asked, ops=[ast.Eq()], comparators=[ast.Constant(value=wanted)]):
            return asks_for_tests(known, asked) if str(wanted).lower() in _TRUE else None
        case ast.Call() | ast.Subscript() | ast.Attribute():
            return True if known.is_of_tests(name_of_flag(condition)) else None
    return None


def made_for_tests(known: Conventions, statement: ast.AST | None, condition: ast.expr) -> list[ast.AST]:
    """What is called in the branch of an ``if`` that only tests take: there it stands in for what the other makes."""
    in_tests = asks_for_tests(known, condition) if isinstance(statement, ast.If) else None
    if in_tests is None or not isinstance(statement, ast.If):
        return []
    branch = statement.body if in_tests else statement.orelse
    return [part for each in branch for part in ast.walk(each) if isinstance(part, ast.Call)]


def name_of_flag(asked: ast.expr) -> str:
    """``os.getenv("TESTING")``, ``config["TESTING"]``, ``settings.TESTING``: the name; "" for anything else."""
    match asked:
        case ast.Call(
            func=ast.Attribute(attr="getenv") | ast.Name(id="getenv"), args=[ast.Constant(value=str(name)), *_]
        ):
            return name
        case ast.Call(func=ast.Attribute(value=where, attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name if is_of_environment(where) else ""
        case ast.Subscript(value=where, slice=ast.Constant(value=str(name))):
            return name if is_of_environment(where) else ""
        case ast.Attribute(attr=name) if name.isupper():
            return name
    return ""


def is_of_environment(where: ast.expr) -> bool:
    """``os.environ``, ``app.config``, and ``sys.modules``, where pytest is only if it runs."""
    name = dotted(where) or ""
    return name.rpartition(".")[2] in _FLAGS or name == "sys.modules"
