"""What one function is, before any path through it is followed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from ..flow.graph import Graph, build
from ..names import Function
from .liveness import Step, steps
from .syntax import below

_EXCEPT_STAR: dict[str, type[ast.AST]] = {"TryStar": ast.Try}
"""By name, since Python 3.10 has no such node."""
_LARGE = ("graph", "steps", "own_nodes", "_by_kind", "named")
"""What is found again with little trouble, and takes more room than all else that is known of a function."""


class Body:
    """One function (or the statements of a module, ``node`` None) with its fixed facts.

    ``name`` is dotted inside the module (``Worker.run``); ``owner`` the dotted class of a method, "" otherwise.
    """

    def __init__(
        self,
        module: str,
        name: str,
        node: Function | ast.Lambda | None,
        statements: list[ast.stmt],
        owner: str = "",
        is_package: bool = False,
        outermost: Body | None = None,
    ) -> None:
        self.module = module
        self.name = name
        self.node = node
        self.statements = statements
        self.owner = owner
        self.is_package = is_package
        self.outermost: Body = outermost or self
        """The function that stands in no other function and has this one inside; itself where it is that."""

    @property
    def qualified(self) -> str:
        return f"{self.module}.{self.name}".strip(".")

    def is_inside(self, outer: Body) -> bool:
        """Whether the function is defined inside another one, however deep."""
        return self.name.startswith(f"{outer.name}.<locals>.")

    @cached_property
    def parameters(self) -> tuple[ast.arg, ...]:
        if self.node is None:
            return ()
        a = self.node.args
        extra = [x for x in (a.vararg, a.kwarg) if x]
        return (*a.posonlyargs, *a.args, *a.kwonlyargs, *extra)

    @cached_property
    def me(self) -> str:
        """What a method calls the object or class whose it is; "" in a function, and in a static method."""
        is_static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in self.decorators)
        return self.parameters[0].arg if self.owner and self.parameters and not is_static else ""

    @cached_property
    def defaults(self) -> dict[str, ast.expr]:
        """The default expression of each parameter that has one."""
        if self.node is None:
            return {}
        a = self.node.args
        positional = [*a.posonlyargs, *a.args]
        pairs = list(zip(reversed(positional), reversed(a.defaults), strict=False))
        pairs += [(arg, d) for arg, d in zip(a.kwonlyargs, a.kw_defaults, strict=False) if d is not None]
        return {arg.arg: default for arg, default in pairs}

    @cached_property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)

    @cached_property
    def decorators(self) -> list[ast.expr]:
        return self.node.decorator_list if isinstance(self.node, Function) else []

    def forget(self) -> None:
        """Let go of what is large, and found again when somebody asks: the graph, and the nodes in their order."""
        for name in _LARGE:
            self.__dict__.pop(name, None)

    @cached_property
    def graph(self) -> Graph:
        """The ways of control through the body."""
        return build(self.statements)

    @cached_property
    def steps(self) -> list[Step]:
        """The nodes of the graph with the names that they ask for."""
        return steps(self.graph)

    @cached_property
    def own_nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the body, without the insides of nested functions and classes."""
        return tuple(below(self.statements))

    @cached_property
    def _by_kind(self) -> dict[type[ast.AST], list[ast.AST]]:
        found: dict[type[ast.AST], list[ast.AST]] = {}
        for node in self.own_nodes:
            found.setdefault(_EXCEPT_STAR.get(type(node).__name__, type(node)), []).append(node)
        return found

    @cached_property
    def named(self) -> dict[str, list[ast.Name | ast.Attribute]]:
        """The own names, then attributes, by what they are called."""
        found: dict[str, list[ast.Name | ast.Attribute]] = {}
        for name in self.own(ast.Name):
            found.setdefault(name.id, []).append(name)
        for attribute in self.own(ast.Attribute):
            found.setdefault(attribute.attr, []).append(attribute)
        return found

    def own(self, *kinds: type[ast.AST]) -> list[Any]:
        """The own nodes of these classes, class by class; ``ast.Try`` stands for ``try`` with ``except*``, too."""
        return [node for kind in kinds for node in self._by_kind.get(kind, ())]

    @cached_property
    def local_names(self) -> frozenset[str]:
        """The names that belong to the function: parameters and everything it binds (less global and nonlocal)."""
        bound = {p.arg for p in self.parameters}
        bound.update(n.id for n in self.own(ast.Name) if not isinstance(n.ctx, ast.Load))
        bound.update(n.name for n in self.own(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        for imported in self.own(ast.Import, ast.ImportFrom):
            bound.update(a.asname or a.name.split(".")[0] for a in imported.names)
        bound.update(n.name for n in self.own(ast.ExceptHandler, ast.MatchAs, ast.MatchStar) if n.name)
        free = {name for declared in self.own(ast.Global, ast.Nonlocal) for name in declared.names}
        return frozenset(bound - free)

    @cached_property
    def entered_plainly(self) -> frozenset[ast.expr]:
        """The heads of the ``with`` blocks that await nothing, and what is cast in them."""
        heads = [item.context_expr for block in self.own(ast.With) for item in block.items]
        cast = [head.args[1] for head in heads if isinstance(head, ast.Call) and len(head.args) == 2]
        return frozenset((*heads, *cast))

    @cached_property
    def tested_names(self) -> frozenset[str]:
        """The names that conditions and locks look at, and the flags that are kept in attributes of one's own at which
        they look: only their constants are worth following."""
        tests = [n.test for n in self.own(ast.If, ast.While, ast.IfExp, ast.Assert)]
        tests += [v for n in self.own(ast.BoolOp) for v in n.values]
        tests += [k.value for k in self.own(ast.keyword) if k.arg == "with_for_update"]
        asked = [part for test in tests for part in ast.walk(test)]
        own = {part.attr for part in asked if isinstance(part, ast.Attribute) and self.is_me(part.value)}
        stored = [
            value.id
            for target, value in self.assigned()
            if isinstance(value, ast.Name) and isinstance(target, ast.Attribute) and target.attr in own
            if self.is_flag(value.id)
        ]
        return frozenset((*stored, *(part.id for part in asked if isinstance(part, ast.Name))))

    def is_flag(self, parameter: str) -> bool:
        """Whether a parameter is True or False where a call leaves it out."""
        default = self.defaults.get(parameter)
        return isinstance(default, ast.Constant) and isinstance(default.value, bool)

    def is_me(self, expression: ast.expr) -> bool:
        """Whether an expression is the object whose method this is."""
        return isinstance(expression, ast.Name) and bool(self.me) and expression.id == self.me

    @cached_property
    def rebound_names(self) -> frozenset[str]:
        """The names that the body binds again or falls back from (``session or make()``)."""
        names = {n.id for n in self.own(ast.Name) if isinstance(n.ctx, ast.Store)}
        for either in self.own(ast.BoolOp):
            if isinstance(either.values[0], ast.Name):
                names.add(either.values[0].id)
        for choice in self.own(ast.IfExp):
            names.update(n.id for n in ast.walk(choice.test) if isinstance(n, ast.Name))
        return frozenset(names)

    @cached_property
    def flag_names(self) -> frozenset[str]:
        """The tested names that only ever hold a constant or the outcome of a comparison."""
        plain = {p.arg for p in self.parameters if isinstance(self.defaults.get(p.arg), ast.Constant)}
        other: set[str] = set()
        for node in self.own(ast.Assign, ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {t.id for t in targets if isinstance(t, ast.Name)}
            is_plain = isinstance(node.value, (ast.Constant, ast.Compare, ast.UnaryOp, ast.BoolOp))
            (plain if is_plain else other).update(names)
        for binds in self.own(ast.For, ast.AsyncFor, ast.AugAssign):
            other.update(n.id for n in ast.walk(binds.target) if isinstance(n, ast.Name))
        return frozenset((plain - other) & self.tested_names)

    def assigned(self) -> Iterator[tuple[ast.expr, ast.expr]]:
        """Each target with what is assigned to it: ``name = value``, ``name: Type = value``."""
        for node in self.own(ast.Assign, ast.AnnAssign):
            if node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                yield from ((target, node.value) for target in targets)

    @cached_property
    def is_generator(self) -> bool:
        return bool(self.own(ast.Yield, ast.YieldFrom))


def of_lambda(node: ast.Lambda, outer: Body) -> Body:
    """A lambda inside of ``outer`` as a function that returns its expression."""
    returned = ast.copy_location(ast.Return(value=node.body), node.body)
    name = f"{outer.name}.<locals>.<lambda>" if outer.name else "<lambda>"
    outermost = outer.outermost if outer.node is not None else None
    return Body(outer.module, name, node, [returned], "", outer.is_package, outermost)
