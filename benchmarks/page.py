"""Results as a table and a plot, and both in ``docs/performance.md``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

_BEGIN, _END = "<!-- results -->\n", "<!-- end of results -->\n"


class Row(NamedTuple):
    """One subject: seconds, megabytes, and the ratio of its time to that of ``base`` (0 for none)."""

    name: str
    cpu: float
    wall: float
    peak: float
    base: str = ""
    ratio: float = 0
    goal: float = 0
    of: str = "cpu"
    failed: bool = False


def table(found: dict[str, Any]) -> str:
    """The results in Markdown."""
    files, size = found["size"]
    lines = [
        f"{', '.join(found['folders'])}: {files} files, {size / 1e6:.1f} MB; {found['machine']}; "
        f"medians of {found['rounds']} rounds.",
        "",
        "| process | CPU, s | wall, s | peak, MB | ratio | goal |",
        "|---|---:|---:|---:|---|---:|",
    ]
    for row in map(_row, [*found["rows"], *found["growth"]]):
        ratio = f"{row.ratio:.2f} × {row.base} ({row.of})" if row.ratio else ""
        goal = f"{row.goal:g}" if row.goal else ""
        if row.failed:
            lines.append(f"| {row.name} | failed | | | | |")
            continue
        lines.append(f"| {row.name} | {row.cpu:.2f} | {row.wall:.2f} | {row.peak:.0f} | {ratio} | {goal} |")
    return "\n".join([*lines, ""])


def plot(found: dict[str, Any]) -> str:
    """CPU time of every subject as bars, in SVG."""
    shown = [row for row in map(_row, found["rows"]) if not row.failed]
    most = max(row.cpu for row in shown)
    height = 22 * len(shown) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{height}" font-family="sans-serif"',
        ' font-size="12">',
        f'<rect width="760" height="{height}" fill="white"/>',
    ]
    for number, row in enumerate(shown):
        top = 22 * number + 8
        width = max(1, round(380 * row.cpu / most))
        parts.append(f'<text x="270" y="{top + 12}" text-anchor="end">{row.name}</text>')
        parts.append(f'<rect x="280" y="{top}" width="{width}" height="16" fill="#4a78b0"/>')
        parts.append(f'<text x="{286 + width}" y="{top + 12}">{row.cpu:.2f} s</text>')
    return "\n".join([*parts, "</svg>", ""])


def write(found: dict[str, Any], folder: Path) -> None:
    """Renew the plot, and the results in the page."""
    (folder / "performance.svg").write_text(plot(found))
    page = folder / "performance.md"
    before, _, rest = page.read_text().partition(_BEGIN)
    after = rest.partition(_END)[2]
    page.write_text(f"{before}{_BEGIN}\n{table(found)}\n![CPU time of each process](performance.svg)\n\n{_END}{after}")


def _row(values: dict[str, Any]) -> Row:
    return Row(**values)
