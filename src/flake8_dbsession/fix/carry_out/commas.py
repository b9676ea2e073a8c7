"""Puts one more element into a list with commas (arguments, items, imported names) as its neighbours stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import libcst as cst

Element = TypeVar("Element", cst.Arg, cst.BaseDictElement, cst.ImportAlias)

NOTHING = cst.SimpleWhitespace("")
SPACE = cst.SimpleWhitespace(" ")


def breaks(space: cst.BaseParenthesizableWhitespace) -> bool:
    """Whether ``space`` goes on to another line."""
    return isinstance(space, cst.ParenthesizedWhitespace)


def without_comment(space: cst.BaseParenthesizableWhitespace) -> cst.BaseParenthesizableWhitespace:
    """``space`` with the same indentation, and neither comment nor blank line."""
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return space
    first = cst.TrailingWhitespace(newline=space.first_line.newline)
    return space.with_changes(first_line=first, empty_lines=())


def separator(elements: Sequence[Any], opening: cst.BaseParenthesizableWhitespace) -> cst.BaseParenthesizableWhitespace:
    """What stands between two elements of the list, judged by the last two (or by how the first one is set off)."""
    if len(elements) > 1:
        return without_comment(elements[-2].comma.whitespace_after)
    return without_comment(opening) if breaks(opening) else SPACE


def insert(elements: Sequence[Element], at: int, new: Element, between: cst.BaseParenthesizableWhitespace) -> list[Any]:
    """``elements`` with ``new`` before the element number ``at``, which exists."""
    return [*elements[:at], new.with_changes(comma=cst.Comma(whitespace_after=between)), *elements[at:]]


def append(
    elements: Sequence[Element],
    new: Element,
    between: cst.BaseParenthesizableWhitespace,
    closing: cst.BaseParenthesizableWhitespace,
) -> tuple[list[Any], cst.BaseParenthesizableWhitespace]:
    """``elements`` with ``new`` at the end, and what then stands before the closing bracket.

    ``closing`` is what stood there: a comment in its first line belongs to the element that was the last
    and stays with it. A trailing comma stays a trailing comma.
    """
    if not elements:
        return [new], closing
    last = elements[-1]
    if isinstance(last.comma, cst.Comma):
        old = last.comma.whitespace_after
        if breaks(old):
            new = new.with_changes(comma=last.comma.with_changes(whitespace_after=without_comment(old)))
            gap = _with_comment(between, old)
        else:
            new = new.with_changes(comma=last.comma)
            gap, closing = _with_comment(between, closing), without_comment(closing)
        last = last.with_changes(comma=last.comma.with_changes(whitespace_after=gap))
    else:
        last = last.with_changes(comma=cst.Comma(whitespace_after=_with_comment(between, closing)))
        closing = without_comment(closing)
    return [*elements[:-1], last, new], closing


def _with_comment(
    space: cst.BaseParenthesizableWhitespace, commented: cst.BaseParenthesizableWhitespace
) -> cst.BaseParenthesizableWhitespace:
    """``space`` behind the comment lines of ``commented``, which needs a new line where there are any."""
    if not isinstance(commented, cst.ParenthesizedWhitespace):
        return space
    if isinstance(space, cst.ParenthesizedWhitespace):
        return space.with_changes(first_line=commented.first_line, empty_lines=commented.empty_lines)
    if commented.first_line.comment is None and not any(line.comment for line in commented.empty_lines):
        return space
    return commented
