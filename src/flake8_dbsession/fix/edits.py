"""From the text before and after to the smallest edits between them, for editors and machine-readable output."""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..model import Span


class Edit(NamedTuple):
    """``text`` stands in the place of ``span``; the spans of several edits are all of the text before."""

    span: Span
    text: str


def edits(before: str, after: str) -> tuple[Edit, ...]:
    """The edits that turn ``before`` into ``after``, in order, none touching another.

    Lines end at ``\\n``, ``\\r\\n`` and ``\\r``. A line that only moved to the right or left gives an edit of its
    indentation, so that a new block around many lines leaves these lines alone.
    """
    old, new = _lines(before), _lines(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    middle_old, middle_new = old[head : len(old) - tail], new[head : len(new) - tail]
    found = [edit for pair in _pairs(middle_old, middle_new) for edit in _within(old, head, *pair)]
    return tuple(_merged(found))


def applied(before: str, changes: Sequence[Edit]) -> str:
    """``before`` after ``changes``."""
    lines = _lines(before)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    parts, at = [], 0
    for span, text in changes:
        parts += [before[at : starts[span.line - 1] + span.column], text]
        at = starts[span.end_line - 1] + span.end_column
    return "".join([*parts, before[at:]])


def _lines(text: str) -> list[str]:
    return io.StringIO(text, newline="").readlines()


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many elements both begin with."""
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length


def _pairs(old: list[str], new: list[str]) -> Iterator[tuple[int, int, str, str]]:
    """Stretches of old lines (from, to) with their old and new text; a line that moved sideways is one by itself."""
    matcher = difflib.SequenceMatcher(None, [_bare(line) for line in old], [_bare(line) for line in new], False)
    for tag, start, stop, new_start, new_stop in matcher.get_opcodes():
        if tag == "equal":
            for number in range(stop - start):
                yield start + number, start + number + 1, old[start + number], new[new_start + number]
        else:
            yield start, stop, "".join(old[start:stop]), "".join(new[new_start:new_stop])


def _bare(line: str) -> str:
    return line.lstrip(" \t")


def _within(lines: Sequence[str], head: int, start: int, stop: int, old: str, new: str) -> Iterator[Edit]:
    """The edit of one stretch without what both texts begin and end with."""
    if old == new:
        return
    left = _common(old, new)
    right = _common(old[left:][::-1], new[left:][::-1])
    first = _place(lines, head + start, left)
    last = _place(lines, head + start, len(old) - right)
    yield Edit(Span(*first, *last), new[left : len(new) - right])


def _place(lines: Sequence[str], line: int, offset: int) -> tuple[int, int]:
    """The line and column that lie ``offset`` characters behind the beginning of ``line`` (0-based)."""
    while line < len(lines) and offset >= len(lines[line]):
        offset -= len(lines[line])
        line += 1
    if line == len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
        return line, len(lines[-1]) + offset
    return line + 1, offset


def _merged(found: Sequence[Edit]) -> Iterator[Edit]:
    """Edits that touch become one."""
    waiting: Edit | None = None
    for edit in found:
        if waiting is not None and waiting.span[2:] == edit.span[:2]:
            waiting = Edit(Span(*waiting.span[:2], *edit.span[2:]), waiting.text + edit.text)
            continue
        if waiting is not None:
            yield waiting
        waiting = edit
    if waiting is not None:
        yield waiting
