"""The budget as a picture: a bar for each service, stacked to the total, with the server's limit as a line."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from .budget import Budget

_WIDTH, _LEFT, _BAR, _GAP = 640, 150, 22, 8
_OPEN, _OVERFLOW, _LIMIT = "#4878a8", "#a9c4de", "#b03030"


def picture(budget: Budget) -> str:
    """An ``<svg>`` element to put into a page: pool_size and max_overflow of every process by service, and the limit.

    What is unknown is left out; the caption says so. Empty where there is no engine at all.
    """
    if not budget.shares:
        return ""
    rows = list(_rows(budget))
    usable = budget.limits.usable
    top = max([sum(kept + extra for _, kept, extra in rows), usable or 0, 1])
    height = (len(rows) + 1) * (_BAR + _GAP) + 46
    shapes = [*_bars(rows, top), *_limit(usable, top, height), *_caption(budget, height)]
    label = escape(_sentence(budget), {'"': "&quot;"})
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}" '
        f'font-family="sans-serif" font-size="12">{"".join(shapes)}</svg>'
    )


def _rows(budget: Budget) -> Iterator[tuple[str, int, int]]:
    """Each service with the connections its processes keep open and those they may add."""
    for part in budget.parts:
        size = sum(s.size.number or 0 for s in part.shares)
        overflow = sum(s.overflow.number or 0 for s in part.shares)
        services = [(p.service, p.number or 1) for p in part.processes] or [("one process", 1)]
        for name, processes in services:
            yield f"{name} × {processes}", min(processes * size, 10**6), min(processes * overflow, 10**6)


def _scaled(number: int, top: int) -> float:
    return round(number / top * (_WIDTH - _LEFT - 20), 1)


def _bars(rows: list[tuple[str, int, int]], top: int) -> Iterator[str]:
    start = 0
    for position, (name, kept, extra) in enumerate([*rows, ("all", *_sums(rows))]):
        y = 20 + position * (_BAR + _GAP)
        x = _LEFT + (_scaled(start, top) if name != "all" else 0)
        yield f'<text x="{_LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>'
        yield f'<rect x="{x}" y="{y}" width="{_scaled(kept, top)}" height="{_BAR}" fill="{_OPEN}"/>'
        after = round(x + _scaled(kept, top), 1)
        yield f'<rect x="{after}" y="{y}" width="{_scaled(extra, top)}" height="{_BAR}" fill="{_OVERFLOW}"/>'
        start += kept + extra


def _sums(rows: list[tuple[str, int, int]]) -> tuple[int, int]:
    return sum(kept for _, kept, _ in rows), sum(extra for _, _, extra in rows)


def _limit(usable: int | None, top: int, height: int) -> Iterator[str]:
    if usable is not None:
        x = _LEFT + _scaled(usable, top)
        yield f'<line x1="{x}" y1="8" x2="{x}" y2="{height - 26}" stroke="{_LIMIT}" stroke-width="2"/>'
        yield f'<text x="{x - 4}" y="16" text-anchor="end" fill="{_LIMIT}">{usable}</text>'


def _caption(budget: Budget, height: int) -> Iterator[str]:
    yield f'<rect x="{_LEFT}" y="{height - 18}" width="10" height="10" fill="{_OPEN}"/>'
    yield f'<text x="{_LEFT + 14}" y="{height - 9}">pool_size</text>'
    yield f'<rect x="{_LEFT + 84}" y="{height - 18}" width="10" height="10" fill="{_OVERFLOW}"/>'
    yield f'<text x="{_LEFT + 98}" y="{height - 9}">max_overflow</text>'
    yield f'<text x="{_LEFT + 200}" y="{height - 9}">{escape(_sentence(budget))}</text>'


def _sentence(budget: Budget) -> str:
    total = str(budget.total) if budget.total is not None else f"at least {budget.at_least}"
    usable = budget.limits.usable
    return f"{total} of {usable if usable is not None else 'an unknown number of'} connections"
