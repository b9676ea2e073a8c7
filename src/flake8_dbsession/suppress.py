"""``# noqa`` comments, with flake8's grammar: which reports they silence, and which of them silence nothing.

Under flake8 this is flake8's business; only the command comes here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from tokenize import TokenInfo
from typing import NamedTuple

from .model import Diagnostic
from .render.noqa import noqa_rows
from .source import Comment, Source, comments_in, tokens_of

_CODES = r"(?::\s?(?P<codes>(?:[A-Z]+[0-9]+(?:[,\s]+)?)+))?"
_ON_LINE = re.compile("# noqa" + _CODES, re.IGNORECASE)
_IN_FILE = re.compile(r"# flake8[:=]\s*noqa" + _CODES, re.IGNORECASE)
_BETWEEN_CODES = re.compile(r"[,\s]+")
_OUR_CODES = re.compile(r"ORM[0-9]+")


class Noqa(NamedTuple):
    """One comment that silences: ``codes`` are prefixes of codes, and none at all means every code."""

    comment: Comment
    codes: tuple[str, ...]
    whole_file: bool

    def silences(self, code: str) -> bool:
        return not self.codes or code.startswith(self.codes)


class Unused(NamedTuple):
    """A code of ours in a ``# noqa`` comment that no report bears."""

    line: int
    column: int
    code: str


class Suppressed(NamedTuple):
    """What is left of some reports, and how many were silenced."""

    kept: list[Diagnostic]
    silenced: int
    unused: list[Unused]


def suppress(source: Source, diagnostics: Iterable[Diagnostic]) -> Suppressed:
    """Take out the reports that a comment silences on their line, or for their whole file."""
    diagnostics = list(diagnostics)
    tokens = tokens_for(source, {d.code for d in diagnostics}) if diagnostics or b"ORM" in source.data else []
    comments = noqas(source, tokens)
    if not comments:
        return Suppressed(diagnostics, 0, [])
    rows = noqa_rows([line.rstrip("\n") for line in source.lines], tokens)
    kept: list[Diagnostic] = []
    used: set[tuple[Noqa, str]] = set()
    silenced = 0
    for diagnostic in diagnostics:
        row = rows.get(diagnostic.span.line, diagnostic.span.line)
        silencers = [n for n in comments if (n.whole_file or n.comment.line == row) and n.silences(diagnostic.code)]
        used.update((noqa, diagnostic.code) for noqa in silencers)
        silenced += bool(silencers)
        if not silencers:
            kept.append(diagnostic)
    return Suppressed(kept, silenced, list(_unused(comments, used)))


def tokens_for(source: Source, codes: Iterable[str]) -> list[TokenInfo]:
    """The tokens of a file; none where no comment can be meant for ``codes``, and none names a code of ours."""
    lines = source.lines if b"noqa" in source.data.lower() else ()
    if not any(_may_concern(line, codes) for line in lines if "noqa" in line.lower()):
        return []
    return list(tokens_of(source.lines))


def noqas(source: Source, tokens: Iterable[TokenInfo]) -> list[Noqa]:
    """The comments among the tokens of a file that silence something."""
    return [noqa for comment in comments_in(tokens) for noqa in _read(comment, source)]


def _may_concern(line: str, codes: Iterable[str]) -> bool:
    """Whether a line, in a comment or not, has a ``# noqa`` for all codes, for one of ``codes`` or for one of ours."""
    for match in (*_ON_LINE.finditer(line), *_IN_FILE.finditer(line)):
        named = _codes(match)
        if not named or any(code.startswith(named) for code in codes) or any(map(_OUR_CODES.fullmatch, named)):
            return True
    return False


def _read(comment: Comment, source: Source) -> Iterable[Noqa]:
    alone = not source.lines[comment.line - 1][: comment.column].strip()
    of_file = _IN_FILE.match(comment.text) if alone else None
    if of_file is not None:
        return [Noqa(comment, _codes(of_file), whole_file=True)]
    on_line = _ON_LINE.search(comment.text)
    return [Noqa(comment, _codes(on_line), whole_file=False)] if on_line is not None else []


def _codes(match: re.Match[str]) -> tuple[str, ...]:
    return tuple(code for code in _BETWEEN_CODES.split(match["codes"] or "") if code)


def _unused(comments: list[Noqa], used: set[tuple[Noqa, str]]) -> Iterable[Unused]:
    """Comments without codes are left alone: they may be meant for other tools."""
    for noqa in comments:
        silenced = [code for user, code in used if user == noqa]
        for code in noqa.codes:
            if _OUR_CODES.fullmatch(code) and not any(report.startswith(code) for report in silenced):
                yield Unused(noqa.comment.line, noqa.comment.column, code)
