"""The fixes as commands for ``python -m libcst.tool codemod -x flake8_dbsession.fix.codemods.<Name> <paths>``.

For those who run their codemods with libcst already. The findings are those of ``dbsession check``, configuration and
``# noqa`` included, and the fixes are those of ``dbsession fix``.
"""

from __future__ import annotations

import argparse
import os
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import libcst as cst
from libcst.codemod import CodemodCommand, CodemodContext

from ..model import Diagnostic
from ..source import Source
from .loop import Fate, fix
from .plans import DeleteStatement, InsertFirst, ReplaceExpression, Step, WrapInFinally, WrapInWith

if TYPE_CHECKING:
    from ..config import Config


class MendAll(CodemodCommand):
    """Every fix of every rule; the commands below restrict it."""

    DESCRIPTION = "Mend every database session that can be mended."
    CODES: ClassVar[tuple[str, ...]] = ()
    """Only reports of these rules; none: of all."""
    STEPS: ClassVar[tuple[type[Step], ...]] = ()
    """Only plans with one of these steps; none: all plans."""

    def __init__(self, context: CodemodContext, unsafe_fixes: bool = False) -> None:
        super().__init__(context)
        self.unsafe_fixes = unsafe_fixes

    @staticmethod
    def add_args(arg_parser: argparse.ArgumentParser) -> None:
        """Adds the one option: the same as that of ``dbsession fix``."""
        arg_parser.add_argument(
            "--unsafe-fixes", action="store_true", help="Carry out fixes that may change what the program does as well."
        )

    def transform_module_impl(self, tree: cst.Module) -> cst.Module:
        """The module of ``tree`` after the fixes; what was refused is a warning."""
        data = tree.bytes
        path = self.context.filename or "<stdin>"
        done = fix(data, path, _analyse, unsafe=self.unsafe_fixes, wanted=self.wants)
        for verdict in done.verdicts:
            if verdict.fate is Fate.REFUSED:
                line = verdict.diagnostic.span.line
                self.warn(f"{path}:{line}: {verdict.diagnostic.code} is not mended: {verdict.reason}")
        return tree if done.data == data else cst.parse_module(done.data)

    def wants(self, diagnostic: Diagnostic) -> bool:
        """Whether the fix of a report belongs to this command."""
        steps = diagnostic.plan.steps if diagnostic.plan is not None else ()
        return (not self.CODES or diagnostic.code in self.CODES) and (
            not self.STEPS or any(isinstance(step, self.STEPS) for step in steps)
        )


class RemoveInFinally(MendAll):
    """``finally: registry.remove()`` around each unit of work."""

    DESCRIPTION = "Remove the scoped session in a finally after each unit of work (ORM103)."
    CODES = ("ORM103",)
    STEPS = (WrapInFinally,)


class CloseInFinally(MendAll):
    """``finally: session.close()`` where a ``with`` block does not fit."""

    DESCRIPTION = "Close sessions and connections in a finally (ORM101, ORM102)."
    CODES = ("ORM101", "ORM102")
    STEPS = (WrapInFinally,)


class UseWith(MendAll):
    """``with Session() as session:`` around what uses the session."""

    DESCRIPTION = "Open sessions and connections in a with block (ORM101, ORM102)."
    CODES = ("ORM101", "ORM102")
    STEPS = (WrapInWith,)


class RollbackInExcept(MendAll):
    """``session.rollback()`` first in a handler that goes on."""

    DESCRIPTION = "Roll back in a handler that swallows a database error (ORM104)."
    CODES = ("ORM104",)
    STEPS = (InsertFirst,)


class DeleteRedundantClose(MendAll):
    """No ``close()`` by hand where the framework removes the session."""

    DESCRIPTION = "Delete a close() that the framework does by itself (ORM402)."
    CODES = ("ORM402",)
    STEPS = (DeleteStatement,)


class UseFrameworkSession(MendAll):
    """``db.session`` in the place of a session made beside it."""

    DESCRIPTION = "Use the framework's session instead of one made beside it (ORM401)."
    CODES = ("ORM401",)
    STEPS = (ReplaceExpression,)


def _analyse(data: bytes, path: str) -> list[Diagnostic]:
    """What ``dbsession check`` reports for ``data`` as the file at ``path``.

    Each text gets a project of its own: what another one has learnt is about the text before.
    """
    from ..analyze import analyze
    from ..project.project import Project
    from ..suppress import suppress

    config = _config(os.path.dirname(os.path.abspath(path)))
    source = Source(path, data)
    found = [report for report in analyze(source, Project(config, config.root)) if config.selects(report.code, path)]
    return suppress(source, found).kept


@lru_cache(maxsize=1)
def _config(folder: str) -> Config:
    """The configuration for the files of ``folder``; the last one is kept, since files come folder by folder."""
    from ..settings.reading import load

    return load(folder)
