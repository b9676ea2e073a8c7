"""What one function is, before any path through it is followed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from ..names import Function


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
    ) -> None:
        self.module = module
        self.name = name
        self.node = node
        self.statements = statements
        self.owner = owner
        self.is_package = is_package

    @property
    def qualified(self) -> str:
        return f"{self.module}.{self.name}".strip(".")

    @cached_property
    def parameters(self) -> tuple[ast.arg, ...]:
        if self.node is None:
            return ()
        a = self.node.args
        extra = [x for x in (a.vararg, a.kwarg) if x]
        return (*a.posonlyargs, *a.args, *a.kwonlyargs, *extra)

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

    @cached_property
    def own_nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the body, without the insides of nested functions and classes."""
        return tuple(own_nodes(self.statements))

    @cached_property
    def local_names(self) -> frozenset[str]:
        """The names that belong to the function: parameters and everything it binds (less global and nonlocal)."""
        bound = {p.arg for p in self.parameters}
        free: set[str] = set()
        for node in self.own_nodes:
            match node:
                case ast.Name(ctx=ast.Store() | ast.Del()):
                    bound.add(node.id)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    bound.add(node.name)
                case ast.Import() | ast.ImportFrom():
                    bound.update(a.asname or a.name.split(".")[0] for a in node.names)
                case ast.ExceptHandler(name=str(name)):
                    bound.add(name)
                case ast.Global() | ast.Nonlocal():
                    free.update(node.names)
                case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    bound.add(name)
        return frozenset(bound - free)

    @cached_property
    def tested_names(self) -> frozenset[str]:
        """The names that conditions look at: only their constants are worth following."""
        tests = [n.test for n in self.own_nodes if isinstance(n, (ast.If, ast.While, ast.IfExp, ast.Assert))]
        tests += [v for n in self.own_nodes if isinstance(n, ast.BoolOp) for v in n.values]
        return frozenset(n.id for test in tests for n in ast.walk(test) if isinstance(n, ast.Name))

    @cached_property
    def flag_names(self) -> frozenset[str]:
        """The tested names that only ever hold a constant or the outcome of a comparison."""
        plain = {p.arg for p in self.parameters if isinstance(self.defaults.get(p.arg), ast.Constant)}
        other: set[str] = set()
        for node in self.own_nodes:
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = {t.id for t in targets if isinstance(t, ast.Name)}
                is_plain = isinstance(node.value, (ast.Constant, ast.Compare, ast.UnaryOp, ast.BoolOp))
                (plain if is_plain else other).update(names)
            elif isinstance(node, (ast.For, ast.AsyncFor, ast.AugAssign)):
                other.update(n.id for n in ast.walk(node.target) if isinstance(n, ast.Name))
        return frozenset((plain - other) & self.tested_names)

    @cached_property
    def is_generator(self) -> bool:
        return any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in self.own_nodes)


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def own_nodes(statements: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes below ``statements``; nested functions, classes and lambdas appear but are not entered."""
    stack: list[ast.AST] = list(reversed(statements))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, _SCOPES):
            stack.extend(getattr(node, "decorator_list", ()))
            continue
        stack.extend(ast.iter_child_nodes(node))
