"""Registries that are removed by their names: ``getattr(sys.modules[module], name).remove()``.

Which ones they are, only the running program knows. Whoever keeps such a list has all of them in it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..body import Body
from ..values import AMBIENT

if TYPE_CHECKING:
    from .evaluate import Evaluation

_WORDS = ("session", "registry", "scoped")


def is_removal_by_name(body: Body, call: ast.Call) -> bool:
    """``session.remove()`` of a local name that ``getattr()`` has filled, called like a session or a registry."""
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="remove"), args=[], keywords=[]):
            is_called_so = any(word in name.lower() for word in _WORDS)
            return is_called_so and any(is_got_by_name(target, value, name) for target, value in body.assigned())
    return False


def is_got_by_name(target: ast.expr, value: ast.expr, name: str) -> bool:
    """``session = getattr(module, name)``"""
    match target, value:
        case ast.Name(id=bound), ast.Call(func=ast.Name(id="getattr"), args=[_, asked, *_]):
            return bound == name and not isinstance(asked, ast.Constant)
    return False


def remove_all(ev: Evaluation) -> None:
    """Every registry that is known here is removed, whatever becomes of the call; so it is for the callers."""
    ev.scope.removes_all = True
    for resource in [each for each in ev.now.lives if each.origin == AMBIENT]:
        ev.now.release(resource)
        ev.now.detach(resource)
