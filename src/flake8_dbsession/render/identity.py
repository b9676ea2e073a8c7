"""What makes a report the same report after the file around it has changed: its content, never its line number."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..model import Diagnostic
from . import Report
from .paths import relative


class Identity(NamedTuple):
    """``function`` is the dotted name around the report; ``text`` the line it starts on, with single blanks."""

    path: str
    code: str
    function: str
    text: str


def identity(diagnostic: Diagnostic, lines: Sequence[str], root: str = "") -> Identity:
    """Which report this is; ``lines`` are those of its file, ``root`` is where paths start from."""
    row = diagnostic.span.line
    text = " ".join(lines[row - 1].split()) if 0 < row <= len(lines) else ""
    return Identity(relative(diagnostic.path, root), diagnostic.code, diagnostic.function, text)


def fingerprints(report: Report) -> list[str]:
    """A hexadecimal digest for each diagnostic, in order; reports that look alike are told apart by their order."""
    return numbered(identity(d, report.lines(d.path), report.root) for d in report.diagnostics)


def numbered(identities: Iterable[Identity]) -> list[str]:
    """A digest for each identity and the number of times that it has come before."""
    seen: Counter[Identity] = Counter()
    digests = []
    for one in identities:
        text = "\0".join((*one, str(seen[one])))
        digests.append(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32])
        seen[one] += 1
    return digests
