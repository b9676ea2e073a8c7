"""Where values are stored outside of names: on objects, in mappings, where others can reach them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..functions.lending import is_continuation
from ..functions.special_methods import ask
from ..sharing.handover import register
from ..state import CHANGED, KEPT, STORED
from ..values import (
    FUNCTION,
    HANDLES,
    OBJECT,
    OPENED,
    PARAMETER,
    PARTIAL,
    ROW,
    SESSION,
    UNKNOWN,
    Value,
    contained,
    known_by,
)
from .changing import change_below

if TYPE_CHECKING:
    from ..summary import Summary
    from .evaluate import Evaluation

_CALLABLE = frozenset({FUNCTION, PARTIAL})
_ENDERS = ("close", "aclose", "__exit__", "__aexit__", "stop", "shutdown")
"""The methods by which an object closes what it keeps."""


def store_attribute(ev: Evaluation, target: ast.Attribute, value: Value) -> None:
    """``self.session = session`` keeps it on the object; an attribute of a row is a change that waits for a commit, or
    keeps the session for whoever has the row."""
    owner = ev.value(target.value)
    if owner.kind == ROW and owner.resource is not None:
        ev.now.mark(owner.resource, CHANGED)
        if value.kind == SESSION:
            store(ev, target, value)
    elif owner.kind == OBJECT and ev.is_self(target.value):
        keep(ev, target.attr, known_by(value, f"{owner.name}.{target.attr}"))
    elif value.kind == SESSION and is_closed_here(ev, target, value):
        ev.now.names[ast.unparse(target)] = value
    else:
        change_below(ev, target.value)
        store(ev, target, value)
        set_on(ev, owner, target.attr, value)


def set_on(ev: Evaluation, owner: Value, attribute: str, value: Value) -> None:
    """``client.on_message = tell``: an object of a library runs the function from now on."""
    fact = ev.world.known.setting(f"{owner.name}.{attribute}") if owner.name and value.kind in _CALLABLE else None
    if fact is not None:
        register(ev, value, fact)


def is_closed_here(ev: Evaluation, place: ast.Attribute, session: Value) -> bool:
    """Whether a middleware lays a session down for what it calls, and takes it up again, or by a name of its own, to
    close it."""
    calls = [call.func for call in ev.body.own(ast.Call)]
    closes = (f for f in calls if isinstance(f, ast.Attribute) and f.attr == "close" and f.lineno > place.lineno)
    closed = {ast.unparse(close.value) for close in closes}
    names = {ast.unparse(place), *(name for name, value in ev.now.names.items() if value == session)}
    return bool(closed & names) and any(is_continuation(ev, function) for function in calls)


def keep(ev: Evaluation, attribute: str, value: Value) -> None:
    """On the object whose method this is; a session on one path says more than None on another."""
    ev.now.meet()
    if contained(value) or not contained(ev.scope.attributes.get(attribute, UNKNOWN)):
        ev.scope.attributes[attribute] = value
    if value.kind == SESSION and value.resource is not None and value.resource.origin == OPENED:
        ev.scope.kept[value.resource] = attribute
        ev.now.mark(value.resource, KEPT)
    else:
        for resource in contained(value):
            ev.now.mark(resource, KEPT if resource.origin == PARAMETER else STORED)
    ev.now.names[f"self.{attribute}"] = value


def is_kept_by_its_object(ev: Evaluation, summary: Summary, function: Value) -> bool:
    """Whether a method has stored the session that it gives out on its object, which closes it: ``manager.close()``.

    What ``__enter__`` gives out belongs to the block.
    """
    owner = function.extra[0] if function.extra else None
    kept = summary.returned_life is not None and summary.returned_life.marks & KEPT
    if not kept or not isinstance(owner, Value) or owner.kind != OBJECT or function.name.endswith("enter__"):
        return False
    enders = (ev.world.attribute(owner, name) for name in _ENDERS)
    targets = (ev.world.target(ender) for ender in enders if ender.kind == FUNCTION)
    return any(target is not None and target.closes for target in targets)


def store_item(ev: Evaluation, target: ast.Subscript, value: Value) -> None:
    """``context["db"] = session``: nobody closes it there unless this module takes it out again under that key."""
    change_below(ev, target.value)
    if isinstance(target.value, ast.Name):
        ask(ev, ev.name(target.value.id), target, "__setitem__")
    key = target.slice
    named = isinstance(key, ast.Constant) and isinstance(key.value, str) and isinstance(target.value, ast.Name)
    if named and value.kind == SESSION and key.value not in ev.scope.taken_out:  # type: ignore[attr-defined]
        ev.now.names[ast.unparse(target)] = value
    else:
        store(ev, target, value)


def store(ev: Evaluation, target: ast.expr, value: Value) -> None:
    """Kept where others can reach it: whoever owns the place owns the session."""
    ev.now.give(value, uncertain=False)
    if contained(value):
        ev.scope.stored.append((target, value))
    if contained(value) or value.kind in HANDLES:
        ev.now.names[ast.unparse(target)] = value
