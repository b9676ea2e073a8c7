"""Sessions that an object opens when it is first asked for them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..names import Function, is_none
from ..session.values import OPENED, SESSION, UNKNOWN, Value

if TYPE_CHECKING:
    from .project import Project


def opened_when_asked(project: Project, name: str, attribute: str) -> Value:
    """The session that one method of a project class opens where there is none yet, keeps, and gives to whoever asks.

    ``if self._session is None: self._session = make()``, ``return self._session``. UNKNOWN for anything else, also
    where several methods set the attribute, and for a connection, which is taken at once.
    """
    lineage = project.lineages.own(name)
    kept = [(info, *pair) for info in lineage for pair in info.attribute_values.get(attribute, ())]
    later = [(info, value, method) for info, value, method in kept if method.name != "__init__" and not is_none(value)]
    if len(later) != 1 or not gives(later[0][2], attribute):
        return UNKNOWN
    info, value, method = later[0]
    opened = project.classes.in_method(info, value, method) if is_behind_check(method, attribute, value) else UNKNOWN
    resource = opened.resource
    is_session = opened.kind == SESSION and resource is not None and resource.origin == OPENED
    return opened if is_session and resource is not None and not resource.is_connection else UNKNOWN


def gives(method: Function, attribute: str) -> bool:
    """Whether a method returns what the object has under the attribute."""
    returns = (node.value for node in ast.walk(method) if isinstance(node, ast.Return))
    return any(isinstance(value, ast.Attribute) and value.attr == attribute for value in returns)


def is_behind_check(method: Function, attribute: str, value: ast.expr) -> bool:
    """Whether the value is made in a branch of a condition that asks for the attribute."""
    for branch in ast.walk(method):
        if isinstance(branch, ast.If) and any(part is value for part in ast.walk(branch)):
            return any(isinstance(part, ast.Attribute) and part.attr == attribute for part in ast.walk(branch.test))
    return False
