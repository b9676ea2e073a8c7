"""From a source to its reports: the one place that runs the rules."""

from __future__ import annotations

from .model import Diagnostic
from .project.project import Project
from .rules import ALL
from .source import Source
from .view import View


def analyze(source: Source, project: Project) -> list[Diagnostic]:
    """Every report of every rule for ``source``, sorted by place; selection and suppression come later.

    Returns nothing, and parses nothing further, when the file cannot touch a session.
    """
    view = View(source, project)
    if not view.is_relevant:
        return []
    return sorted((d for rule in ALL for d in rule.check(view)), key=lambda d: (d.span, d.code, d.message))
