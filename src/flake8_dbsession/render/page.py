"""The page of a rule: the docstring of its module, read into headings and texts, and how precise it was."""

from __future__ import annotations

import inspect
import sys
from typing import NamedTuple

from ..model import Rule
from . import precision

SOURCES = "Sources"


class Page(NamedTuple):
    """``title`` is the first line; ``sections`` are headings, each with its text (no indentation, no blank ends)."""

    title: str
    sections: tuple[tuple[str, str], ...]

    def section(self, heading: str) -> str:
        """The text under ``heading``; empty where there is none."""
        return dict(self.sections).get(heading, "")

    def with_section(self, heading: str, text: str, before: str) -> Page:
        """The page with one more section: before the one called ``before``, or last."""
        headings = [known for known, _ in self.sections]
        place = headings.index(before) if before in headings else len(headings)
        return Page(self.title, (*self.sections[:place], (heading, text), *self.sections[place:]))

    def markdown(self, level: int = 2) -> str:
        """The sections as Markdown, with headings of the given level."""
        return "\n\n".join(f"{'#' * level} {heading}\n\n{text}" for heading, text in self.sections)

    def text(self) -> str:
        """The sections as plain text, indented under their headings."""
        return "\n\n".join(f"{heading}\n{_indented(text)}" for heading, text in self.sections)


def page_of(rule: Rule) -> Page:
    """The page of ``rule``; only its summary where the module has no docstring."""
    module = sys.modules.get(rule.check.__module__)
    page = parse(getattr(module, "__doc__", None) or rule.summary)
    return page.with_section(precision.HEADING, precision.told(rule.code), before=SOURCES) if page.sections else page


def parse(docstring: str) -> Page:
    """Headings stand at the margin, their text is indented; what is above the first heading is the title."""
    title, *lines = inspect.cleandoc(docstring).splitlines()
    sections: list[tuple[str, list[str]]] = []
    for line in lines:
        if line and not line[0].isspace():
            sections.append((line.rstrip(), []))
        elif sections:
            sections[-1][1].append(line)
    return Page(title, tuple((heading, inspect.cleandoc("\n" + "\n".join(text))) for heading, text in sections))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.splitlines())
