"""What a variable or attribute is by its name alone: ``SessionLocal``, ``ScopedSession``, ``state.session_factory``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...names import dotted
from ...session.body import Body
from ...session.values import AMBIENT, FACTORY, REGISTRY, UNKNOWN, Resource, Value

if TYPE_CHECKING:
    from ..project import Project

_LIBRARIES = (b"sqlalchemy", b"sqlmodel")


def called(project: Project, body: Body, name: str) -> Value:
    """The factory or registry that a variable of a function is by its name; UNKNOWN for any other."""
    if name in project.known.conventions.registries:
        return Value(REGISTRY, name, Resource(AMBIENT, name, "Session", flavour="scoped"))
    return factory(project, body, name, name)


def attribute_called(project: Project, body: Body, node: ast.Attribute) -> Value:
    """The factory that an attribute of something unseen is by its name, in a file that speaks of SQLAlchemy."""
    is_told = speaks_of_sessions(project, body)
    return factory(project, body, node.attr, dotted(node) or "") if is_told else UNKNOWN


def factory(project: Project, body: Body, name: str, text: str) -> Value:
    """A factory by its name. One of either kind gives async sessions where a coroutine enters them as such."""
    is_factory = project.known.conventions.is_factory
    if is_factory(name, is_async=True):
        return Value(FACTORY, "AsyncSession")
    if not is_factory(name):
        return UNKNOWN
    if not body.is_async:
        return Value(FACTORY, "Session")
    is_entered = enters(body, text) and speaks_of_sessions(project, body)
    return Value(FACTORY, "AsyncSession") if is_entered else UNKNOWN


def enters(body: Body, text: str) -> bool:
    """``async with <text>() as session:``."""
    items = (item.context_expr for block in body.own(ast.AsyncWith) for item in block.items)
    return any(isinstance(made, ast.Call) and dotted(made.func) == text for made in items)


def speaks_of_sessions(project: Project, body: Body) -> bool:
    """Whether the file of a function names SQLAlchemy."""
    module = project.modules.find(body.module)
    return module is not None and any(library in module.source.data for library in _LIBRARIES)
