"""Sessions that an object opens when it is first asked for them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...names import Function, dotted, is_none
from ...session.values import OPENED, SESSION, UNKNOWN, Value

if TYPE_CHECKING:
    from ..modules.module import ClassInfo
    from ..project import Project


def opened_when_asked(project: Project, name: str, attribute: str) -> Value:
    """The session that one method of a project class opens where there is none yet, and keeps for whoever asks.

    ``if self._session is None: self._session = make()``, ``return self._session``, or the other methods of the class
    call it before they work with the session. UNKNOWN for anything else, also where several methods set the attribute,
    and for a connection, which is taken at once.
    """
    lineage = project.lineages.own(name)
    kept = [(info, *pair) for info in lineage for pair in info.attribute_values.get(attribute, ())]
    later = [(info, value, method) for info, value, method in kept if method.name != "__init__" and not is_none(value)]
    if len(later) != 1:
        return UNKNOWN
    info, value, method = later[0]
    is_asked = gives(method, attribute) or any(is_called_by_others(each, method) for each in lineage)
    if not is_asked or not is_behind_check(method, attribute, value):
        return UNKNOWN
    opened = project.classes.in_method(info, value, method)
    resource = opened.resource
    is_own = opened.kind == SESSION and resource is not None and resource.origin == OPENED
    return opened if is_own and resource is not None and not resource.is_connection else UNKNOWN


def is_called_by_others(info: ClassInfo, method: Function) -> bool:
    """Whether a method of the class, beside the constructor, calls the one: ``self._connect()``."""
    others = (each for each in info.methods.values() if each is not method and each.name != "__init__")
    calls = (node.func for each in others for node in ast.walk(each) if isinstance(node, ast.Call))
    return any(dotted(function) == f"self.{method.name}" for function in calls)


def gives(method: Function, attribute: str) -> bool:
    """Whether a method returns what the object has under the attribute."""
    returns = (node.value for node in ast.walk(method) if isinstance(node, ast.Return))
    return any(isinstance(value, ast.Attribute) and value.attr == attribute for value in returns)


def is_behind_check(method: Function, attribute: str, value: ast.expr) -> bool:
    """Whether the value is made in a branch of a condition that asks for the attribute, or after one that returned."""
    for branch in ast.walk(method):
        if not isinstance(branch, ast.If):
            continue
        is_in_it = any(part is value for part in ast.walk(branch))
        has_returned = isinstance(branch.body[-1], ast.Return) and branch.lineno < value.lineno
        if is_in_it or has_returned:
            return any(isinstance(part, ast.Attribute) and part.attr == attribute for part in ast.walk(branch.test))
    return False
