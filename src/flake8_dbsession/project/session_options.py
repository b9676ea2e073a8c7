"""What all sessions of a project are told as they are made: to write nothing before a query, or to keep their rows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .modules.module import Module

if TYPE_CHECKING:
    from .project import Project

_WORDS = (b"sessionmaker", b"Session(", b"flask_sqlalchemy")
_MAKERS = frozenset(
    {"AsyncSession", "SQLAlchemy", "Session", "async_sessionmaker", "create_session", "sessionmaker"}
    | {"sqlmodel.Session", "sqlmodel.ext.asyncio.session.AsyncSession"}
)


def flushes_before_queries(project: Project) -> bool:
    """Yes, unless every call outside of tests that makes sessions, or a factory of them, says ``autoflush=False``."""
    return not project.once(are_all_without, "autoflush")


def keeps_rows(project: Project) -> bool:
    """Whether every such call says ``expire_on_commit=False``, after which the rows of a session stay as they are."""
    return project.once(are_all_without, "expire_on_commit")


def are_all_without(project: Project, option: str) -> bool:
    """Whether there are calls outside of tests that make sessions, or factories of them, and all turn an option off."""
    if not any(project.app.files_with(option.encode())):
        return False
    paths = (path for path in project.app.files_with(*_WORDS) if not project.config.is_test(path))
    modules = filter(None, map(project.modules.at, paths))
    told = [is_without(call, option) for module in modules for call in makers(project, module)]
    return bool(told) and all(told)


def makers(project: Project, module: Module) -> Iterator[ast.Call]:
    """The calls of a module that make sessions, or factories of them: ``Session(engine)``, ``sessionmaker(engine)``."""
    for body in (module.top, *module.bodies.values()):
        for call in body.own(ast.Call):
            name = module.names.resolve(call.func)
            if name is not None and project.known.sqlalchemy_type(name) in _MAKERS:
                yield call


def is_without(call: ast.Call, option: str) -> bool:
    """``sessionmaker(autoflush=False)``."""
    told = (word.value for word in call.keywords if word.arg == option)
    return any(isinstance(value, ast.Constant) and value.value is False for value in told)
