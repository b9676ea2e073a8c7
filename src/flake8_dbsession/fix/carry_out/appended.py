"""Code that comes to stand at module level behind a statement, with the newlines and the indentation of the file."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import libcst as cst

from ...model import Plan
from ..plans import AppendStatements
from .ground import Ground, Refusal
from .imports import Insertion
from .piece import end_of


def appended(ground: Ground, plan: Plan) -> Iterator[Insertion]:
    """One insertion for each such step; raises :class:`~.ground.Refusal` for a statement inside another."""
    for step in plan.steps:
        if isinstance(step, AppendStatements):
            trail = ground.statement(step.statement)
            if len(trail) != 2:
                raise Refusal("the statement does not stand at module level")
            statement = trail[1]
            assert isinstance(statement, ast.stmt)
            is_behind_block = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            code = _in_style(ground, step.code, statement)
            yield _insertion(ground, end_of(ground, statement), code, is_behind_block)


def _in_style(ground: Ground, code: str, statement: ast.stmt) -> str:
    """``code`` with the indentation of the file and one newline at its end."""
    try:
        module = cst.parse_module(code.strip("\n") + "\n")
    except cst.ParserSyntaxError:
        raise Refusal("the new code cannot be parsed") from None
    return module.with_changes(default_indent=ground.indent([statement])).code


def _insertion(ground: Ground, line: int, code: str, is_behind_block: bool) -> Insertion:
    is_block = code.startswith(("def ", "async def ", "class ", "@"))
    blanks = "\n\n" if is_block or is_behind_block else "\n"
    behind = ground.lines[line : line + 1]
    return Insertion(line, blanks + code + (blanks if behind and behind[0].strip() else ""))
