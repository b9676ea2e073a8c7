"""JSON for scripts: a list of reports, in the shape that ruff prints, or one report a line.

Rows and columns are 1-based and count characters; an end is the place after the last character. ``notes`` tell
the story of a report, step by step. Files that could not be checked are not in the list: they are named on the
standard error stream, and the exit code is 2.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..model import Diagnostic, Note, Span
from . import Report
from .links import page
from .noqa import noqa_rows


def render(report: Report) -> str:
    """One JSON list, indented."""
    return json.dumps(list(values(report)), indent=2, ensure_ascii=False) + "\n"


def render_lines(report: Report) -> str:
    """One JSON object a line; nothing at all when nothing was found."""
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values(report))


def values(report: Report) -> Iterator[dict[str, Any]]:
    """Every diagnostic as plain data, in order."""
    rows: dict[str, dict[int, int]] = {}
    for diagnostic in report.diagnostics:
        path, line = diagnostic.path, diagnostic.span.line
        if path not in rows:
            rows[path] = noqa_rows(report.lines(path))
        yield {
            "code": diagnostic.code,
            "name": diagnostic.name,
            "message": diagnostic.message,
            "filename": path,
            **_place(diagnostic.span),
            "function": diagnostic.function,
            "notes": [_note(note, path) for note in diagnostic.notes],
            "fix": _fix(diagnostic, report),
            "refusal": diagnostic.refusal,
            "url": page(diagnostic.code),
            "noqa_row": rows[path].get(line, line),
        }


def _place(span: Span) -> dict[str, Any]:
    return {
        "location": {"row": span.line, "column": span.column + 1},
        "end_location": {"row": span.end_line, "column": span.end_column + 1},
    }


def _note(note: Note, path: str) -> dict[str, Any]:
    return {"message": note.sentence, "filename": note.path or path, **_place(note.span)}


def _fix(diagnostic: Diagnostic, report: Report) -> dict[str, Any] | None:
    plan = diagnostic.plan
    if plan is None:
        return None
    return {
        "applicability": plan.safety.value.partition("-")[0],
        "message": plan.title,
        "reason": plan.reason,
        "edits": [{"content": edit.text, **_place(edit.span)} for edit in report.edits(diagnostic)],
    }
