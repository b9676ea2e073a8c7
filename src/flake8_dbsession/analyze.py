"""From a source to its reports: the one place that runs the rules."""

from __future__ import annotations

from .model import Diagnostic
from .pool.engines import is_candidate
from .project.project import Project
from .rules import ALL
from .source import Source
from .view import View


def analyze(source: Source, project: Project, only: frozenset[str] | None = None) -> list[Diagnostic]:
    """Every report of every rule for ``source``, sorted by place; selection and suppression come later.

    Returns nothing, and parses nothing further, when nothing can be reported in the file. With ``only``, no function
    but these is followed, so what is reported elsewhere is not to be believed.
    """
    view = View(source, project, only)
    if not can_be_reported(view):
        return []
    found = sorted((d for rule in ALL for d in rule.check(view)), key=lambda d: (d.span, d.code, d.message))
    project.flows.forget(view.module)
    view.forget()
    return found


def can_be_reported(view: View) -> bool:
    """Whether the file can touch a session; what test code holds ends with the test, so there only engines count."""
    return is_candidate(view.source.data) if view.is_test else view.is_relevant
