"""One file: its bytes, its text, its tree, and the way between ``ast`` positions and ours."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple
from weakref import WeakValueDictionary

from .model import Span
from .newer import as_older


class Unreadable(Exception):
    """A file that cannot be analysed: the message is one line, ``line`` and ``column`` say where (0 when unknown)."""

    def __init__(self, path: str, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.path, self.message, self.line, self.column = path, message, line, column


class Comment(NamedTuple):
    """A comment token: ``text`` starts with ``#``."""

    line: int
    column: int
    text: str


def encoding_of(data: bytes) -> str:
    """The encoding that Python reads ``data`` with (``utf-8-sig`` where a byte order mark stands first).

    Raises ``SyntaxError`` for a cookie that names no codec or contradicts the byte order mark.
    """
    return tokenize.detect_encoding(io.BytesIO(data).readline)[0]


class Source:
    """A file, parsed when its tree is first asked for.

    ``path`` is what reports show; ``text`` is the decoded content with its own newlines. Both ``text`` and ``tree``
    raise :class:`Unreadable`: when the bytes are no text, and when the text is no Python.
    """

    def __init__(self, path: str, data: bytes, tree: ast.Module | None = None) -> None:
        self.path = path
        self.data = data
        if tree is not None:
            self.tree = tree

    @cached_property
    def tree(self) -> ast.Module:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of odd escapes and the like: somebody else's business
                return parsed(self.data, self.path)
        except SyntaxError as error:
            message = f"cannot be parsed: {error.msg}"
            raise Unreadable(self.path, message, error.lineno or 0, error.offset or 0) from None
        except ValueError as error:
            raise Unreadable(self.path, f"cannot be parsed: {error}") from None
        except (RecursionError, MemoryError):
            raise Unreadable(self.path, "cannot be parsed: nested too deeply") from None

    @classmethod
    def read(cls, path: str, at: str = "") -> Source:
        """The file at ``path`` (or ``at``, where it is shown under another name); raises :class:`Unreadable`."""
        try:
            with open(at or path, "rb") as file:
                data = file.read()
        except OSError as error:
            raise Unreadable(path, f"cannot be read: {error.strerror or error}") from None
        return cls(path, data)

    @cached_property
    def encoding(self) -> str:
        try:
            return encoding_of(self.data)
        except SyntaxError as error:
            raise Unreadable(self.path, f"cannot be decoded: {error.msg}", 1) from None

    @cached_property
    def text(self) -> str:
        try:
            return self.data.decode(self.encoding)
        except (UnicodeDecodeError, LookupError) as error:
            raise Unreadable(self.path, f"cannot be decoded: {error}") from None

    @cached_property
    def lines(self) -> list[str]:
        """The text by lines as the parser counts them (form feeds do not end a line), each with its newline."""
        return io.StringIO(self.text, newline=None).readlines()

    @cached_property
    def _ascii(self) -> bool:
        return self.data.isascii()

    def column(self, line: int, byte: int) -> int:
        """The character column of a byte column that ``ast`` gives for ``line``."""
        if self._ascii or not 0 < line <= len(self.lines):
            return byte
        return len(self.lines[line - 1].encode("utf-8", "surrogatepass")[:byte].decode("utf-8", "replace"))

    def span(self, node: ast.AST) -> Span:
        """Where ``node`` (a statement, expression, handler, keyword or argument) stands."""
        line: int = node.lineno  # type: ignore[attr-defined]
        end_line: int = node.end_lineno  # type: ignore[attr-defined]
        start: int = node.col_offset  # type: ignore[attr-defined]
        end: int = node.end_col_offset  # type: ignore[attr-defined]
        if self._ascii:
            return Span(line, start, end_line, end)
        return Span(line, self.column(line, start), end_line, self.column(end_line, end))

    def segment(self, span: Span) -> str:
        """The text that stands at ``span``."""
        lines = self.lines[span.line - 1 : span.end_line]
        if not lines:
            return ""
        lines[-1] = lines[-1][: span.end_column]
        lines[0] = lines[0][span.column :]
        return "".join(lines)

    @cached_property
    def comments(self) -> tuple[Comment, ...]:
        """Every comment, in order; what stands behind a token error is left out."""
        return tuple(comments_in(tokens_of(self.lines)))


def tokens_of(lines: Iterable[str]) -> Iterator[tokenize.TokenInfo]:
    """The tokens of a text that is given by its lines, each with its newline, up to where it is broken."""
    with contextlib.suppress(tokenize.TokenError, SyntaxError):
        yield from tokenize.generate_tokens(iter(lines).__next__)


def comments_in(tokens: Iterable[tokenize.TokenInfo]) -> Iterator[Comment]:
    """The comments among the tokens of a file."""
    return (Comment(*token.start, token.string) for token in tokens if token.type == tokenize.COMMENT)


_TREES: WeakValueDictionary[tuple[str, bytes], ast.Module] = WeakValueDictionary()
"""The trees that somebody has, by the file and its text: whoever reads the same gets the same."""


def parsed(data: bytes, path: str) -> ast.Module:
    """The tree of the bytes, of whichever Python they are as far as that can be told; raises ``SyntaxError``."""
    key = (os.path.abspath(path), data)
    tree = _TREES.get(key)
    if tree is None:
        _TREES[key] = tree = _parsed_anew(data, path)
    return tree


def _parsed_anew(data: bytes, path: str) -> ast.Module:
    try:
        return ast.parse(data, path)
    except SyntaxError:
        text = data.decode(encoding_of(data), "replace")
        older = as_older(text)
        if older == text:
            raise
    return ast.parse(older, path)
