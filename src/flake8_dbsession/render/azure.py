"""Logging commands that Azure Pipelines shows as issues of the build; it wants absolute paths."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..model import Diagnostic
from . import Problem, Report


def render(report: Report) -> str:
    """One command a line: the files that could not be checked, then the findings."""
    commands = [_problem(problem, report.root) for problem in report.errors]
    commands += [_finding(diagnostic, report.root) for diagnostic in report.diagnostics]
    return "".join(f"{command}\n" for command in commands)


def _finding(diagnostic: Diagnostic, root: str) -> str:
    place = {"linenumber": diagnostic.span.line, "columnnumber": diagnostic.span.column + 1, "code": diagnostic.code}
    level = "warning" if diagnostic.code.startswith("ORM9") else "error"
    return _command(level, os.path.join(root, diagnostic.path), place, diagnostic.message)


def _problem(problem: Problem, root: str) -> str:
    place = {"linenumber": problem.line, "columnnumber": problem.column} if problem.line else {}
    return _command("error", os.path.join(root, problem.path), place, problem.message)


def _command(level: str, path: str, place: Mapping[str, object], message: str) -> str:
    properties = {"type": level, "sourcepath": path, **place}
    listed = "".join(f"{name}={_property(str(value))};" for name, value in properties.items())
    return f"##vso[task.logissue {listed}]{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(";", "%3B").replace("]", "%5D")
