"""The functions that a project installs as commands: ``shop = "shop.main:main"``."""

from __future__ import annotations

import ast
import os
import textwrap
from collections.abc import Iterator
from typing import Any

from .declared import nodes_of, toml_of
from .reading import text_of

_GROUPS = ("console_scripts", "gui_scripts")


def scripts_above(path: str, root: str) -> frozenset[str]:
    """The dotted names of the functions that a project file above ``path``, in a folder up to ``root``, installs."""
    found: set[str] = set()
    folder = os.path.dirname(os.path.abspath(path))
    while f"{folder}{os.sep}".startswith(f"{root.rstrip(os.sep)}{os.sep}"):
        found |= scripts_in(folder)
        if folder == root or folder == os.path.dirname(folder):
            break
        folder = os.path.dirname(folder)
    return frozenset(found)


def scripts_in(folder: str) -> frozenset[str]:
    """The dotted names of the functions that the project files of one folder install."""
    targets: list[str] = []
    for reader, name in ((_pyproject, "pyproject.toml"), (_setup_cfg, "setup.cfg"), (_setup_py, "setup.py")):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            targets += reader(path)
    return frozenset(filter(None, map(_dotted, targets)))


def _dotted(target: str) -> str:
    """``shop.main.main`` of ``shop = shop.main:main [extra]``; "" for anything else."""
    module, colon, function = target.partition("=")[2].strip().partition("[")[0].strip().partition(":")
    is_one = colon and function.isidentifier() and all(part.isidentifier() for part in module.split("."))
    return f"{module}.{function}" if is_one else ""


def _pyproject(path: str) -> Iterator[str]:
    data = toml_of(path)
    project, poetry = data.get("project", {}), data.get("tool", {}).get("poetry", {})
    for table in (project.get("scripts", {}), project.get("gui-scripts", {}), poetry.get("scripts", {})):
        for name, value in table.items() if isinstance(table, dict) else ():
            yield f"{name} = {_reference(value)}"


def _reference(value: Any) -> str:
    """``"shop.main:main"``, or Poetry's ``{reference = "shop.main:main", type = "console"}``."""
    given = value.get("reference", value.get("callable", "")) if isinstance(value, dict) else value
    return given if isinstance(given, str) else ""


def _setup_cfg(path: str) -> Iterator[str]:
    return _listed(text_of(path), "options.entry_points")


def _listed(text: str, section: str) -> Iterator[str]:
    """The lines below the groups of commands in a section, or, for "", in the sections that are called like them."""
    import configparser

    parser = configparser.ConfigParser(interpolation=None, delimiters="=")
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for group in _GROUPS:
        if section:
            yield from parser.get(section, group, fallback="").splitlines()
        elif parser.has_section(group):
            yield from (f"{name} = {target}" for name, target in parser.items(group))


def _setup_py(path: str) -> Iterator[str]:
    """The strings of ``entry_points={"console_scripts": […]}``, or the same as one text."""
    for node in nodes_of(path):
        match node:
            case ast.keyword(arg="entry_points", value=ast.Dict(keys=keys, values=values)):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value in _GROUPS:
                        yield from (str(part.value) for part in ast.walk(value) if isinstance(part, ast.Constant))
            case ast.keyword(arg="entry_points", value=ast.Constant(value=str(text))):
                yield from _listed(textwrap.dedent(text), "")
