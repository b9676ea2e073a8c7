"""Asks for each fix whether it is wanted, and shows what it changes."""

from __future__ import annotations

from collections.abc import Callable

from ..model import Diagnostic
from .diff import text
from .loop import Stop

_QUESTION = "Apply this fix? [y]es, [n]o, [a]ll, [q]uit: "


class Interactive:
    """The ``ask`` of :func:`~.loop.fix` for a person: ``read`` asks with a prompt, ``write`` shows text.

    After "all" every fix is taken, in the files that follow too; after "quit", or at the end of the input, none.
    """

    def __init__(self, read: Callable[[str], str] = input, write: Callable[[str], object] = print) -> None:
        self._read, self._write = read, write
        self._all = False
        self.stopped = False

    def __call__(self, diagnostic: Diagnostic, before: bytes, after: bytes) -> bool:
        """Whether the fix of ``diagnostic``, from ``before`` to ``after``, is wanted; raises :class:`Stop`."""
        if self.stopped:
            raise Stop
        if self._all:
            return True
        self._show(diagnostic, before, after)
        answer = self._answer()
        if answer == "q":
            self.stopped = True
            raise Stop
        self._all = answer == "a"
        return answer in ("y", "a")

    def _show(self, diagnostic: Diagnostic, before: bytes, after: bytes) -> None:
        place = f"{diagnostic.path}:{diagnostic.span.line}:{diagnostic.span.column + 1}"
        self._write(f"{place}: {diagnostic.code} {diagnostic.message}")
        if diagnostic.plan is not None:
            reason = f" ({diagnostic.plan.reason})" if diagnostic.plan.reason else ""
            self._write(f"{diagnostic.plan.safety.value} fix: {diagnostic.plan.title}{reason}")
        self._write(text(before, after, diagnostic.path))

    def _answer(self) -> str:
        """The first letter of an answer that is one."""
        while True:
            try:
                answer = self._read(_QUESTION).strip().lower()
            except EOFError:
                return "q"
            if answer in ("y", "yes", "n", "no", "a", "all", "q", "quit"):
                return answer[0]
            self._write("please answer y, n, a or q")
