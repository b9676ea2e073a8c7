"""Where an import belongs: nowhere when the name is there already, in a line of its kind, or in a line of its own."""

from __future__ import annotations

import ast
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ...model import Plan
from ..plans import AddImport
from .ground import Ground, Refusal, first_line
from .reach import stretches


class Insertion(NamedTuple):
    """Text that comes to stand before ``line`` (0-based); ``\\n`` is every newline."""

    line: int
    text: str


def missing(ground: Ground, plans: Iterable[Plan]) -> dict[AddImport, int]:
    """The imports that ``plans`` ask for and the file does not have, each with the line it has to stand before.

    Raises :class:`~.ground.Refusal` where the name means something else anywhere in the file.
    """
    found: dict[AddImport, int] = {}
    for plan in plans:
        lines = [start[0] for start, _ in stretches(plan)]
        limit = min((line for line in lines if not _in_function(ground.tree, line)), default=sys.maxsize)
        for step in plan.steps:
            if isinstance(step, AddImport) and not _is_there(ground.tree, step, limit):
                found[step] = min(limit, found.get(step, limit))
    return found


def _in_function(node: ast.AST, line: int) -> bool:
    """Whether a line stands in a function, and so runs after the imports of the file."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt) and child.lineno <= line <= (child.end_lineno or 0):
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            return (is_function and child.lineno < line) or _in_function(child, line)
    return False


def _is_there(tree: ast.Module, step: AddImport, before: int) -> bool:
    found = any(_imports(statement, step) for statement in tree.body if statement.lineno < before)
    if not found and any(_binds(node, bound_name(step), step) for node in ast.walk(tree)):
        raise Refusal(f"the name {bound_name(step)!r} means something else in this file")
    return found


def bound_name(step: AddImport) -> str:
    """The name that the import makes known."""
    return step.name or step.module.partition(".")[0]


def _imports(statement: ast.AST, step: AddImport) -> bool:
    """Whether ``statement`` is an import that makes the very name known."""
    if isinstance(statement, ast.ImportFrom):
        same = module_of(statement) == step.module
        return (
            bool(step.name)
            and same
            and any(a.name == step.name and a.asname in (None, a.name) for a in statement.names)
        )
    if isinstance(statement, ast.Import) and not step.name:
        return any(a.name == step.module and a.asname is None for a in statement.names)
    return False


def _binds(node: ast.AST, name: str, step: AddImport) -> bool:
    """Whether ``node`` gives ``name`` another meaning."""
    match node:
        case ast.Name(id=found, ctx=ast.Store() | ast.Del()) | ast.arg(arg=found):
            return found == name
        case ast.FunctionDef(name=found) | ast.AsyncFunctionDef(name=found) | ast.ClassDef(name=found):
            return found == name
        case ast.ExceptHandler(name=found) | ast.MatchAs(name=found) | ast.MatchStar(name=found):
            return found == name
        case ast.Import() | ast.ImportFrom():
            return not _imports(node, step) and not _same_package(node, name, step) and name in _bound_by(node)
    return False


def _bound_by(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [alias.asname or alias.name.partition(".")[0] for alias in node.names]


def _same_package(node: ast.AST, name: str, step: AddImport) -> bool:
    """``import a.b`` beside ``import a`` or ``import a.c``: one name, one meaning."""
    return (
        isinstance(node, ast.Import)
        and not step.name
        and all(alias.asname is None for alias in node.names if alias.name.partition(".")[0] == name)
    )


def module_of(statement: ast.ImportFrom) -> str:
    """The module of a ``from`` import as it is written, with its dots."""
    return "." * statement.level + (statement.module or "")


def joinable(ground: Ground, step: AddImport, limit: int, marked: set[int]) -> ast.ImportFrom | None:
    """The top-level ``from module import …`` above ``limit`` that the name can join; none on ``marked`` lines."""
    for statement in ground.tree.body:
        if (
            step.name
            and isinstance(statement, ast.ImportFrom)
            and module_of(statement) == step.module
            and statement.lineno < limit
            and statement.names[0].name != "*"
            and marked.isdisjoint(range(statement.lineno, (statement.end_lineno or 0) + 1))
        ):
            return statement
    return None


def insertions(ground: Ground, steps: Sequence[AddImport]) -> Iterator[Insertion]:
    """Lines of their own for ``steps``, each where its kind stands among the imports at the top of the file."""
    wanted: dict[str, list[str]] = {}
    for step in dict.fromkeys(steps):
        wanted.setdefault(step.module, []).append(step.name)
    by_line: dict[int, list[tuple[tuple[int, int, str], str]]] = {}
    for module, names in wanted.items():
        for text, key in _texts(module, sorted(names)):
            by_line.setdefault(_line_for(ground, key), []).append((key, text))
    for line, found in sorted(by_line.items()):
        yield _spaced(ground, line, sorted(found))


def _texts(module: str, names: list[str]) -> Iterator[tuple[str, tuple[int, int, str]]]:
    if "" in names:
        yield f"import {module}\n", (_section(module), 0, module.lower())
    joined = ", ".join(name for name in names if name)
    if joined:
        yield f"from {module} import {joined}\n", (_section(module), 1, module.lower())


def _section(module: str) -> int:
    """The part of the imports that a module belongs to: future, standard library, others, relative."""
    top = module.partition(".")[0]
    if top == "__future__":
        return 0
    if not top:
        return 3
    return 1 if top in sys.stdlib_module_names else 2


def _key(statement: ast.Import | ast.ImportFrom) -> tuple[int, int, str]:
    """How an import sorts: by section, ``import`` before ``from``, by module."""
    if isinstance(statement, ast.ImportFrom):
        return _section(module_of(statement)), 1, module_of(statement).lower()
    return _section(statement.names[0].name), 0, statement.names[0].name.lower()


def _leading_imports(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    """The imports at the top of the file; what is said about the module itself may stand before them."""
    found: list[ast.Import | ast.ImportFrom] = []
    for statement in tree.body[1 if _has_docstring(tree) else 0 :]:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            found.append(statement)
        elif found or not _is_about_module(statement):
            break
    return found


def _is_about_module(statement: ast.stmt) -> bool:
    """``__all__ = …`` and the like."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return bool(targets) and all(isinstance(each, ast.Name) and each.id.startswith("__") for each in targets)


def _has_docstring(tree: ast.Module) -> bool:
    return ast.get_docstring(tree, clean=False) is not None


def _line_for(ground: Ground, key: tuple[int, int, str]) -> int:
    """The line that the import comes to stand before, 0-based."""
    imports = _leading_imports(ground.tree)
    section = [each for each in imports if _key(each)[0] == key[0]]
    if section:
        keys = [_key(each) for each in section]
        at = bisect_right(keys, key) if keys == sorted(keys) else len(keys)
        return (section[at - 1].end_lineno or 0) if at else _above(ground, section[0])
    earlier = [each for each in imports if _key(each)[0] < key[0]]
    if earlier:
        return earlier[-1].end_lineno or 0
    if imports:
        return _above(ground, imports[0])
    body = ground.tree.body
    return (body[0].end_lineno or 0) if _has_docstring(ground.tree) else _above(ground, body[0])


def _above(ground: Ground, statement: ast.stmt) -> int:
    """The line above ``statement`` and the comments that belong to it, but below those at the head of the file."""
    line = first_line(statement) - 1
    while line and ground.lines[line - 1].startswith("#"):
        line -= 1
    return line if line else first_line(statement) - 1


def _spaced(ground: Ground, line: int, found: list[tuple[tuple[int, int, str], str]]) -> Insertion:
    """The new lines with blank lines where they begin a section of their own."""
    imports = _leading_imports(ground.tree)
    sections = {_key(each)[0] for each in imports}
    groups = [[text for key, text in found if key[0] == section] for section in sorted({key[0] for key, _ in found})]
    text = "\n".join("".join(group) for group in groups)
    if sections & {key[0] for key, _ in found}:
        return Insertion(line, text)
    above = ground.lines[line - 1].strip() if line else ""
    below = ground.lines[line] if line < len(ground.lines) else ""
    before = "\n" if above and (imports or above.startswith("#") or _has_docstring(ground.tree)) else ""
    after = "\n" if below.strip() else ""
    if after and not imports and below.startswith(("def ", "class ", "@", "async ")):
        after = "\n\n"
    return Insertion(line, before + text + after)
