"""What a function that is defined inside the caller reaches through the caller's objects.

``async def one(row): await self.store.find(row)``: the session that ``self.store`` keeps, as the caller knows it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..expressions.attributes import of_another
from ..locked import is_called_like_a_lock
from ..syntax import first_of
from ..values import FUNCTION, OBJECT, SESSION, UNKNOWN, Value

if TYPE_CHECKING:
    from ..expressions.evaluate import Evaluation


def through_objects(ev: Evaluation, function: ast.AST) -> list[Value]:
    """The sessions of objects of the caller's that a function inside it works with, unless a lock lets in one alone."""
    own = bound_in(function)
    nodes = [n for n in unlocked(ev, function) if isinstance(n, ast.Attribute) and first_of(n) not in own]
    return list(dict.fromkeys(session for node in nodes for session in sessions_at(ev, node)))


def bound_in(function: ast.AST) -> set[str]:
    """The names that the function binds itself: its parameters and what it assigns to."""
    nodes = list(ast.walk(function))
    names = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    return names | {n.arg for n in nodes if isinstance(n, ast.arg)}


def unlocked(ev: Evaluation, node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it, but for the blocks that a lock of the caller keeps others out of."""
    yield node
    is_locked = isinstance(node, (ast.With, ast.AsyncWith)) and any(is_lock(ev, i.context_expr) for i in node.items)
    if not is_locked:
        for child in ast.iter_child_nodes(node):
            yield from unlocked(ev, child)


def is_lock(ev: Evaluation, node: ast.expr) -> bool:
    """Whether something lets in one alone, by how the caller makes it or by what it is called."""
    name = node.id if isinstance(node, ast.Name) else ""
    made = (value for target, value in ev.body.assigned() if isinstance(target, ast.Name) and target.id == name)
    return is_called_like_a_lock(node) or any(map(makes_lock, made))


def makes_lock(value: ast.expr) -> bool:
    """``asyncio.Lock()``, ``Semaphore(1)``."""
    match value:
        case ast.Call(
            func=ast.Attribute(attr=made) | ast.Name(id=made), args=[] | [ast.Constant(value=1)], keywords=[]
        ):
            return made in ("Lock", "RLock") or made.endswith("Semaphore")
    return False


def sessions_at(ev: Evaluation, node: ast.Attribute) -> Iterator[Value]:
    """The session that an attribute of an object is, or those that a method of an object works with."""
    found = known_as(ev, node)
    if found.kind == SESSION:
        yield found
    owner = found.extra[0] if found.kind == FUNCTION and found.extra else None
    if isinstance(owner, Value) and owner.kind == OBJECT:
        for name, value in ev.world.attributes_used(found, at_once=ev.is_self(node.value)):
            if value.kind == SESSION:
                yield given(owner, name, node) or (value if ev.is_own(node.value) else of_another(node.value, value))


def known_as(ev: Evaluation, node: ast.expr) -> Value:
    """What a name or a chain of attributes of objects is for the caller, without its being read now."""
    if isinstance(node, ast.Name):
        return ev.now.names.get(node.id, UNKNOWN)
    owner = known_as(ev, node.value) if isinstance(node, ast.Attribute) else UNKNOWN
    if not isinstance(node, ast.Attribute) or owner.kind != OBJECT:
        return UNKNOWN
    set_here = ev.now.names.get(f"self.{node.attr}") if ev.is_self(node.value) else None
    if set_here is not None:
        return set_here
    value = given(owner, node.attr, node) or ev.world.attribute(owner, node.attr)
    return value if ev.is_own(node.value) else of_another(node.value, value)


def given(owner: Value, attribute: str, node: ast.Attribute) -> Value | None:
    """What the constructor of an object was given to keep, where the caller itself has made the object."""
    if not isinstance(node.value, ast.Name):
        return None
    pairs = (pair for pair in owner.extra if isinstance(pair, tuple) and len(pair) == 2)
    return next((value for name, value in pairs if name == attribute and isinstance(value, Value)), None)
