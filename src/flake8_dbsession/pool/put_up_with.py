"""What may fail as an application starts, and then the start goes on without it."""

from __future__ import annotations

import ast

from ..project.modules.module import Module
from ..project.project import Project
from ..session.body import Body
from ..session.steps.exceptions import last_names, types_of

_TAKES = frozenset({"Exception", "BaseException", "SQLAlchemyError", "DBAPIError", "OperationalError"})
"""What catches that a server is away."""


def is_put_up_with(project: Project, module: Module, body: Body, line: int) -> bool:
    """Whether the function goes on where the database does not answer at ``line``: a ``try`` around it says so."""
    around = (block for block in body.own(ast.Try) if block.lineno < line <= (block.body[-1].end_lineno or 0))
    return any(hears(handler) and goes_on(project, module, handler) for block in around for handler in block.handlers)


def hears(handler: ast.ExceptHandler) -> bool:
    """Whether the handler hears that a server is away: ``except Exception``, ``except (OSError, SQLAlchemyError)``."""
    return handler.type is None or bool(last_names(types_of(handler)) & _TAKES)


def goes_on(project: Project, module: Module, handler: ast.ExceptHandler) -> bool:
    """Whether the handler neither raises nor ends the process."""
    parts = list(ast.walk(handler))
    called = (module.names.resolve(part.func) for part in parts if isinstance(part, ast.Call))
    ends = any(name in project.known.conventions.never_returns for name in called)
    return not ends and not any(isinstance(part, ast.Raise) for part in parts)
