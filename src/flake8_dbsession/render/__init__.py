"""How reports become text: one file a format, each with a pure function of a :class:`Report`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import NamedTuple

from ..model import Diagnostic, Rule, Span


class Problem(NamedTuple):
    """What kept a file from being checked: one line for people; line and column are 0 when unknown."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        place = f":{self.line}:{self.column}" if self.line else ""
        return f"{self.path}{place}: {self.message}"


class Edit(NamedTuple):
    """The text at ``span`` becomes ``text``."""

    span: Span
    text: str


class Report(NamedTuple):
    """All that one run found, as a format sees it.

    ``diagnostics`` are sorted by file and place; ``lines`` gives a file's lines without their newlines
    (an empty list when the file cannot be read); ``edits`` gives what the fix of a report would change in
    its file (nothing when there is none) and costs a libcst parse, so only formats that print edits call it.
    """

    diagnostics: tuple[Diagnostic, ...]
    errors: tuple[Problem, ...]
    checked: int
    """How many files were analysed."""
    lines: Callable[[str], list[str]]
    edits: Callable[[Diagnostic], tuple[Edit, ...]]
    root: str
    """The absolute path that relative paths in reports start from."""
    version: str
    colour: bool = False
    """Whether the output may hold terminal colours; only the formats for people heed it."""
    rules: Iterable[Rule] = ()
    """The rules that were looked for, for the formats that describe them."""
    pictures: tuple[tuple[str, str], ...] = ()
    """Headings with finished SVG elements, for formats that show pictures: what the pools may come to."""


FORMATS: dict[str, str] = {
    "full": "flake8_dbsession.render.text:full",
    "concise": "flake8_dbsession.render.text:concise",
    "json": "flake8_dbsession.render.json:render",
    "json-lines": "flake8_dbsession.render.json:render_lines",
    "sarif": "flake8_dbsession.render.sarif:render",
    "github": "flake8_dbsession.render.github:render",
    "gitlab": "flake8_dbsession.render.gitlab:render",
    "junit": "flake8_dbsession.render.junit:render",
    "azure": "flake8_dbsession.render.azure:render",
    "html": "flake8_dbsession.render.html:render",
}
"""Format name -> ``module:function``; the function takes a :class:`Report` and returns the whole output."""


def renderer(name: str) -> Callable[[Report], str]:
    """The function behind the format ``name``, imported now; raises ``KeyError`` for an unknown name."""
    module, function = FORMATS[name].split(":")
    found: Callable[[Report], str] = getattr(import_module(module), function)
    return found
