"""The code quality report that GitLab shows in merge requests."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ..model import Diagnostic
from . import Problem, Report
from .identity import fingerprints
from .paths import relative

_SEVERITIES = {"1": "major", "2": "major", "3": "critical", "4": "minor", "9": "info"}
"""By the family of the rule; two users of one connection corrupt data, a leak brings the service down."""


def render(report: Report) -> str:
    """One JSON list; paths start from the root of the repository."""
    issues = [_problem(problem, report.root) for problem in report.errors]
    pairs = zip(report.diagnostics, fingerprints(report), strict=True)
    issues += [_finding(diagnostic, digest, report.root) for diagnostic, digest in pairs]
    return json.dumps(issues, indent=2, ensure_ascii=False) + "\n"


def _finding(diagnostic: Diagnostic, digest: str, root: str) -> dict[str, Any]:
    return {
        "description": f"{diagnostic.code} {diagnostic.message}",
        "check_name": diagnostic.code,
        "fingerprint": digest,
        "severity": _SEVERITIES.get(diagnostic.code[3:4], "major"),
        "location": {
            "path": relative(diagnostic.path, root),
            "lines": {"begin": diagnostic.span.line, "end": diagnostic.span.end_line},
        },
    }


def _problem(problem: Problem, root: str) -> dict[str, Any]:
    path = relative(problem.path, root)
    return {
        "description": problem.message,
        "check_name": "unreadable",
        "fingerprint": hashlib.sha256(f"{path}\0{problem.message}".encode("utf-8", "surrogatepass")).hexdigest()[:32],
        "severity": "blocker",
        "location": {"path": path, "lines": {"begin": max(problem.line, 1), "end": max(problem.line, 1)}},
    }
