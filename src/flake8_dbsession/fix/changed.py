"""Which functions of a file have another text than before, and where the others stand now."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..model import Diagnostic, Span
from ..source import Source

Function = ast.FunctionDef | ast.AsyncFunctionDef
_BINDING = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Import, ast.ImportFrom, ast.NamedExpr, ast.Delete)


class Unit(NamedTuple):
    """A function that stands in no other, by its dotted name, with its decorators: the lines from ``first`` on."""

    name: str
    node: Function
    first: int
    last: int


class Changed(NamedTuple):
    """What a text has in common with the one before."""

    functions: frozenset[str]
    """The functions with another text."""
    moved: dict[int, int]
    """By their line before, where the other lines stand now."""

    def shifted(self, diagnostic: Diagnostic) -> Diagnostic | None:
        """A report at its new place; None where a part of it stands in a function that has changed."""
        try:
            found: Diagnostic = self._shifted(diagnostic, diagnostic.path)
        except KeyError:
            return None
        return found

    def _shifted(self, part: Any, path: str) -> Any:
        if isinstance(part, Span):
            return part._replace(line=self.moved[part.line], end_line=self.moved[part.end_line])
        if not isinstance(part, tuple):
            return part
        if getattr(part, "path", path) not in ("", path):  # a note on another file
            return part
        parts = [self._shifted(each, path) for each in part]
        return type(part)(*parts) if hasattr(part, "_fields") else tuple(parts)


def changed(before: Source, after: Source) -> Changed | None:
    """What differs; None where it is more than what is done inside of functions and as the module runs.

    That is what is bound outside of functions, but for imports in addition, what a function is called, takes or is
    decorated with, and an attribute or global that it sets.
    """
    old, new = list(units(before.tree)), list(units(after.tree))
    if [unit.name for unit in old] != [unit.name for unit in new] or not imports(before.tree) <= imports(after.tree):
        return None
    if margin(before.tree) != margin(after.tree):
        return None
    functions: set[str] = set()
    moved: dict[int, int] = {}
    for (was, start, end), (became, now_start, now_end) in zip(
        stretches(before, old), stretches(after, new), strict=True
    ):
        lines = lines_between(before, start, end, was is None)
        now = lines_between(after, now_start, now_end, became is None)
        if [*lines.values()] == [*now.values()]:
            moved.update(zip(lines, now, strict=True))
        elif was is None or became is None:
            functions.add("")
        elif facade(was.node) != facade(became.node):
            return None
        else:
            functions.add(was.name)
    return Changed(frozenset(functions), moved)


def stretches(source: Source, functions: Sequence[Unit]) -> Iterator[tuple[Unit | None, int, int]]:
    """The functions of a file and what stands between them (None), with the first line and the one behind the last."""
    end = 1
    for unit in functions:
        yield None, end, unit.first
        yield unit, unit.first, unit.last + 1
        end = unit.last + 1
    yield None, end, len(source.lines) + 1


def lines_between(source: Source, start: int, end: int, is_margin: bool) -> dict[int, str]:
    """The lines of a stretch by their numbers; of the margin those that are not blank, without imports."""
    if not is_margin:
        return {number: source.lines[number - 1] for number in range(start, end)}
    imported = {line for s in source.tree.body if is_import(s) for line in range(s.lineno, (s.end_lineno or 0) + 1)}
    numbers = (number for number in range(start, end) if number not in imported)
    return {number: source.lines[number - 1] for number in numbers if source.lines[number - 1].strip()}


def imports(tree: ast.Module) -> frozenset[tuple[str, ...]]:
    """What the imports at the margin of a file bring: from where, what, and under which name."""
    found = (s for s in tree.body if isinstance(s, (ast.Import, ast.ImportFrom)))
    return frozenset((origin(s), alias.name, alias.asname or "") for s in found for alias in s.names)


def origin(statement: ast.Import | ast.ImportFrom) -> str:
    return "" if isinstance(statement, ast.Import) else f"{'.' * statement.level}{statement.module or ''}"


def is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, (ast.Import, ast.ImportFrom))


def margin(tree: ast.Module) -> list[str]:
    """What binds names outside of functions, in a form that can be compared; imports at the margin are left out."""
    found: list[str] = []
    waiting: list[ast.AST] = [s for s in tree.body if not is_import(s)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Function):
            continue
        if isinstance(node, ast.ClassDef):
            found += [node.name, *map(ast.dump, (*node.bases, *node.keywords, *node.decorator_list))]
            waiting += node.body
        elif isinstance(node, _BINDING):
            found.append(ast.dump(node))
        else:
            waiting += ast.iter_child_nodes(node)
    return sorted(found)


def units(tree: ast.Module) -> Iterator[Unit]:
    """The functions that stand in no other, in the order of the file."""
    yield from units_in(tree.body, "")


def units_in(statements: Sequence[ast.AST], prefix: str) -> Iterator[Unit]:
    for statement in statements:
        if isinstance(statement, Function):
            first = min([statement.lineno, *(decorator.lineno for decorator in statement.decorator_list)])
            yield Unit(f"{prefix}{statement.name}", statement, first, statement.end_lineno or 0)
        elif isinstance(statement, ast.ClassDef):
            yield from units_in(statement.body, f"{prefix}{statement.name}.")
        else:
            for part in ("body", "handlers", "cases", "orelse", "finalbody"):
                inner = getattr(statement, part, None)
                yield from units_in(inner if isinstance(inner, list) else [], prefix)


def facade(function: Function) -> list[str]:
    """What others may know of a function without following it, in a form that can be compared."""
    head = [function.args, *function.decorator_list, function.returns]
    stores = (s for s in ast.walk(function) if isinstance(s, (ast.Assign, ast.AnnAssign, ast.Global)))
    return [*(ast.dump(part) for part in head if part is not None), *(ast.dump(s) for s in stores if is_seen(s))]


def is_seen(statement: ast.stmt) -> bool:
    """Whether a statement sets what is looked for from outside: an attribute, or a global."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return isinstance(statement, ast.Global) or any(isinstance(target, ast.Attribute) for target in targets)
