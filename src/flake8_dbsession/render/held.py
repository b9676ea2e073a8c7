"""The picture behind a report: on which lines of the file the connection is held, and what happens meanwhile.

Reports tell their story in sentences; this is the one place that reads them back, so that the pictures in the
terminal and in the browser agree.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..model import Diagnostic, Note

REACH = 12
"""How many lines below the last mark a picture may show to reach the end of the function."""


class Kind(enum.Enum):
    """What happens on a marked line."""

    OPENED = "opened"
    TAKEN = "taken"
    WAIT = "wait"
    MISSED = "missed"  # a release that some ways do not pass
    LOST = "lost"
    REPORT = "report"
    STEP = "step"


class Mark(NamedTuple):
    """Something that happens on a line of the reported file (1-based)."""

    line: int
    kind: Kind
    sentence: str


class Held(NamedTuple):
    """A connection from its taking to its end, as lines of the reported file.

    ``first`` to ``last`` are the lines to show. The connection is held from ``taken`` on (0: unknown, or none is)
    and surely until ``until``; ``is_lost`` says that nobody gives it back on some way out, at ``last``.
    ``elsewhere`` are the notes about other files.
    """

    first: int
    last: int
    taken: int
    until: int
    is_lost: bool
    marks: tuple[Mark, ...]
    elsewhere: tuple[Note, ...]

    def at(self, line: int) -> tuple[Mark, ...]:
        """The marks of one line."""
        return tuple(mark for mark in self.marks if mark.line == line)


_WORDS = (
    (Kind.MISSED, ("not reached", "not on every way")),
    (Kind.LOST, ("next turn", "lost", "never given back", "still checked out", "leaves the function")),
    (Kind.TAKEN, ("takes a connection", "takes the connection", "holds a connection since", "connection is taken")),
    (Kind.WAIT, ("waits", "sleeps")),
    (Kind.OPENED, ("opened here", "is opened")),
)
_LEAKS = ("ORM101", "ORM102", "ORM103", "ORM105", "ORM106")
_TAKING = ("ORM103", "ORM106")
"""Rules that report the expression that takes the connection."""


def held(diagnostic: Diagnostic, lines: Sequence[str]) -> Held:
    """The picture of a report in a file with these lines (without newlines)."""
    marks = sorted(_marks(diagnostic), key=lambda mark: mark.line)
    is_lost = diagnostic.code in _LEAKS
    taken, until = _known(diagnostic, marks)
    low, high = marks[0].line, max(until, *(mark.line for mark in marks))
    end = end_of_function(lines, low, high) if is_lost else high
    first = next((n for n in range(max(low - 2, 1), low) if n <= len(lines) and lines[n - 1].strip()), low)
    expression = min(diagnostic.span.end_line, diagnostic.span.line + REACH // 2)
    last = max(min(end, high + REACH, len(lines)), high, min(expression, len(lines)))
    elsewhere = tuple(note for note in diagnostic.notes if _is_elsewhere(note, diagnostic))
    return Held(first, last, taken, last if is_lost and taken else until, is_lost, tuple(marks), elsewhere)


def _known(diagnostic: Diagnostic, marks: Sequence[Mark]) -> tuple[int, int]:
    """From where to where the connection is surely held; a loop that keeps it does so from one end to the other."""
    if diagnostic.code == "ORM205":
        return diagnostic.span.line, diagnostic.span.end_line
    taken = next((mark.line for mark in marks if mark.kind is Kind.TAKEN), 0)
    if not taken:
        taken = diagnostic.span.line if diagnostic.code in _LEAKS else 0
    return taken, max(mark.line for mark in marks if mark.kind is Kind.WAIT or mark.line == taken) if taken else 0


def end_of_function(lines: Sequence[str], low: int, high: int) -> int:
    """The last line of the function that holds the lines ``low`` to ``high``, judged by indentation."""
    header = next((n for n in range(min(low, len(lines)), 0, -1) if _is_header(lines[n - 1], lines[low - 1])), 0)
    margin = _indent(lines[header - 1]) if header else -1
    end = high
    for number in range(high + 1, len(lines) + 1):
        if lines[number - 1].strip():
            if _indent(lines[number - 1]) <= margin:
                break
            end = number
    return end


def _marks(diagnostic: Diagnostic) -> Iterator[Mark]:
    for note in diagnostic.notes:
        if not _is_elsewhere(note, diagnostic):
            yield Mark(note.span.line, kind_of(note.sentence), note.sentence)
    yield Mark(diagnostic.span.line, _kind_of_report(diagnostic), diagnostic.message)


def _kind_of_report(diagnostic: Diagnostic) -> Kind:
    if diagnostic.code.startswith("ORM2"):
        return Kind.WAIT
    if diagnostic.code in _TAKING:
        return Kind.TAKEN
    return Kind.OPENED if diagnostic.code in _LEAKS else Kind.REPORT


def kind_of(sentence: str) -> Kind:
    """What a note is about, by its words."""
    return next((kind for kind, words in _WORDS if any(word in sentence for word in words)), Kind.STEP)


def _is_elsewhere(note: Note, diagnostic: Diagnostic) -> bool:
    return bool(note.path) and note.path != diagnostic.path


def _is_header(line: str, inner: str) -> bool:
    return line.lstrip().startswith(("def ", "async def ")) and _indent(line) < _indent(inner)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
