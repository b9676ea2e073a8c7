"""What goes through all that it is given: ``set(query)``, ``max(rows, key=work)``, ``names.extend(query)``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..functions.special_methods import ask
from ..values import CONSTANT, FUNCTION, NAMED, OBJECT, PARTIAL, QUERY, UNKNOWN, Value
from ..waiting import wait_for_each
from .applied import APPLIED, laid_by, made_by, sort_by_key
from .selects import ENUMERATED, ZIPPED

if TYPE_CHECKING:
    from .call import Call
    from .evaluate import Evaluation

_ALL = frozenset(f"builtins.{name}" for name in ("all", "any", "dict", "frozenset", "set", "sum"))
_LARGEST = frozenset({"builtins.max", "builtins.min"})
_ASKED = {"builtins.bool": ("__bool__", "__len__"), "builtins.len": ("__len__",)}
_METHODS = frozenset({"extend", "join", "update"})
_GO_THROUGH = _ALL | _LARGEST | frozenset(f"builtins.{name}" for name in ("list", "next", "sorted", "tuple"))
_LAZY = frozenset({APPLIED, ENUMERATED, "generated", OBJECT, QUERY, ZIPPED})
"""What has done nothing yet."""


def exhaust(ev: Evaluation, value: Value, node: ast.expr) -> Value:
    """All that is still to be done for the items is done; what is left of them."""
    item = wait_for_each(ev, value, node) if value.kind in _LAZY else UNKNOWN
    return made_by(item) if value.kind == APPLIED else value


def goes_through(function: Value, node: ast.Call) -> bool:
    """Whether a call goes through the one thing that it is given: ``any(…)``, ``next(…)``, ``", ".join(…)``."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr in _METHODS
    return function.kind == NAMED and function.name in _GO_THROUGH


def go_through_by_function(ev: Evaluation, name: str, call: Call) -> None:
    """``set(query)``, ``sum(map(work, rows))``; ``max(first, second)`` of two goes through neither."""
    if name in _ASKED and len(call.positional) == 1:
        ask(ev, call.positional[0], call.node, *_ASKED[name])
    if call.positional and (name in _ALL or (name in _LARGEST and len(call.node.args) == 1)):
        given = call.positional[0]
        exhaust(ev, given, call.node)
        sort_by_key(ev, call, ev.item_of(given, call.node) if given.kind not in _LAZY else UNKNOWN)


def go_through_by_method(ev: Evaluation, call: Call) -> None:
    """``names.extend(query)``, ``", ".join(map(work, rows))``, ``rows.sort(key=work)``."""
    method = call.node.func.attr if isinstance(call.node.func, ast.Attribute) else ""
    if method in _METHODS and len(call.positional) == 1:
        exhaust(ev, call.positional[0], call.node)
    elif method == "sort":
        sort_by_key(ev, call, UNKNOWN)


def filtered(ev: Evaluation, call: Call) -> Value:
    """``filter(is_ours, rows)``: work to be done for whoever goes through it; UNKNOWN for what is not seen."""
    function = call.positional[0] if call.positional else UNKNOWN
    target = ev.world.target(function) if function.kind == FUNCTION else None
    is_seen = target is not None and not target.is_async and not target.is_generator
    if is_seen or function.kind == PARTIAL:
        return laid_by(call)
    rows = call.positional[1] if len(call.positional) == 2 else UNKNOWN
    return rows if function.kind == CONSTANT and rows.kind == QUERY else UNKNOWN
