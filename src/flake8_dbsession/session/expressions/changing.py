"""What changes rows without asking their session: what is done to a row, and to what is reached through one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..functions.lending import pass_on, reads
from ..state import CHANGED, TOUCHED
from ..syntax import MUTATORS, first_of
from ..values import FUNCTION, ROW, ROWS, Resource, Value

if TYPE_CHECKING:
    from .call import Call
    from .evaluate import Evaluation

_DEEPEST = 3
"""So many methods of a row are followed, one called by the other."""
_TELLING = frozenset({"as", "copy", "dict", "format", "json", "model", "serialize", "to"})
"""First words of methods that give what a row holds in another form."""


def change_below(ev: Evaluation, owner: ast.expr) -> None:
    """``owner.name = …``, ``owner["key"] = …``: a change that waits for a commit, where a row leads there."""
    resource = row_below(ev, owner)
    if resource is not None:
        ev.now.mark(resource, CHANGED)


def change_by_method(ev: Evaluation, function: Value, node: ast.Call) -> None:
    """``plant.tags.append(tag)`` changes a row, ``plant.rename(name)`` does where the method sets something."""
    if not isinstance(node.func, ast.Attribute):
        return
    owner = node.func.value
    resource = row_below(ev, owner)
    if resource is None:
        return
    if not isinstance(owner, ast.Name):
        mark = CHANGED if node.func.attr in MUTATORS else 0
    elif ev.now.names[owner.id].kind != ROW:
        mark = 0
    elif function.kind == FUNCTION:
        mark = CHANGED if changes_itself(ev, function) else 0
    else:
        mark = 0 if tells(node.func.attr) else TOUCHED
    if mark:
        ev.now.mark(resource, mark)


def touch(ev: Evaluation, call: Call) -> None:
    """Rows that are passed to what cannot be seen may be changed there, unless its name says that it reads."""
    name = call.node.func.attr if isinstance(call.node.func, ast.Attribute) else getattr(call.node.func, "id", "")
    for value in call.values:
        if value.kind in (ROW, ROWS) and value.resource is not None and not tells(name):
            ev.now.mark(value.resource, TOUCHED)


def borrow(ev: Evaluation, call: Call, returned: Value) -> Value:
    """A function of the project that is too deep or recursive: it borrows what it gets."""
    touch(ev, call)
    pass_on(ev, call)
    ev.now.may_raise()
    return returned


def tells(name: str) -> bool:
    """Whether the name of a method or function says that it only reads: ``get_name``, ``to_dict``."""
    return reads(name) or name.strip("_").split("_")[0] in _TELLING


def changes_itself(ev: Evaluation, method: Value, depth: int = _DEEPEST) -> bool:
    """Whether a method of a row's class sets anything on the row, by itself or by other methods of it."""
    target = ev.world.target(method)
    if target is None or not depth:
        return True
    if target.changes_itself:
        return True
    others = (ev.world.attribute(method.extra[0], name) for name in target.asks_itself)
    return any(other.kind == FUNCTION and changes_itself(ev, other, depth - 1) for other in others)


def row_below(ev: Evaluation, node: ast.expr) -> Resource | None:
    """The session of the row that a chain begins with: ``plant`` of ``plant.bed.tags["new"]``."""
    value = ev.now.names.get(first_of(node))
    return value.resource if value is not None and value.kind in (ROW, ROWS) else None
