"""Session classes of a project: their objects are sessions, and some roll back by themselves where a commit fails."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...session.values import FACTORY, OWN_CLASS, PARAMETER, SESSION, Resource, Value
from ..modules.module import ClassInfo

if TYPE_CHECKING:
    from ...names import Function
    from ..project import Project

_SESSIONS = (b"Session", b"AsyncSession")
_ALL = frozenset({"Exception", "BaseException", "SQLAlchemyError"})


def as_session(project: Project, owner: Value, me: str) -> Value:
    """What ``self`` is in a method of the class of ``owner``: the session itself where it is a class of sessions."""
    made = project.value(owner.name)
    if made.kind != FACTORY or OWN_CLASS not in dict(made.extra):
        return owner
    return Value(SESSION, owner.name, Resource(PARAMETER, me, made.name))


def packages_that_roll_back(project: Project) -> frozenset[str]:
    """The packages of the project, by the first part of their names, that have such a class outside of tests."""
    paths = {path for base in _SESSIONS for path in project.app.extending(base)}
    modules = (project.modules.at(path) for path in sorted(paths) if not project.config.is_test(path))
    classes = (info for module in modules if module is not None for info in module.classes.values())
    return frozenset(info.qualified.partition(".")[0] for info in classes if rolls_back(project, info))


def rolls_back(project: Project, info: ClassInfo) -> bool:
    """Whether a class is a session whose ``commit()`` leaves it never failed."""
    known = project.known
    is_session = any(known.sqlalchemy_type(base) in ("Session", "AsyncSession") for base in info.bases)
    commit = info.methods.get("commit")
    return is_session and commit is not None and is_guarded(commit)


def is_guarded(commit: Function) -> bool:
    """``try: return super().commit()``, with a handler of everything in which the session rolls itself back."""
    attempts = (node for node in ast.walk(commit) if isinstance(node, ast.Try))
    return any(
        calls(attempt.body, "super().commit")
        and any(takes_all(handler) and calls(handler.body, "self.rollback") for handler in attempt.handlers)
        for attempt in attempts
    )


def takes_all(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or ast.unparse(handler.type).rpartition(".")[2] in _ALL


def calls(statements: list[ast.stmt], wanted: str) -> bool:
    """Whether something is called, by how it is written."""
    parts = (part for statement in statements for part in ast.walk(statement) if isinstance(part, ast.Call))
    return any(ast.unparse(part.func) == wanted for part in parts)
