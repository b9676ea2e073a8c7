"""Workflow commands that GitHub Actions shows as annotations beside the changed lines."""

from __future__ import annotations

from collections.abc import Mapping

from ..model import Diagnostic
from . import Problem, Report
from .paths import relative


def render(report: Report) -> str:
    """One command a line: the files that could not be checked, then the findings, each with its story."""
    commands = [_problem(problem, report.root) for problem in report.errors]
    commands += [_finding(diagnostic, report.root) for diagnostic in report.diagnostics]
    return "".join(f"{command}\n" for command in commands)


def _finding(diagnostic: Diagnostic, root: str) -> str:
    path, span = relative(diagnostic.path, root), diagnostic.span
    place = {"line": span.line, "endLine": span.end_line}
    if span.line == span.end_line:  # columns are understood within one line only
        place |= {"col": span.column + 1, "endColumn": span.end_column + 1}
    level = "notice" if diagnostic.code.startswith("ORM9") else "error"
    story = [f"  {_where(note.path, root)}line {note.span.line}: {note.sentence}" for note in diagnostic.notes]
    head = f"{path}:{span.line}:{span.column + 1}: {diagnostic.code} {diagnostic.message}"
    return _command(
        level, {"title": f"dbsession ({diagnostic.code})", "file": path, **place}, "\n".join([head, *story])
    )


def _where(path: str, root: str) -> str:
    return f"{relative(path, root)} " if path else ""


def _problem(problem: Problem, root: str) -> str:
    place = {"line": problem.line} if problem.line else {}
    return _command("error", {"title": "dbsession", "file": relative(problem.path, root), **place}, str(problem))


def _command(level: str, properties: Mapping[str, object], message: str) -> str:
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{level} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
