"""A piece of source with what happens on its lines: the numbers, the bar of the held connection, the marks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from ..model import Diagnostic, Span
from .held import Held, held

WIDTH = 120
"""Where a sentence beside a mark would go beyond this, it gets a row of its own; longer source lines are cut."""
_TAB = 4
_BEGIN, _ON, _LOST, _RULE, _GAP = "┏", "┃", "╳", "│", "⋮"

Paint = Callable[[str, str], str]
"""What to paint (number, bar, lost, report, note) and the text -> the text with or without colour."""


class _Marked(NamedTuple):
    span: Span
    sentence: str
    sign: str
    part: str


def frame(diagnostic: Diagnostic, lines: Sequence[str], paint: Paint) -> Iterator[str]:
    """The rows of the picture of a report in a file with these lines (without newlines); none without its line."""
    if not 0 < diagnostic.span.line <= len(lines):
        return
    picture = held(diagnostic, lines)
    margin = len(str(picture.last))

    def side(label: str, bar: str) -> str:
        return f"{paint('number', f'{label:>{margin}} {_RULE}')} {paint('bar', bar)}"

    previous = 0
    for number in _shown(picture, lines):
        if previous and number > previous + 1:
            yield side(_GAP, _bar(picture, number - 1))
        source, place = _displayed(lines[number - 1])
        yield f"{side(str(number), _bar(picture, number, above=True))} {_cut(source)}".rstrip()
        for marked in _marks(diagnostic, number):
            for row in _rows(marked, place, lines[number - 1], paint):
                yield f"{side('', _bar(picture, number))} {row}"
        previous = number
    if picture.is_lost and picture.taken:
        yield f"{side('', '')}{paint('lost', f'{_LOST} the connection is still checked out')}"


def _shown(picture: Held, lines: Sequence[str]) -> list[int]:
    """The lines to show: the marked ones with their neighbours, the first and the last, and no gap of one line."""
    around = {near for mark in picture.marks for near in (mark.line - 1, mark.line, mark.line + 1)}
    wanted = sorted(
        n for n in around | {picture.first, picture.last} if picture.first <= n <= min(picture.last, len(lines))
    )
    filled = {n + 1 for n, following in pairwise(wanted) if following == n + 2}
    return [n for n in sorted({*wanted, *filled}) if lines[n - 1].strip() or n in around or n in filled]


def _bar(picture: Held, number: int, above: bool = False) -> str:
    """The bar beside a line, or beside the marks below it; ``above`` is for the line itself."""
    if not picture.taken or not picture.taken <= number <= picture.until:
        return " "
    return _BEGIN if above and number == picture.taken else _ON


def _marks(diagnostic: Diagnostic, number: int) -> list[_Marked]:
    """What stands on a line, from left to right; the report's own message is in the header already."""
    notes = [
        _Marked(note.span, note.sentence, "-", "note")
        for note in diagnostic.notes
        if note.span.line == number and note.path in ("", diagnostic.path)
    ]
    own = [_Marked(diagnostic.span, "", "^", "report")] if diagnostic.span.line == number else []
    return sorted(own + notes, key=lambda marked: marked.span)


def _rows(marked: _Marked, place: Callable[[int], int], line: str, paint: Paint) -> Iterator[str]:
    """The mark under its place, with its sentence beside it, or below where there is no room."""
    end = marked.span.end_column if marked.span.end_line == marked.span.line else len(line.rstrip())
    left = min(place(marked.span.column), WIDTH)
    signs = marked.sign * max(min(place(end), WIDTH) - left, 1)
    if not marked.sentence or left + len(signs) + 1 + len(marked.sentence) <= WIDTH:
        yield " " * left + paint(marked.part, f"{signs} {marked.sentence}".rstrip())
        return
    yield " " * left + paint(marked.part, signs)
    yield " " * max(0, min(left, WIDTH - len(marked.sentence))) + paint(marked.part, marked.sentence)


def _displayed(line: str) -> tuple[str, Callable[[int], int]]:
    """A line as a terminal may show it, and a function from a character's column to where it is shown."""
    if line.isascii() and line.isprintable():
        return line, lambda column: column
    cells = [_cell(character) for character in line]
    widths = [_width(cell) for cell in cells]
    return "".join(cells), lambda column: sum(widths[:column])


def _cut(source: str) -> str:
    return source if len(source) <= WIDTH else f"{source[:WIDTH]}…"


def _cell(character: str) -> str:
    if character == "\t":
        return " " * _TAB
    return character if character.isprintable() else "�"


def _width(cell: str) -> int:
    if cell.isascii():
        return len(cell)
    from unicodedata import combining, east_asian_width

    return 0 if combining(cell) else 2 if east_asian_width(cell) in "WF" else 1
