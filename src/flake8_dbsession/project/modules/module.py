"""One module of the project: its functions and classes, and what it sets."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property

from ...names import Function, Names, dotted, imports_of
from ...session.body import Body, of_lambda
from ...source import Source


class ClassInfo:
    """One class: its bases as dotted names (None where they cannot be resolved) and its methods."""

    def __init__(self, module: Module, name: str, node: ast.ClassDef) -> None:
        self.module = module
        self.name = name
        self.node = node
        self.methods: dict[str, Function] = {}
        self.values: dict[str, ast.expr] = {}
        self.annotations: dict[str, ast.expr] = {}
        for statement in node.body:
            match statement:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self.methods.setdefault(statement.name, statement)
                case ast.Assign(targets=[ast.Name(id=target)]):
                    self.values[target] = statement.value
                case ast.AnnAssign(target=ast.Name(id=target)):
                    self.annotations[target] = statement.annotation
                    if statement.value is not None:
                        self.values[target] = statement.value

    @property
    def qualified(self) -> str:
        return f"{self.module.name}.{self.name}".strip(".")

    @cached_property
    def bases(self) -> list[str]:
        """As dotted names; one that nothing here binds may have come with ``import *``."""
        names = self.module.names
        written = [b.value if isinstance(b, ast.Subscript) else b for b in self.node.bases]
        return [name for base in written if (name := names.resolve(base) or starred(names, base))]

    @cached_property
    def said(self) -> dict[str, ast.expr]:
        """``self.x: Client = value`` anywhere in the class: attribute -> annotation."""
        found: dict[str, ast.expr] = {}
        for method in self.methods.values():
            me = method.args.args[0].arg if method.args.args else ""
            for node in statements_in(method):
                match node:
                    case ast.AnnAssign(target=ast.Attribute(value=ast.Name(id=owner), attr=name)) if owner == me:
                        found.setdefault(name, node.annotation)
        return found

    @cached_property
    def attribute_values(self) -> dict[str, list[tuple[ast.expr, Function]]]:
        """``self.x = value`` anywhere in the class: attribute -> (value, method), ``__init__`` first."""
        found: dict[str, list[tuple[ast.expr, Function]]] = {}
        for method in sorted(self.methods.values(), key=lambda m: m.name != "__init__"):
            me = {self.node.name, method.args.args[0].arg if method.args.args else "", *made_by_new(method)}
            for node in statements_in(method):
                if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
                    continue
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Attribute) and dotted(target.value) in me:
                        found.setdefault(target.attr, []).append((node.value, method))
        return found


def made_by_new(method: Function) -> set[str]:
    """What stands for the object in ``__new__``: ``cls._object`` after ``cls._object = super().__new__(cls)``."""
    found: set[str] = set()
    for node in statements_in(method) if method.name == "__new__" else ():
        match node:
            case ast.Assign(targets=[*targets], value=ast.Call(func=ast.Attribute(attr="__new__"))):
                found.update(filter(None, map(dotted, targets)))
    return found


def starred(names: Names, expression: ast.expr) -> str:
    """A name that can only have come with ``import *``, as if it were bound here; "" where nothing does."""
    return f"{names.module}.{expression.id}" if names.stars and isinstance(expression, ast.Name) else ""


_PROPERTIES = frozenset({"property", "cached_property"})


def is_property(method: Function) -> bool:
    names = (d.attr if isinstance(d, ast.Attribute) else getattr(d, "id", "") for d in method.decorator_list)
    return any(name in _PROPERTIES for name in names)


_EVERYTHING = {"globals", "locals"}
"""What gives a script all of its functions by name."""


def is_for_good(node: ast.AST) -> bool:
    """``while True:``."""
    return isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and bool(node.test.value)


_SIMPLE = (ast.Expr, ast.Assign, ast.Return, ast.AnnAssign, ast.AugAssign, ast.Raise, ast.Import, ast.ImportFrom)
"""Statements that hold no others, the most frequent ones."""


def statements_in(function: Function | ast.Module) -> list[ast.AST]:
    """The function and every statement inside it (with handlers and cases), the outer ones first."""
    found: list[ast.AST] = [function]
    for node in found:
        if not isinstance(node, _SIMPLE):
            for part in ("body", "handlers", "cases", "orelse", "finalbody"):
                found.extend(getattr(node, part, ()))
    return found


def whole_names(imports: Iterable[ast.Import]) -> list[str]:
    """What ``import shop.api.orders`` loads, although it binds ``shop``."""
    return [alias.name for each in imports for alias in each.names]


class Module:
    """One parsed module with its functions and classes by dotted name; ``path`` is for people, ``file`` absolute."""

    def __init__(self, name: str, path: str, source: Source, is_package: bool, file: str = "") -> None:
        self.name = name
        self.path = path
        self.file = file or path
        self.source = source
        self.is_package = is_package
        self.names = Names(source.tree, name, is_package)

    @cached_property
    def imported(self) -> frozenset[str]:
        """The modules that the file may import: what its names stand for, and what that may be a part of."""
        names = [binding.imported for binding in self.names.bindings.values() if binding.imported]
        names += whole_names(each for each in self.source.tree.body if isinstance(each, ast.Import))
        return frozenset([*names, *(name.rpartition(".")[0] for name in names), *self.names.stars])

    @cached_property
    def imported_anywhere(self) -> frozenset[str]:
        """The same, with what functions of the file import as they run."""
        imports = [each for each in statements_in(self.source.tree) if isinstance(each, (ast.Import, ast.ImportFrom))]
        names = [name for each in imports for _, name in imports_of(each, self.name, self.is_package)]
        names += whole_names(each for each in imports if isinstance(each, ast.Import))
        return self.imported.union(names, (name.rpartition(".")[0] for name in names))

    @cached_property
    def bodies(self) -> dict[str, Body]:
        """Every function of the file by its dotted name, methods and nested ones included."""
        return {body.name: body for body in self._find(self.source.tree.body, "", "")}

    @cached_property
    def stored(self) -> dict[str, list[ast.expr]]:
        """``g.db = value`` and ``Base.query = value`` anywhere in the file, by the text of the target."""
        found: dict[str, list[ast.expr]] = {}
        for node in statements_in(self.source.tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                text = dotted(node.targets[0])
                if text and text.partition(".")[0] not in ("self", "cls"):
                    found.setdefault(text, []).append(node.value)
        return found

    @cached_property
    def setters(self) -> dict[ast.expr, Body]:
        """The functions that set names of the module, ``global store; store = Store()``, by what they set them to."""
        found: dict[ast.expr, Body] = {}
        for body in self.bodies.values() if b"global " in self.source.data else ():
            declared = {name for each in body.own(ast.Global) for name in each.names}
            pairs = body.assigned() if declared else ()
            found.update({value: body for target, value in pairs if getattr(target, "id", "") in declared})
        return found

    @cached_property
    def classes(self) -> dict[str, ClassInfo]:
        found: dict[str, ClassInfo] = {}
        stack: list[tuple[str, list[ast.stmt]]] = [("", self.source.tree.body)]
        while stack:
            prefix, body = stack.pop()
            for statement in body:
                if isinstance(statement, ast.ClassDef):
                    name = f"{prefix}{statement.name}"
                    found[name] = ClassInfo(self, name, statement)
                    stack.append((f"{name}.", statement.body))
                elif isinstance(statement, (ast.If, ast.Try)):
                    stack.append((prefix, [*statement.body, *statement.orelse]))
        return found

    @cached_property
    def main(self) -> frozenset[str]:
        """The functions that the file calls once when it is run as a script; all where it looks the name up."""
        guards = [s for s in self.source.tree.body if isinstance(s, ast.If) and "__name__" in ast.unparse(s.test)]
        again = {node for guard in guards for loop in ast.walk(guard) if is_for_good(loop) for node in ast.walk(loop)}
        nodes = (node for guard in guards for node in ast.walk(guard) if node not in again)
        called = {n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        return frozenset(called | self.bodies.keys() if called & _EVERYTHING else called)

    def body_of(self, node: ast.AST) -> Body | None:
        """The body of a function node of this file, lambdas included."""
        if isinstance(node, ast.Lambda) and node not in self._by_node:
            self._by_node[node] = of_lambda(node, self.top)
        return self._by_node.get(node)

    def around(self, body: Body) -> list[Body]:
        """The functions that a function of this file stands in, the outermost first."""
        parts = body.name.split(".<locals>.")
        names = (".<locals>.".join(parts[:count]) for count in range(1, len(parts)))
        return [self.bodies[name] for name in names if name in self.bodies]

    @cached_property
    def _by_node(self) -> dict[ast.AST | None, Body]:
        return {body.node: body for body in self.bodies.values()}

    @cached_property
    def top(self) -> Body:
        """The module's own statements."""
        return Body(self.name, "", None, self.source.tree.body, is_package=self.is_package)

    def _find(
        self, statements: list[ast.stmt], prefix: str, owner: str, outermost: Body | None = None
    ) -> Iterator[Body]:
        for statement in statements:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                name = f"{prefix}{statement.name}"
                body = Body(self.name, name, statement, statement.body, owner, self.is_package, outermost)
                yield body
                yield from self._find(statement.body, f"{name}.<locals>.", "", body.outermost)
            elif isinstance(statement, ast.ClassDef):
                name = f"{prefix}{statement.name}"
                yield from self._find(statement.body, f"{name}.", name, outermost)
            elif not isinstance(statement, _SIMPLE):
                for part in ("body", "orelse", "finalbody"):
                    yield from self._find(getattr(statement, part, None) or [], prefix, owner, outermost)
                for handler in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
                    yield from self._find(handler.body, prefix, owner, outermost)
