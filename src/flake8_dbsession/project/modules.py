"""Modules of the project: which file a dotted name is in, and what stands in it."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from functools import cached_property

from ..files.reading import bytes_of
from ..names import Function, Names, dotted
from ..session.body import Body, of_lambda
from ..source import Source, Unreadable
from .roots import root_of


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
        resolved = (self.module.names.resolve(b.value if isinstance(b, ast.Subscript) else b) for b in self.node.bases)
        return [base for base in resolved if base]

    @cached_property
    def attribute_values(self) -> dict[str, list[tuple[ast.expr, Function]]]:
        """``self.x = value`` anywhere in the class: attribute -> (value, method), ``__init__`` first."""
        found: dict[str, list[tuple[ast.expr, Function]]] = {}
        for method in sorted(self.methods.values(), key=lambda m: m.name != "__init__"):
            me = {self.node.name, method.args.args[0].arg if method.args.args else ""}
            for node in statements_in(method):
                if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
                    continue
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if (
                        isinstance(target, ast.Attribute)
                        and isinstance(target.value, ast.Name)
                        and target.value.id in me
                    ):
                        found.setdefault(target.attr, []).append((node.value, method))
        return found


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


class Module:
    """One parsed module with its functions and classes by dotted name."""

    def __init__(self, name: str, path: str, source: Source, is_package: bool) -> None:
        self.name = name
        self.path = path
        self.source = source
        self.is_package = is_package
        self.names = Names(source.tree, name, is_package)

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

    def body_of(self, node: ast.AST) -> Body | None:
        """The body of a function node of this file, lambdas included."""
        if isinstance(node, ast.Lambda) and node not in self._by_node:
            self._by_node[node] = of_lambda(node, self.top)
        return self._by_node.get(node)

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


class Modules:
    """First-party modules by dotted name, read when first asked.

    ``roots`` are the folders that imports start from: the configured source roots and, for each file that is
    analysed, the folder above its outermost package. Where two of them have a package of the same name, each file gets
    that of its own: ``forget`` is called as the next file starts from another one.
    """

    def __init__(self, root: str, src: tuple[str, ...], forget: Callable[[], None] = lambda: None) -> None:
        self.root = root
        self.roots: list[str] = []
        self._forget = forget
        self._start = ""
        self._tops: dict[str, frozenset[str]] = {}
        for folder in src:
            self.add_root(os.path.normpath(os.path.join(root, folder)))
        self._modules: dict[str, Module | None] = {}
        self._by_path: dict[str, Module] = {}
        self._splits: dict[str, tuple[Module | None, str]] = {}
        self._files: dict[str, frozenset[str]] = {}
        self._is_ours: dict[tuple[str, int], bool] = {}
        self._analysed: set[str] = set()
        """The top packages of the files that are analysed: a file can have a name that no import leads to."""

    def take_over(self, others: Modules, without: str) -> None:
        """Take what another project has read and parsed, but for the file at ``without``."""
        gone = os.path.abspath(without)
        self._by_path.update((path, module) for path, module in others._by_path.items() if path != gone)

    def add_root(self, folder: str) -> None:
        if folder not in self.roots and os.path.isdir(folder):
            self.roots.append(folder)

    def bytes_at(self, path: str) -> bytes:
        """The bytes of a file: those that are being analysed in its place, or else those on the disk."""
        known = self._by_path.get(path)
        return known.source.data if known is not None else bytes_of(path)

    def of_file(self, source: Source) -> Module:
        """The module of a file that is being analysed."""
        path = os.path.abspath(source.path)
        start = root_of(path, self.root, source.tree, self._isfile)
        if start is not None and start not in self.roots:
            self.roots.insert(0, start)
        name, folder, is_package = self.name_of(path)
        if folder != self._start and os.path.isdir(folder):
            self._start_from(folder)
        known = self._by_path.get(path)
        if known is not None and known.source.data == source.data:
            source.tree = known.source.tree
            if known.path == source.path:
                return known
        module = Module(name, source.path, source, is_package)
        if name in self._modules:  # somebody was told something else
            self._splits.clear()
        self._by_path[path] = self._modules[name] = module
        self._analysed.add(name.partition(".")[0])
        return module

    def _start_from(self, folder: str) -> None:
        """Imports look into ``folder`` first from here on."""
        self._start = folder
        tops = self._tops_of(folder)
        if any(root != folder and tops & self._tops_of(root) for root in self.roots):
            self.roots = [root for root in self.roots if root != folder]
            self._modules.clear()
            self._splits.clear()
            self._forget()
        if folder not in self.roots:
            self.roots.insert(0, folder)

    def _tops_of(self, folder: str) -> frozenset[str]:
        """The packages and modules that can be imported by their bare name where imports start from ``folder``."""
        if folder not in self._tops:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(".py") or entry.is_dir()]
            self._tops[folder] = frozenset(name.removesuffix(".py") for name in names if not name.startswith("."))
        return self._tops[folder]

    def name_of(self, path: str) -> tuple[str, str, bool]:
        """The dotted name of a file, the folder its imports start from, and whether it is a package."""
        folder, base = os.path.split(path)
        stem = base.removesuffix(".py")
        is_package = stem == "__init__"
        parts = [] if is_package else [stem]
        while self._isfile(os.path.join(folder, "__init__.py")):
            folder, package = os.path.split(folder)
            parts.insert(0, package)
        for root in self.roots:  # namespace packages: a configured root above wins over the folder itself
            if folder.startswith(root + os.sep) and root != self.root:
                parts = [*os.path.relpath(folder, root).split(os.sep), *parts]
                return ".".join(parts), root, is_package
        if folder.startswith(self.root + os.sep) and not parts[0].startswith("."):
            inner = os.path.relpath(folder, self.root).split(os.sep)
            if all(part.isidentifier() for part in inner) and inner[0] != "src":
                return ".".join([*inner, *parts]), folder, is_package
        return ".".join(parts), folder, is_package

    def find(self, name: str) -> Module | None:
        """The module called ``name``, or None where no file of the project is."""
        if name not in self._modules:
            self._modules[name] = self._load(name)
        return self._modules[name]

    def at(self, path: str) -> Module | None:
        """The module of a file, wherever it is; None where it cannot be read."""
        name, _, is_package = self.name_of(path)
        found = self.find(name)
        known = self._by_path.get(os.path.abspath(path))
        return found if found is not None and found is known else self._read(name, path, is_package)

    def split(self, name: str) -> tuple[Module | None, str]:
        """The longest prefix that is a module, and the rest."""
        if name not in self._splits:
            self._splits[name] = self._find_split(name)
        return self._splits[name]

    def _find_split(self, name: str) -> tuple[Module | None, str]:
        if not self.is_first_party(name) and name.partition(".")[0] not in self._analysed:
            return None, name
        end = len(name)
        while end > 0:
            module = self.find(name[:end])
            if module is not None:
                return module, name[end + 1 :]
            end = name.rfind(".", 0, end)
        return None, name

    def _load(self, name: str) -> Module | None:
        relative = name.replace(".", os.sep)
        for root in self.roots:
            for path, is_package in (
                (os.path.join(root, relative, "__init__.py"), True),
                (os.path.join(root, relative + ".py"), False),
            ):
                if self._isfile(path):
                    return self._read(name, path, is_package)
        return None

    def _read(self, name: str, path: str, is_package: bool) -> Module | None:
        known = self._by_path.get(os.path.abspath(path))
        if known is not None:
            return known
        try:
            source = Source.read(os.path.relpath(path, self.root) if path.startswith(self.root) else path, at=path)
            module = Module(name, source.path, source, is_package)
        except Unreadable:
            return None
        self._by_path[os.path.abspath(path)] = module
        return module

    def is_first_party(self, name: str) -> bool:
        """Whether the top package of a dotted name is a folder or file of the project."""
        top = name.partition(".")[0]
        asked = top, len(self.roots)  # roots are only added
        if asked not in self._is_ours:
            self._is_ours[asked] = any(
                os.path.isdir(os.path.join(root, top)) or self._isfile(os.path.join(root, f"{top}.py"))
                for root in self.roots
            )
        return self._is_ours[asked]

    def _isfile(self, path: str) -> bool:
        folder, name = os.path.split(path)
        if folder not in self._files:
            self._files[folder] = _files_in(folder)
        return name in self._files[folder]


def _files_in(folder: str) -> frozenset[str]:
    """The names of the files in a folder: one look at it is cheaper than one for each name."""
    try:
        with os.scandir(folder) as entries:
            return frozenset(entry.name for entry in entries if entry.is_file())
    except OSError:
        return frozenset()
