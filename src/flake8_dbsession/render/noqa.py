"""The line on which a ``# noqa`` comment silences a report, as flake8 counts."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Sequence

_ENDS = frozenset({tokenize.ENDMARKER, tokenize.DEDENT})
_BETWEEN_LINES = frozenset({tokenize.NL, tokenize.NEWLINE})
_JOINERS = ('"""', "'''", "\\")


def noqa_rows(lines: list[str], tokens: Sequence[tokenize.TokenInfo] = ()) -> dict[int, int]:
    """Line -> the line where its ``# noqa`` belongs, for lines inside a multi-line string or before a backslash.

    Takes lines without newlines, and their tokens where somebody has them; a line that is not in the answer bears its
    own comment.
    """
    if not any(joiner in line for line in lines for joiner in _JOINERS):
        return {}
    rows: dict[int, int] = {}
    first, last = len(lines) + 1, 0
    try:
        for token in tokens or tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            if token.type in _ENDS:
                continue
            first, last = min(first, token.start[0]), max(last, token.end[0])
            if token.type in _BETWEEN_LINES:
                rows.update(dict.fromkeys(range(first, last), last))
                first, last = len(lines) + 1, 0
    except (tokenize.TokenError, SyntaxError):
        pass
    return rows
