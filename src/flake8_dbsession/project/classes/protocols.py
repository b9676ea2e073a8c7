"""Protocols of the project, and which classes carry one out that need not extend it: those with the same methods."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from ...names import Function
from ..modules.module import ClassInfo, is_property

_PROTOCOLS = frozenset({"typing.Protocol", "typing_extensions.Protocol"})
_LEAST = 2
"""How many names of methods and parameters make a protocol that no class meets by chance."""

Methods = dict[str, Function]


def is_protocol(info: ClassInfo | None) -> bool:
    """Whether a class only says which methods others have."""
    return info is not None and not _PROTOCOLS.isdisjoint(info.bases)


def says_nothing(statement: ast.stmt) -> bool:
    """``...``, a text, or ``pass``: what a method consists of that a protocol leaves to others."""
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return constant or isinstance(statement, ast.Pass)


def wanted(lineage: Sequence[ClassInfo]) -> Methods:
    """The methods that a protocol, given with the protocols it extends, asks for.

    What it has as a property may be an attribute elsewhere. None where they are so few and so short that a class may
    have them and be something else.
    """
    found = [item for info in filter(is_protocol, lineage) for item in info.methods.items()]
    methods = {n: method for n, method in reversed(found) if not n.startswith("__") and not is_property(method)}
    said = sum(1 + len(named(method)) for method in methods.values())
    return methods if said >= _LEAST else {}


def carries_out(lineage: Sequence[ClassInfo], methods: Methods) -> bool:
    """Whether a class, given with its bases, has all of the methods and can be asked like the protocol."""
    own = dict(item for info in reversed(lineage) for item in info.methods.items())
    return not is_protocol(lineage[0]) and all(
        name in own and can_be_asked(own[name], method) for name, method in methods.items()
    )


def can_be_asked(own: Function, method: Function) -> bool:
    """Whether a method takes what that of a protocol does, by the same names, and needs no more."""
    names, needed = named(own), named(own) - with_default(own)
    takes = named(method) <= names or own.args.kwarg is not None
    return type(own) is type(method) and takes and needed <= named(method)


def named(method: Function) -> frozenset[str]:
    """The names of the parameters, without the object's."""
    arguments = method.args
    return frozenset(a.arg for a in (*(*arguments.posonlyargs, *arguments.args)[1:], *arguments.kwonlyargs))


def with_default(method: Function) -> frozenset[str]:
    """The names of the parameters that a call may leave out."""
    arguments = method.args
    positional = [*arguments.posonlyargs, *arguments.args]
    last = positional[len(positional) - len(arguments.defaults) :]
    keywords = (a for a, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value is not None)
    return frozenset(a.arg for a in (*last, *keywords))
