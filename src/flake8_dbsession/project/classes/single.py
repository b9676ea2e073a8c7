"""Classes of which there is one object: whoever asks again gets it, and its constructor has run long ago."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from ...names import bare, is_none
from ..modules.module import ClassInfo

_OF_PYTHON = frozenset({"builtins", "abc", "enum", "typing", "dataclasses"})
"""Modules whose metaclasses and decorators keep no object."""
_CACHES = frozenset({"functools.cache", "functools.lru_cache"})


def may_be_single(lineage: Iterable[ClassInfo]) -> bool:
    """Whether a class may give the same object each time: by ``__new__``, a metaclass or a decorator."""
    return any("__new__" in i.methods or i.node.keywords or i.node.decorator_list for i in lineage)


def makes_registry(lineage: Sequence[ClassInfo], attribute: str) -> bool:
    """Whether each object of a class makes a registry of its own, which it keeps under the attribute, and nobody else.

    What the class itself has under that name is one for all objects, and so may be what a function gives.
    """
    if may_be_single(lineage) or any(attribute in i.values or "__del__" in i.methods for i in lineage):
        return False
    kept = [(info, value) for info in lineage for value, _ in info.attribute_values.get(attribute, ())]
    made = [_is_registry(info, value) for info, value in kept if not is_none(value)]
    return bool(made) and all(made)


def _is_registry(info: ClassInfo, value: ast.expr) -> bool:
    name = info.module.names.resolve(value.func) if isinstance(value, ast.Call) else None
    return name is not None and name.startswith("sqlalchemy.") and name.endswith(".scoped_session")


def is_made_once(lineage: Iterable[ClassInfo]) -> bool:
    """Whether the constructor of a class runs once, as far as can be seen.

    By a metaclass or a decorator of the project, by a cache, or by a constructor that leaves at once where its object
    has been made before. A ``__new__`` alone does not do it: the constructor runs at each call.
    """
    return any(_keeps_its_object(info) for info in lineage)


def _keeps_its_object(info: ClassInfo) -> bool:
    makers = [keyword.value for keyword in info.node.keywords if keyword.arg == "metaclass"]
    makers += map(bare, info.node.decorator_list)
    return any(_keeps_objects(info, maker) for maker in makers) or _is_left_when_made(info)


def _keeps_objects(info: ClassInfo, maker: ast.expr) -> bool:
    name = info.module.names.resolve(maker) or ""
    if name in _CACHES or "singleton" in name.lower():
        return True
    package = name.partition(".")[0]
    return package not in _OF_PYTHON and package == info.module.name.partition(".")[0]


def _is_left_when_made(info: ClassInfo) -> bool:
    """Whether there is a ``__new__``, and a constructor that begins with ``if self.is_ready: return``, or does all that
    it does where it is not, ``if not self.is_ready: …``, and sets that there."""
    if not {"__new__", "__init__"} <= info.methods.keys():
        return False
    match [each for each in _inside(info.methods["__init__"].body) if not isinstance(each, ast.Expr)]:
        case [ast.If(test=ast.UnaryOp(op=ast.Not(), operand=ast.Attribute() as flag), orelse=[]) as check]:
            return _leaves(check) or any(_sets(statement, flag) for statement in check.body)
        case [*statements]:
            first = next((each for each in statements if isinstance(each, ast.If)), None)
            return first is not None and _leaves(first)
    return False


def _inside(statements: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a function, or of the block that all of them stand in: ``with self._lock:``."""
    told = [each for each in statements if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
    return _inside(told[0].body) if len(told) == 1 and isinstance(told[0], ast.With) else told


def _leaves(check: ast.If) -> bool:
    """``if …: return``."""
    return isinstance(check.body[-1], ast.Return)


def _sets(statement: ast.stmt, flag: ast.Attribute) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(ast.unparse(target) == ast.unparse(flag) for target in targets)
