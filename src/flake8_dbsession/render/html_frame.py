"""The lines of a file around a report as HTML, with a picture beside them of how long the connection is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from ..model import Diagnostic, Span
from .held import Held, Kind, Mark, held

ROW = 22
"""The height of a line in pixels; the style sheet has the same."""
WIDTH = 48
_BAR = 16
_GAP = 5
"""So many lines between two marks are shown; of more, only the ends."""


class _Row(NamedTuple):
    """A row of the picture: a line of the file, what is said below it (``mark``), or a gap (number 0)."""

    number: int
    mark: Mark | None = None


_FATE = Mark(0, Kind.LOST, "still held when the function is left, on some way out")


def frame(diagnostic: Diagnostic, lines: Sequence[str]) -> str:
    """The frame of one report; empty where the file has no such line."""
    if not 0 < diagnostic.span.line <= len(lines):
        return ""
    picture = held(diagnostic, lines)
    rows = list(_rows(picture, len(lines), diagnostic.message))
    drawn = "".join(_line(row, lines, picture, diagnostic.span) for row in rows)
    return f'<div class="frame">{_svg(rows, picture)}{drawn}</div>'


def symbol(kind: Kind, x: float = _BAR, y: float = ROW / 2) -> str:
    """The sign of a kind of mark, centred at a point."""
    name = kind.value
    if kind is Kind.WAIT:
        return f'<rect class="{name}" x="{x - 6}" y="{y - 8}" width="12" height="16" rx="2"/>'
    if kind is Kind.MISSED:
        ring = f'<circle class="{name}" cx="{x}" cy="{y}" r="6"/>'
        return f'{ring}<path class="{name}" d="M{x - 7} {y + 7}L{x + 7} {y - 7}"/>'
    if kind is Kind.LOST:
        return f'<path class="{name}" d="M{x - 5} {y - 5}L{x + 5} {y + 5}M{x + 5} {y - 5}L{x - 5} {y + 5}"/>'
    radius = 6 if kind in (Kind.TAKEN, Kind.OPENED) else 4
    return f'<circle class="{name}" cx="{x}" cy="{y}" r="{radius}"/>'


def _rows(picture: Held, count: int, message: str) -> Iterator[_Row]:
    """The lines to show with what is said below them; the message itself already stands above the frame."""
    marked = {mark.line for mark in picture.marks}
    shown = set(range(picture.first, min(picture.last, count) + 1))
    near = {line + step for line in (*marked, picture.first, picture.last) for step in range(-_GAP // 2, _GAP // 2 + 2)}
    before = 0
    for number in sorted(shown & near):
        if before and number > before + 1:
            yield _Row(0)
        yield _Row(number)
        yield from (_Row(number, mark) for mark in picture.at(number) if mark.sentence != message)
        before = number
    if picture.is_lost:
        yield _Row(before, _FATE)


def _line(row: _Row, lines: Sequence[str], picture: Held, span: Span) -> str:
    if row.mark is not None:
        text = lines[row.number - 1]
        indent = " " * (len(text) - len(text.lstrip()))
        arrow = "" if row.mark is _FATE else "↑ "
        said = f'<span class="said {row.mark.kind.value}">{arrow}{escape(row.mark.sentence)}</span>'
        return f'<div class="line marked"><span></span><span></span><span>{indent}{said}</span></div>'
    if not row.number:
        return '<div class="line"><span></span><span></span><span class="soft">⋯</span></div>'
    style = "line marked" if picture.at(row.number) else "line"
    code = _code(lines[row.number - 1], span if span.line == row.number else None)
    return f'<div class="{style}"><span>{row.number}</span><span></span><span>{code}</span></div>'


def _code(text: str, span: Span | None) -> str:
    """The line, with the piece that the report is about underlined."""
    if span is None:
        return escape(text)
    end = span.end_column if span.end_line == span.line else len(text)
    return f"{escape(text[: span.column])}<u>{escape(text[span.column : end])}</u>{escape(text[end:])}"


def _svg(rows: Sequence[_Row], picture: Held) -> str:
    """The bar from where the connection is taken to where it is surely still held, and a sign for each mark."""
    height = len(rows) * ROW
    tops = {row.number: index * ROW for index, row in enumerate(rows) if row.number and row.mark is None}
    parts = list(_bar(tops, picture, height)) if picture.taken in tops else []
    for line, top in sorted(tops.items()):
        kinds = list(dict.fromkeys(mark.kind for mark in picture.at(line)))
        parts += [symbol(kind, _BAR + 14 * number, top + ROW / 2) for number, kind in enumerate(kinds)]
    label = escape(_spoken(picture))
    return f'<svg width="{WIDTH}" height="{height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _bar(tops: dict[int, int], picture: Held, height: int) -> Iterator[str]:
    start = tops[picture.taken] + ROW / 2
    if picture.is_lost:
        yield _stroke("bar", start, height - ROW / 2)
        yield symbol(Kind.LOST, _BAR, height - ROW / 2)
    else:
        end = tops.get(picture.until, 0) + ROW / 2
        yield _stroke("bar", start, end)
        yield _stroke("open", max(start, end), height)


def _stroke(name: str, start: float, end: float) -> str:
    return f'<path class="{name}" d="M{_BAR} {start}V{end}"/>'


def _spoken(picture: Held) -> str:
    """The picture in words."""
    if not picture.taken:
        return "no connection is known to be held"
    end = "to the end of the function" if picture.is_lost else f"to line {picture.until} at least"
    return f"the connection is held from line {picture.taken} {end}"
