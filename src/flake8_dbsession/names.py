"""What a name at module level stands for: imports, definitions and assignments, never guesses.

:class:`Names` reads the module's top-level statements (and those inside top-level ``if``, ``try``, ``with``
and loops, and ``global`` assignments of functions and methods) once, and answers with dotted names:
``sa.orm.Session`` after ``import sqlalchemy as sa`` is ``"sqlalchemy.orm.Session"``.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from typing import NamedTuple

Function = ast.FunctionDef | ast.AsyncFunctionDef
_BUILTINS = frozenset(dir(builtins))


OF_REQUESTS = frozenset({"flask.g", "quart.g"})
"""What keeps something for one request: ``g.db`` is what the application puts there, and no Flask-SQLAlchemy object."""


MOST_VALUES = 100
"""A name that is bound more often is known by its first values: tables of constants, and generated code."""


_STARRED = {
    "sqlalchemy": ("create_engine", "engine_from_config", "select", "text", "Column"),
    "sqlalchemy.orm": ("sessionmaker", "scoped_session", "Session", "relationship"),
    "sqlalchemy.ext.asyncio": ("create_async_engine", "async_sessionmaker", "async_scoped_session", "AsyncSession"),
    "sqlmodel": ("create_engine", "Session", "SQLModel", "select", "text"),
}
"""What a star import of SQLAlchemy brings of that which opens engines and sessions, and what is asked of them."""


class Binding(NamedTuple):
    """What a module-level name is bound to.

    ``imported`` is the dotted name an import gives it (else ""); ``definition`` the ``def`` or ``class``;
    ``values`` the expressions assigned to it, in order; ``annotation`` the first annotation.
    """

    imported: str = ""
    definition: Function | ast.ClassDef | None = None
    values: tuple[ast.expr, ...] = ()
    annotation: ast.expr | None = None


def absolute(module: str, is_package: bool, target: str | None, level: int) -> str:
    """The absolute module that ``from ..target import`` means inside ``module``; "" where it leaves the tree."""
    if not level:
        return target or ""
    parts = module.split(".") if module else []
    keep = len(parts) - level + (1 if is_package else 0)
    if keep < 0:
        return target or ""
    return ".".join([*parts[:keep], *([target] if target else [])])


def dotted(expression: ast.expr) -> str | None:
    """``a.b.c`` as written, or None for anything but names and attributes."""
    parts = []
    while isinstance(expression, ast.Attribute):
        parts.append(expression.attr)
        expression = expression.value
    if not isinstance(expression, ast.Name):
        return None
    return ".".join([expression.id, *reversed(parts)])


def spelled(expression: ast.expr) -> str | None:
    """``info.context["db"]``: a chain of names, the last of which may be a key; None for anything else."""
    match expression:
        case ast.Subscript(value=owner, slice=ast.Constant(value=str(key))):
            text = dotted(owner)
            return f'{text}["{key}"]' if text is not None else None
    return dotted(expression)


def last_part(expression: ast.expr) -> str:
    """``create_engine`` for ``sa.create_engine``; "" for what has no name."""
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else ""


def all_given(call: ast.Call) -> list[ast.expr]:
    """All that a call is given, by place and by name."""
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def is_none(expression: ast.expr | None) -> bool:
    """Whether an expression is ``None`` as written."""
    return isinstance(expression, ast.Constant) and expression.value is None


def imports_of(statement: ast.Import | ast.ImportFrom, module: str, is_package: bool) -> Iterator[tuple[str, str]]:
    """Each local name that the import binds, with the dotted name it stands for (a star import binds ``*``)."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
        return
    source = absolute(module, is_package, statement.module, statement.level)
    for alias in statement.names:
        yield alias.asname or alias.name, f"{source}.{alias.name}" if alias.name != "*" else source


def _parts(target: ast.Tuple | ast.List, value: ast.expr) -> list[ast.expr]:
    """What each element of a target is bound to: ``engine, Session = make()`` says ``make()[0]`` and ``make()[1]``."""
    if isinstance(value, (ast.Tuple, ast.List)):
        return value.elts
    if any(isinstance(element, ast.Starred) for element in target.elts):
        return []
    places = (ast.copy_location(ast.Constant(number), value) for number in range(len(target.elts)))
    return [ast.copy_location(ast.Subscript(value, place, ast.Load()), value) for place in places]


def is_loaded_later(known: Binding, value: ast.expr) -> bool:
    """``else: orm = Lazy("sqlalchemy.orm")``, where ``if TYPE_CHECKING:`` imports just that under the same name."""
    named = value.args if isinstance(value, ast.Call) and known.imported else ()
    return any(isinstance(part, ast.Constant) and part.value == known.imported for part in named)


def bare(expression: ast.expr) -> ast.expr:
    """An expression without the call around it: ``app.task`` of ``@app.task(bind=True)``, and of ``@app.task``."""
    return expression.func if isinstance(expression, ast.Call) else expression


class Names:
    """The module-level names of one file.

    ``module`` is its dotted name; ``is_package`` whether it is an ``__init__.py``.
    """

    def __init__(self, tree: ast.Module, module: str, is_package: bool = False) -> None:
        self.module = module
        self.is_package = is_package
        self.bindings: dict[str, Binding] = {}
        self.stars: list[str] = []
        self._read(tree.body)
        self._read_stars()

    def _read(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            match statement:
                case ast.Import() | ast.ImportFrom():
                    self._import(statement)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self.bindings[statement.name] = Binding(definition=statement)
                    self._read_globals(statement)
                case ast.ClassDef():
                    self.bindings[statement.name] = Binding(definition=statement)
                    for method in statement.body:
                        if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
                            self._read_globals(method)
                case ast.Assign():
                    for target in statement.targets:
                        self._assign(target, statement.value)
                case ast.AnnAssign(target=ast.Name(id=name)):
                    known = self.bindings.get(name, Binding())
                    values = (*known.values, statement.value) if statement.value else known.values
                    self.bindings[name] = Binding(values=values, annotation=statement.annotation)
                case _ if type(statement).__name__ == "TypeAlias":  # of Python 3.12
                    self._assign(statement.name, statement.value)  # type: ignore[attr-defined]
                case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                    self._read(statement.body)
                    for handler in getattr(statement, "handlers", ()):
                        self._read(handler.body)
                    self._read(getattr(statement, "orelse", ()))
                    self._read(getattr(statement, "finalbody", ()))

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        for name, stands_for in imports_of(statement, self.module, self.is_package):
            if name == "*":
                self.stars.append(stands_for)
            elif name not in self.bindings or self.bindings[name].definition is None:
                self.bindings[name] = Binding(imported=stands_for)

    def _read_stars(self) -> None:
        """SQLAlchemy's names, where no star import of another package may bring the same ones."""
        if all(star.partition(".")[0] in _STARRED for star in self.stars):
            for star in self.stars:
                for name in _STARRED.get(star, ()):
                    self.bindings.setdefault(name, Binding(imported=f"{star}.{name}"))

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            known = self.bindings.get(target.id, Binding())
            if len(known.values) >= MOST_VALUES or is_loaded_later(known, value):
                return
            self.bindings[target.id] = Binding(
                values=(*known.values, value), annotation=known.annotation, imported=known.imported
            )
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element, part in zip(target.elts, _parts(target, value), strict=False):
                self._assign(element, part)

    def _read_globals(self, function: Function) -> None:
        """``global Session; Session = …`` inside a function also says what the module's name stands for."""
        declared = {n for s in function.body if isinstance(s, ast.Global) for n in s.names}
        if declared:
            self._read_assigned(function.body, declared)

    def _read_assigned(self, body: Iterable[ast.stmt], declared: set[str]) -> None:
        for statement in body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)]) if name in declared:
                    self._assign(statement.targets[0], statement.value)
                case ast.Assign(targets=[ast.Tuple() as target]):
                    for element, part in zip(target.elts, _parts(target, statement.value), strict=False):
                        if isinstance(element, ast.Name) and element.id in declared:
                            self._assign(element, part)
                case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                    self._read_assigned(statement.body, declared)
                    self._read_assigned(getattr(statement, "orelse", ()), declared)

    def resolve(self, expression: ast.expr) -> str | None:
        """The dotted name that a name or attribute chain stands for at module level, or None.

        A name defined here is ``<module>.<name>``; a builtin is ``builtins.<name>``.
        """
        text = dotted(expression)
        return self.qualify(text) if text else None

    def qualify(self, text: str) -> str | None:
        """As :meth:`resolve`, for a dotted text as it stands in the file."""
        head, _, rest = text.partition(".")
        binding = self.bindings.get(head)
        if binding is None:
            if head in _BUILTINS:
                return f"builtins.{text}"
            return None
        base = binding.imported if binding.imported and not binding.values else f"{self.module}.{head}".lstrip(".")
        return f"{base}.{rest}" if rest else base
