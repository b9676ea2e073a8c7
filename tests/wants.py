"""What the comments of a fixture say must be reported."""

from __future__ import annotations

import pathlib
import re
from typing import NamedTuple

from flake8_dbsession.source import Source

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"

_WORDS = ("want", "known-miss", "known-false")
_COMMENT = re.compile(r"#\s*(want|known-miss|known-false)\s+(.*)$")
_ITEM = re.compile(r'(ORM\d{3})(?:\s+"([^"]*)")?\s*')


class Want(NamedTuple):
    """One expected report; ``kind`` is "want", "known-miss" or "known-false"."""

    line: int
    code: str
    text: str
    kind: str


def fixture_files() -> list[pathlib.Path]:
    """Every file of fixtures that is analysed (golden files and proofs are not), in order."""
    return [
        path
        for path in sorted(FIXTURES.rglob("*.py"))
        if not path.name.endswith(".fixed.py") and path.name != "proof.py"
    ]


def case_of(path: pathlib.Path) -> pathlib.Path:
    """The folder of the case that the fixture at ``path`` belongs to: its rule, its program, or all references."""
    parts = path.relative_to(FIXTURES).parts[:-1]
    return FIXTURES.joinpath(*parts[: 1 if parts[0] == "reference" else 2])


def wants(source: Source) -> list[Want]:
    """The expected reports of ``source``; raises ValueError for a comment that cannot be read."""
    return [want for comment in source.comments for want in _in_comment(comment.line, comment.text)]


def _in_comment(line: int, text: str) -> list[Want]:
    match = _COMMENT.match(text)
    if match is None:
        if any(text.lstrip("# ").startswith(word + " ORM") for word in _WORDS):
            raise ValueError(f"line {line}: cannot be read: {text}")
        return []
    kind, rest = match.groups()
    items = _ITEM.findall(rest)
    if not items or _ITEM.sub("", rest).strip():
        raise ValueError(f"line {line}: cannot be read: {text}")
    return [Want(line, code, message, kind) for code, message in items]


def without_wants(source: Source) -> bytes:
    """The file without the comments that say what to expect; no other character changes."""
    lines = source.text.splitlines(keepends=True)
    for comment in source.comments:
        if _COMMENT.match(comment.text):
            line = lines[comment.line - 1]
            ending = line[len(line.rstrip("\r\n")) :]
            lines[comment.line - 1] = line[: comment.column].rstrip() + ending
    return "".join(lines).encode()
