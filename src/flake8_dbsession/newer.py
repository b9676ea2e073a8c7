"""Syntax of newer Pythons, written so that the Python that runs us can parse it too.

Only what may stand in code that is otherwise the same: type parameters (``def first[T](…)``, ``class Page[T]``) are
blanked, ``type Id = int`` becomes an assignment, ``except A, B:`` gets its brackets, and formatted strings their older
quotes. Lines stay where they are, and so do columns up to the end of an ``except``.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

from .newer_strings import with_older_strings

_LAYOUT = frozenset({tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT})
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


class Edit(NamedTuple):
    """Put ``text`` in the place of what stands from ``start`` to ``end``, each a line (from 1) and a column."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def as_older(text: str) -> str:
    """The text without newer syntax; the same text where there is none, or none that can be taken out."""
    text = with_older_strings(text)
    lines = text.splitlines(keepends=True)
    for edit in sorted(edits(text), reverse=True):
        (line, column), (end_line, end_column) = edit.start, edit.end
        head, tail = lines[line - 1][:column], lines[end_line - 1][end_column:]
        lines[line - 1 : end_line] = f"{head}{edit.text}{tail}".splitlines(keepends=True)
    return "".join(lines)


def edits(text: str) -> list[Edit]:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text, newline="").readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    lines = text.splitlines(keepends=True)
    statements = (edit for statement in logical_lines(tokens) for edit in in_statement(statement, lines))
    return list(statements)


def logical_lines(tokens: list[tokenize.TokenInfo]) -> Iterator[list[tokenize.TokenInfo]]:
    """The tokens of each logical line, without layout and comments."""
    line: list[tokenize.TokenInfo] = []
    for token in tokens:
        if token.type not in _LAYOUT:
            line.append(token)
        elif token.type == tokenize.NEWLINE and line:
            yield line
            line = []


def in_statement(tokens: list[tokenize.TokenInfo], lines: list[str]) -> Iterator[Edit]:
    words = [token.string for token in tokens]
    match words:
        case ["type", name, "=" | "[", *_] if name.isidentifier():
            yield Edit(tokens[0].start, tokens[1].end, name.ljust(tokens[1].end[1] - tokens[0].start[1]))
            yield from parameters(tokens, 2, lines)
        case ["def" | "class", _, "[", *_]:
            yield from parameters(tokens, 2, lines)
        case ["async", "def", _, "[", *_]:
            yield from parameters(tokens, 3, lines)
        case ["except", *_]:
            yield from brackets(tokens)


def parameters(tokens: list[tokenize.TokenInfo], first: int, lines: list[str]) -> Iterator[Edit]:
    """Blanks instead of the type parameters that begin with the token number ``first``."""
    if tokens[first].string != "[":
        return
    start, end = tokens[first].start, tokens[closing(tokens, first)].end
    parts = [*lines[start[0] - 1 : end[0]]]
    parts[-1] = parts[-1][: end[1]]
    parts[0] = parts[0][start[1] :]
    yield Edit(start, end, "".join([*map(joined, parts[:-1]), " " * len(parts[-1])]))


def joined(line: str) -> str:
    """Blanks as long as the line, which goes on on the next one."""
    content = line.rstrip("\r\n")
    return " " * (len(content) - 1) + "\\" + line[len(content) :]


def closing(tokens: list[tokenize.TokenInfo], first: int) -> int:
    """The number of the token that closes the bracket that ``first`` opens."""
    depth = 0
    for number in range(first, len(tokens)):
        depth += (tokens[number].string in _OPENING) - (tokens[number].string in _CLOSING)
        if depth == 0:
            return number
    return len(tokens) - 1


def brackets(tokens: list[tokenize.TokenInfo]) -> Iterator[Edit]:
    """Brackets around the exceptions of ``except A, B:``, the first in the place of the blank before them."""
    end = ends(tokens)
    depth, commas = 0, False
    for token in tokens[1:end]:
        depth += (token.string in _OPENING) - (token.string in _CLOSING)
        commas = commas or (token.string == "," and depth == 0)
    if commas:
        before = tokens[1] if tokens[1].string == "*" else tokens[0]
        yield Edit(before.end, (before.end[0], before.end[1] + 1), "(")
        yield Edit(tokens[end - 1].end, tokens[end - 1].end, ")")


def ends(tokens: list[tokenize.TokenInfo]) -> int:
    """The number of the colon that ends the head of a statement."""
    depth = 0
    for number, token in enumerate(tokens):
        depth += (token.string in _OPENING) - (token.string in _CLOSING)
        if token.string == ":" and depth == 0:
            return number
    return len(tokens) - 1
