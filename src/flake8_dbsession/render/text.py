"""For people: one line a report, or each report with its piece of source."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Diagnostic, Safety
from . import Report
from .frame import Paint, frame

_COLOURS = {
    "path": "1",
    "code": "1;31",
    "number": "2",
    "bar": "33",
    "lost": "1;31",
    "report": "1;31",
    "note": "36",
    "fix": "32",
    "aside": "2",
}


def concise(report: Report) -> str:
    """``path:line:column: CODE message``, one line for each report."""
    paint = _painter(report)
    return "".join(f"{_header(diagnostic, paint)}\n" for diagnostic in report.diagnostics)


def full(report: Report) -> str:
    """Each report with the source around it, how long the connection is held there, and what can be done."""
    paint = _painter(report)
    return "".join(f"{chr(10).join(_block(d, report, paint))}\n\n" for d in report.diagnostics)


def _block(diagnostic: Diagnostic, report: Report, paint: Paint) -> Iterator[str]:
    yield _header(diagnostic, paint)
    yield from (f"  {row}" for row in frame(diagnostic, report.lines(diagnostic.path), paint))
    for note in diagnostic.notes:
        if note.path not in ("", diagnostic.path):
            place = f"{note.path}:{note.span.line}:{note.span.column + 1}"
            yield "  " + paint("note", f"= {_clean(f'{place}: {note.sentence}')}")
    yield from (f"  {row}" for row in _remedy(diagnostic, paint))


def _header(diagnostic: Diagnostic, paint: Paint) -> str:
    place = f"{diagnostic.path}:{diagnostic.span.line}:{diagnostic.span.column + 1}:"
    return f"{paint('path', _clean(place))} {paint('code', diagnostic.code)} {_clean(diagnostic.message)}"


def _remedy(diagnostic: Diagnostic, paint: Paint) -> Iterator[str]:
    plan = diagnostic.plan
    if plan is None:
        if diagnostic.refusal:
            yield paint("aside", f"= no fix: {_clean(diagnostic.refusal)}")
        return
    kind = "fix" if plan.safety is Safety.SAFE else f"{plan.safety.value} fix"
    reason = f" ({_clean(plan.reason)})" if plan.reason else ""
    yield paint("fix", f"= {kind}: {_clean(plan.title)}{reason}")


def _painter(report: Report) -> Paint:
    if not report.colour:
        return lambda part, text: text
    return lambda part, text: f"\033[{_COLOURS[part]}m{text}\033[0m" if text.strip() else text


def _clean(text: str) -> str:
    """Without characters that would do something to a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "�" for c in text)
