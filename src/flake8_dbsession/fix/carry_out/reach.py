"""How far a plan reaches: which places it changes, whether two plans meet, and which lines it may not touch."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...model import Plan
from ...source import Comment
from ..plans import (
    AddImport,
    AppendStatements,
    AwaitExpression,
    DeleteStatement,
    InsertAfter,
    InsertBefore,
    InsertFirst,
    OpenInWith,
    ReplaceExpression,
    ReplaceInside,
    SetItem,
    SetKeyword,
    Step,
    WrapInExcept,
    WrapInFinally,
    WrapInWith,
)
from .ground import Ground, Refusal, carrier_of, first_line, header_lines

Stretch = tuple[tuple[int, int], tuple[int, int]]
"""From one (line, column) up to another; both ends count."""


class Region(NamedTuple):
    """The top-level statements from one number to another, both included, or one method in the class at ``first``."""

    first: int
    last: int
    method: ast.stmt | None = None


def stretch(step: Step) -> Stretch | None:
    """The part of the file that no other plan may change together with ``step``; None: any plan may."""
    match step:
        case WrapInWith():
            return step.statement[:2], step.last[2:]
        case WrapInFinally() | WrapInExcept() | OpenInWith():
            return step.first[:2], step.last[2:]
        case InsertBefore():
            return step.statement[:2], step.statement[:2]
        case InsertFirst():
            return step.owner[:2], step.owner[:2]
        case InsertAfter() | AppendStatements():
            return step.statement[2:], step.statement[2:]
        case DeleteStatement():
            return step.statement[:2], step.statement[2:]
        case ReplaceExpression() | ReplaceInside() | AwaitExpression():
            return step.expression[:2], step.expression[2:]
        case SetKeyword():
            return step.call[:2], step.call[2:]
        case SetItem():
            return step.display[:2], step.display[2:]
        case AddImport():
            return None


def stretches(plan: Plan) -> list[Stretch]:
    """Every stretch of a plan, in the order of the file."""
    return sorted(found for step in plan.steps if (found := stretch(step)) is not None)


def meet(plan: Plan, other: Plan) -> bool:
    """Whether two plans change the same place, or both bind names at module level."""
    both_append = all(any(isinstance(step, AppendStatements) for step in each.steps) for each in (plan, other))
    return both_append or overlap(stretches(plan), stretches(other))


def overlap(one: Sequence[Stretch], other: Sequence[Stretch]) -> bool:
    """Whether any stretch of the one meets any of the other."""
    return any(a[0] <= b[1] and b[0] <= a[1] for a in one for b in other)


def marked_lines(ground: Ground, codes: str) -> set[int]:
    """The lines whose ``# noqa`` forbids changes.

    ``codes`` is what the codes have to begin with for the comment to count; a bare ``# noqa`` always does.
    """
    if "noqa" not in ground.source.text.lower():
        return set()
    return {comment.line for comment in ground.source.comments if _forbids(comment, codes)}


def refuse_marked(ground: Ground, plan: Plan, marked: set[int]) -> None:
    """Raises :class:`Refusal` when the plan changes a statement that has one of the ``marked`` lines."""
    if marked and not all(marked.isdisjoint(lines) for lines in _changed_lines(ground, plan)):
        raise Refusal("the line is marked noqa")


def _changed_lines(ground: Ground, plan: Plan) -> Iterator[range]:
    """The lines of each statement that will read differently; moving it to the right is no change."""
    for step in plan.steps:
        match step:
            case WrapInWith():
                for span in (step.statement, *step.drop):
                    yield _whole(ground.statement(span)[-1])
            case WrapInFinally():
                for span in step.drop:
                    yield _whole(ground.statement(span)[-1])
            case DeleteStatement():
                yield _whole(ground.statement(step.statement)[-1])
            case ReplaceExpression() | AwaitExpression():
                yield header_lines(carrier_of(ground.expression(step.expression)))
            case SetKeyword():
                yield header_lines(carrier_of(ground.expression(step.call)))
            case SetItem():
                yield header_lines(carrier_of(ground.expression(step.display)))


def _whole(statement: ast.AST) -> range:
    return range(first_line(statement), statement.end_lineno + 1)  # type: ignore[attr-defined]


def _forbids(comment: Comment, codes: str) -> bool:
    """Whether flake8 would take ``comment`` for a noqa of any code that begins with ``codes``."""
    for part in comment.text.split("#"):
        mark = part.strip()
        if mark[:4].lower() == "noqa":
            rest = mark[4:].lstrip()
            named = rest[1:].replace(",", " ").split() if rest.startswith(":") else []
            return not named or any(_begins(code.upper(), codes) for code in named)
    return False


def _begins(code: str, codes: str) -> bool:
    return code.startswith(codes) or (code.isalpha() and codes.startswith(code))


def region(ground: Ground, plan: Plan) -> list[Region]:
    """What each step edits: a method, or else top-level statements."""
    found = []
    for step in plan.steps:
        reached = stretch(step)
        if reached is not None and not isinstance(step, AppendStatements):
            (first, _), (last, _) = reached
            found.append(_within(ground.tree.body, first, last, isinstance(step, DeleteStatement)))
    return found


def _within(block: Sequence[ast.stmt], start: int, end: int, drops: bool) -> Region:
    """The statements of ``block`` on the lines from ``start`` to ``end``; the one method of a class that has them all,
    unless it is what the step ``drops``."""
    starts = [first_line(statement) for statement in block]
    first, last = (max(bisect_right(starts, line) - 1, 0) for line in (start, end))
    method = _method(block[first], start, end) if first == last else None
    return Region(first, last, None if drops and method is not None and method.lineno == start else method)


def _method(statement: ast.stmt, start: int, end: int) -> ast.stmt | None:
    """The method around some lines, in the class ``statement`` or one inside of it."""
    for inner in statement.body if isinstance(statement, ast.ClassDef) else ():
        if first_line(inner) <= start and end <= (inner.end_lineno or 0):
            return inner if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) else _method(inner, start, end)
    return None
