"""The numbers of a budget, each with the place it comes from."""

from __future__ import annotations

import enum
from typing import NamedTuple


class How(enum.Enum):
    """How a number is known."""

    WRITTEN = "written"
    """It stands in a file of the project."""
    DEFAULT = "default"
    """Nothing is written; the program's documented default holds."""
    VARIABLE = "by default, replaceable"
    """It is what holds unless an environment variable says otherwise."""
    CONFIGURED = "configured"
    """The user told this tool."""
    ASSUMED = "assumed"
    """A guess, named as one."""
    UNKNOWN = "unknown"


class Factor(NamedTuple):
    """One number: what it counts, how much (None: unknown), where it stands, and how it is known."""

    title: str
    number: int | None
    path: str = ""
    line: int = 0
    how: How = How.WRITTEN
    remark: str = ""

    @property
    def place(self) -> str:
        """``file:line``, or in words where there is no line."""
        if not self.path:
            return self.how.value
        return f"{self.path}:{self.line}" if self.line else self.path


class Processes(NamedTuple):
    """One service: the program, the processes of one copy and the number of copies. ``loads`` is the module whose
    application the program is told to serve, "" where that is not seen."""

    service: str
    program: str
    workers: Factor
    copies: Factor | None = None
    loads: str = ""

    @property
    def number(self) -> int | None:
        """All processes of the service; None where a factor is unknown."""
        copies = self.copies.number if self.copies else 1
        return None if self.workers.number is None or copies is None else self.workers.number * copies
