"""The connections of an application over time, before and after, as SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Series = Sequence[Sequence[float]]
"""Rows of second, connections, connections out of a pool, those of them that sleep."""

WIDTH, HEIGHT = 380, 190
LEFT, TOP, BOTTOM = 34, 44, 28
OUT, IDLE = "#a9c4e4", "#c0392b"


def plot(title: str, before: Series, after: Series) -> str:
    """Two panels with the same scales: what is out of the pools, and in front of it what sleeps meanwhile."""
    seconds = max(row[0] for series in (before, after) for row in series)
    most = max(1, *(max(row[2], row[3]) for series in (before, after) for row in series))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" height="{HEIGHT}" font-family="sans-serif"',
        ' font-size="11">',
        f'<rect width="{2 * WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="10" y="16" font-size="13">{title}</text>',
        *_legend(),
    ]
    for number, (name, series) in enumerate((("as written", before), ("after dbsession fix", after))):
        parts += _panel(WIDTH * number, name, series, seconds, most)
    return "\n".join([*parts, "</svg>", ""])


def _legend() -> list[str]:
    left = 2 * WIDTH - 250
    return [
        f'<rect x="{left}" y="24" width="10" height="10" fill="{OUT}"/>',
        f'<text x="{left + 14}" y="33">held</text>',
        f'<rect x="{left + 60}" y="24" width="10" height="10" fill="{IDLE}"/>',
        f'<text x="{left + 74}" y="33">held while nothing is asked (Sleep)</text>',
    ]


def _panel(left: float, name: str, series: Series, seconds: float, most: float) -> list[str]:
    floor, right = HEIGHT - BOTTOM, left + WIDTH - 12

    def across(second: float) -> float:
        return left + LEFT + (right - left - LEFT) * second / seconds

    def up(value: float) -> float:
        return floor - (floor - TOP) * value / most

    return [
        f'<text x="{left + LEFT}" y="{TOP - 8}">{name}</text>',
        *(
            f'<text x="{left + LEFT - 6}" y="{up(tick) + 4:.0f}" text-anchor="end">{tick}</text>'
            f'<line x1="{left + LEFT}" x2="{right}" y1="{up(tick):.1f}" y2="{up(tick):.1f}" stroke="#ddd"/>'
            for tick in _ticks(most)
        ),
        _area([(row[0], row[2]) for row in series], across, up, OUT),
        _area([(row[0], row[3]) for row in series], across, up, IDLE),
        *(
            f'<text x="{across(tick):.0f}" y="{floor + 14}" text-anchor="middle">{tick} s</text>'
            for tick in _ticks(seconds)
        ),
    ]


def _area(
    points: list[tuple[float, float]], across: Callable[[float], float], up: Callable[[float], float], color: str
) -> str:
    """The area below the steps; only where the value changes is a point drawn."""
    path, last = [f"M{across(points[0][0]):.1f},{up(0):.1f}"], 0.0
    for second, value in points:
        if value != last:
            path += [f"H{across(second):.1f}", f"V{up(value):.1f}"]
            last = value
    path += [f"H{across(points[-1][0]):.1f}", f"V{up(0):.1f}Z"]
    return f'<path d="{"".join(path)}" fill="{color}"/>'


def _ticks(most: float) -> list[int]:
    step = next((step for step in (1, 2, 5, 10, 20, 50) if most / step <= 5), 100)
    return list(range(0, int(most) + 1, step))
