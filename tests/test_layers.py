"""The order of the modules: each imports only from those below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import flake8_dbsession

PACKAGE = Path(flake8_dbsession.__file__).parent

LAYERS = (
    # words
    {"model", "nearest", "newer_strings"},
    {"newer"},
    # text, and what may be in it
    {"source", "relevance", "names", "flow", "known", "files", "project.modules.roots", "parallel.workers"},
    {"config", "settings.kinds", "example"},
    # formats see reports, fixes see plans and text
    {"render", "fix"},
    {"settings.reading", "files.discover", "suppress", "baseline"},
    # what sessions do in one function, in one module, in the project
    {"session"},
    {"project.modules.file_names", "project.modules.module", "project.names.contexts"},
    {
        "project.names.annotations",
        "project.names.evidence",
        "project.classes.fields",
        "project.names.foreign",
        "project.classes.kept_objects",
        "project.classes.lineage",
        "project.classes.model_classes",
        "project.modules.modules",
        "project.names.naming",
        "project.names.of_modules",
        "project.names.set_later",
        "project.classes.opened_late",
        "project.classes.protocols",
        "project.app",
        "project.session_options",
        "project.functions.handed_in",
        "project.functions.kept_answers",
        "project.functions.entering_contexts",
        "project.functions.remembering",
        "project.classes.single",
        "project.functions.solved",
        "project.mentioned",
        "story",
    },
    {"project.functions.filling"},
    {"project.names.meanings", "project.functions.parameters"},
    {"project.classes.own_attributes"},
    {
        "project.classes.attributes",
        "project.contexts",
        "project.classes.implementations",
        "project.classes.makers",
        "project.classes.own_sessions",
        "project.functions.targets",
        "project.reach",
    },
    {
        "project.functions.flows",
        "project.functions.functions",
        "project.classes.handles",
        "project.classes.keys",
        "project.functions.wrapping",
    },
    {"project.project"},
    {"project.runs.entries", "project.runs.cleaning", "project.runs.handing"},
    {"project.runs.sending"},
    {
        "project.runs.commands",
        "project.runs.daemons",
        "project.runs.hooks",
        "project.runs.importers",
        "project.runs.injection",
        "project.runs.relevant",
        "project.runs.teardown",
    },
    {"project.runs.after_runs", "project.runs.library_users", "project.runs.repeated"},
    {"view"},
    # rules
    {"questions"},
    {"mending.common", "mending.spelling", "pool"},
    {"mending"},
    {"rules"},
    {"analyze"},
    # doors
    {"run", "settings.schema", "explain", "parallel.parcel", "facts"},
    {"editor.editing", "parallel.executor", "cache"},
    {"plugin", "editor.language_server", "cli"},
    {"editor.server", "__main__"},
)
"""From the ground up. Modules of one layer do not know each other; the files of a folder that stands here do."""

NAMED = set().union(*LAYERS)


class Import(NamedTuple):
    path: Path
    line: int
    target: str
    is_lazy: bool

    @property
    def part(self) -> str:
        """The module or folder that imports, as it stands in ``LAYERS``."""
        return part_of(self.path.relative_to(PACKAGE).with_suffix("").parts)

    def __str__(self) -> str:
        return f"{self.path.relative_to(PACKAGE)}:{self.line} imports {self.target}"


def imports_of(path: Path) -> Iterator[Import]:
    """What a file imports, outside of ``if TYPE_CHECKING``: our own by the top-level name, others as ``<name>``."""
    tree = ast.parse(path.read_bytes())
    for_types = {id(inner) for node in ast.walk(tree) if _is_for_types(node) for inner in ast.walk(node)}
    inside = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) not in for_types:
            for target in _targets(node, path):
                yield Import(path, node.lineno, target, id(node) in inside)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _targets(node: ast.AST, path: Path) -> list[str]:
    if isinstance(node, ast.Import):
        return [f"<{alias.name.split('.')[0]}>" for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    if not node.level:
        return [f"<{(node.module or '').split('.')[0]}>"]
    folders = path.relative_to(PACKAGE).parts[:-1]
    start = [*folders[: len(folders) - node.level + 1], *filter(None, (node.module or "").split("."))]
    named = {part_of((*start, alias.name)) for alias in node.names}
    return sorted(name for name in named if not name.startswith("__"))


def part_of(parts: Sequence[str]) -> str:
    """The name in ``LAYERS`` of what has this dotted name inside the package."""
    within = (".".join(parts[:depth]) for depth in (3, 2))
    return next((name for name in within if name in NAMED), parts[0])


IMPORTS = [imported for path in sorted(PACKAGE.rglob("*.py")) for imported in imports_of(path)]
OURS = [i for i in IMPORTS if not i.target.startswith("<") and i.target != i.part]


def layer(part: str) -> int:
    found = [number for number, names in enumerate(LAYERS) if part in names]
    assert len(found) == 1, f"{part} has to stand in LAYERS once"
    return found[0]


def test_every_module_has_its_layer():
    parts = {part_of(path.relative_to(PACKAGE).with_suffix("").parts) for path in PACKAGE.rglob("*.py")}
    empty = {name.split(".")[0] for name in NAMED if "." in name}  # the folders' own ``__init__`` files
    assert parts - {"__init__", "examples", *empty} <= NAMED, "say in LAYERS where the new module stands"


def test_imports_go_down():
    assert [str(i) for i in OURS if not goes_down(i)] == []


def goes_down(imported: Import) -> bool:
    """The codemods run whole analyses, but only when they are run."""
    is_codemod = imported.part == "fix" and imported.path.name == "codemods.py"
    return layer(imported.target) < layer(imported.part) or (is_codemod and imported.is_lazy)


def test_formats_see_only_the_model():
    assert {i.target for i in OURS if i.part == "render"} <= {"model"}


def test_fixes_see_only_model_and_source():
    assert {i.target for i in OURS if i.part == "fix" and i.path.name != "codemods.py"} <= {"model", "source"}


def test_libcst_stays_inside_the_fixes():
    assert {i.part for i in IMPORTS if i.target == "<libcst>"} == {"fix"}


def test_flake8_is_known_to_the_plugin_alone():
    assert {i.part for i in IMPORTS if i.target == "<flake8>"} == {"plugin"}


def test_a_plain_run_needs_no_library_of_the_far_side():
    """What is imported at the top of a module is imported in every run."""
    eager = {
        i.target
        for i in IMPORTS
        if not i.is_lazy and i.part not in ("fix", "editor.language_server", "parallel.executor")
    }
    assert not eager & {"<pathspec>", "<libcst>", "<flake8>", "<distributed>", "<pygls>", "<lsprotocol>"}
