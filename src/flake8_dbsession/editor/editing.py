"""What an editor can change about a report in a buffer that may not be saved: its fix, all safe fixes, a comment."""

from __future__ import annotations

import io
from functools import cached_property

from .. import run
from ..config import Config
from ..model import Diagnostic, Safety, Span
from ..render import Edit
from ..render.noqa import noqa_rows
from ..source import Unreadable, encoding_of


class Buffer:
    """The text of a file as an editor shows it, and the bytes that saving it would write."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @classmethod
    def read(cls, path: str) -> Buffer:
        """The buffer of a file on the disk; empty when it cannot be read."""
        try:
            with open(path, encoding="utf-8", errors="replace", newline="") as file:
                return cls(path, file.read())
        except OSError:
            return cls(path, "")

    @cached_property
    def data(self) -> bytes:
        data = self.text.encode("utf-8", "surrogatepass")
        try:
            encoding = encoding_of(data)
            return data if encoding in ("utf-8", "utf-8-sig") else self.text.encode(encoding)
        except (SyntaxError, UnicodeEncodeError, LookupError):
            return data

    def decoded(self, data: bytes) -> str:
        """Other bytes of the same file as text."""
        if data == self.data:
            return self.text
        encoding = encoding_of(data)
        return data.decode("utf-8" if encoding == "utf-8-sig" else encoding)

    @cached_property
    def lines(self) -> list[str]:
        """The lines with their newlines, as editors and Python count them."""
        return io.StringIO(self.text, newline="").readlines()

    def line(self, number: int) -> str:
        """The line with a 1-based number; "" beyond the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


def fix_of(buffer: Buffer, diagnostic: Diagnostic) -> tuple[Edit, ...]:
    """The edits of a report's own fix; none where there is none, or only one to look at."""
    plan = diagnostic.plan
    if plan is None or plan.safety is Safety.DISPLAY:
        return ()
    from ..fix.carry_out import carry_out

    return _edits(buffer, carry_out(buffer.data, buffer.path, [plan], noqa="ORM").data)


def fix_all(buffer: Buffer, config: Config) -> tuple[Edit, ...]:
    """The edits of all safe fixes, round after round."""
    from ..fix.loop import fix

    def analyse(data: bytes, path: str) -> list[Diagnostic]:
        outcome = run.check_text(path, data, config)
        if outcome.problem is not None:
            raise Unreadable(path, outcome.problem.message, outcome.problem.line, outcome.problem.column)
        return list(outcome.diagnostics)

    try:
        return _edits(buffer, fix(buffer.data, buffer.path, analyse, unsafe=False).data)
    except Unreadable:
        return ()


def silence(buffer: Buffer, diagnostic: Diagnostic) -> Edit | None:
    """The edit that adds a ``# noqa`` comment; None where the line has one already."""
    row = diagnostic.span.line
    row = noqa_rows([line.rstrip("\r\n") for line in buffer.lines]).get(row, row)
    line = buffer.line(row).rstrip("\r\n")
    if "noqa" in line.lower():
        return None
    column = len(line.rstrip())
    return Edit(Span(row, column, row, len(line)), f"  # noqa: {diagnostic.code}")


def _edits(buffer: Buffer, data: bytes) -> tuple[Edit, ...]:
    from ..fix.edits import edits

    return tuple(Edit(edit.span, edit.text) for edit in edits(buffer.text, buffer.decoded(data)))
