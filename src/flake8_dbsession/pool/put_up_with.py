"""What may fail as an application starts, and then the start goes on without it."""

from __future__ import annotations

import ast

from ..project.modules.module import Module
from ..project.project import Project
from ..session.body import Body

_WHATEVER = frozenset({"Exception", "BaseException", "SQLAlchemyError", "DBAPIError", "OperationalError"})
"""What is raised where a server is away, and what it is caught by."""


def is_put_up_with(project: Project, module: Module, body: Body, line: int) -> bool:
    """Whether the function goes on where the database does not answer at ``line``: a ``try`` around it says so."""
    around = (block for block in body.own(ast.Try) if block.lineno < line <= (block.body[-1].end_lineno or 0))
    return any(takes(handler) and goes_on(project, module, handler) for block in around for handler in block.handlers)


def takes(handler: ast.ExceptHandler) -> bool:
    """Whether the handler hears that a server is away: ``except Exception``, ``except (OSError, SQLAlchemyError)``."""
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(each is None or ast.unparse(each).rpartition(".")[2] in _WHATEVER for each in types)


def goes_on(project: Project, module: Module, handler: ast.ExceptHandler) -> bool:
    """Whether the handler neither raises nor ends the process."""
    parts = list(ast.walk(handler))
    called = (module.names.resolve(part.func) for part in parts if isinstance(part, ast.Call))
    ends = any(name in project.known.conventions.never_returns for name in called)
    return not ends and not any(isinstance(part, ast.Raise) for part in parts)
