"""The words of the project: what a report, a note, a rule and a plan are.

Everything here is frozen, holds no syntax tree and imports nothing of ours, so that any layer may use it
and a report can travel between processes. Lines are 1-based; columns are 0-based and count characters
(``ast`` counts UTF-8 bytes: :meth:`flake8_dbsession.source.Source.span` converts).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .view import View


class Span(NamedTuple):
    """A piece of a file, from its first character up to and without ``end_line``/``end_column``."""

    line: int
    column: int
    end_line: int
    end_column: int


class Note(NamedTuple):
    """One step of the story behind a report, such as where the connection was taken."""

    sentence: str
    span: Span
    path: str = ""
    """The file the span is in; empty: the file of the report."""


class Safety(enum.Enum):
    """How far a fix may be trusted to keep what the program does."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display-only"


class Plan(NamedTuple):
    """What should hold after a fix, as steps that ``fix.carry_out`` looks up in the file.

    ``reason`` says why the plan is not safe (empty when it is). The steps are values of ``fix.plans``;
    a plan is carried out whole or not at all.
    """

    title: str
    safety: Safety
    steps: tuple[Any, ...]
    reason: str = ""


class Diagnostic(NamedTuple):
    """One report. Sorts by file and place."""

    path: str
    span: Span
    code: str
    name: str
    message: str
    notes: tuple[Note, ...] = ()
    plan: Plan | None = None
    refusal: str = ""
    """Why there is no plan; empty where there is one."""
    function: str = ""
    """The dotted name of the innermost function or class around the place inside its module; "" at module level."""


class Rule(NamedTuple):
    """One rule. Its page is the docstring of the module that defines it."""

    code: str
    name: str
    summary: str
    check: Callable[[View], Iterable[Diagnostic]]
    since: str = "0.1"
    on_by_default: bool = True
