"""How many processes a command line starts: gunicorn, uvicorn, uWSGI, Celery and their like."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..files.reading import bytes_of, line_of
from ..names import Names
from .factors import Factor, How
from .reading import read
from .settings import knowledge
from .shell import option, split
from .values import Reader


class Place(NamedTuple):
    """Where a command line stands: its file and line, the folder it runs in, and the variables it sees
    (name -> value, file, line)."""

    path: str
    line: int
    folder: str
    variables: Mapping[str, tuple[str, str, int]]

    def plain(self) -> dict[str, str]:
        """The variables without their places."""
        return {name: value for name, (value, _, _) in self.variables.items()}


def program_of(words: list[str]) -> str:
    """The name of the known program that the command runs, else ""; one that only tells something does not run."""
    name = words[0] if words else ""
    row = knowledge().programs.get(name)
    if row is None:
        return ""
    if any(word in row.get("tells", ()) for word in words):
        return ""
    subcommands = row.get("subcommands")
    return name if not subcommands or any(w in subcommands for w in words[1:]) else ""


def served_by(words: list[str]) -> str:
    """The module whose application a server is told to serve: ``gunicorn -w 4 shop.web:app``; "" where none is."""
    for word in words[1:]:
        module, colon, name = word.partition(":")
        if colon and all(part.isidentifier() for part in (*module.split("."), *name.partition("(")[0].split("."))):
            return module
    return ""


def workers_of(words: list[str], place: Place) -> Factor:
    """The processes that the command ``words`` starts, with where the number comes from."""
    name = words[0]
    row = knowledge().programs[name]
    for flag, pools in row.get("single", {}).items():
        if option(words, [flag]) in pools:
            return Factor("workers", 1, place.path, place.line, remark=f"{flag} {option(words, [flag])}: one process")
    autoscale = option(words, [row["autoscale"]]) if "autoscale" in row else None
    given = autoscale.split(",")[0] if autoscale else option(words, row["workers"])
    if given is not None:
        return _number(given, place.path, place.line)
    return (
        _from_arguments(row, place)
        or _from_file(words, row, place)
        or _from_variables(row, place)
        or _by_default(name, row, place)
    )


def _number(text: str, path: str, line: int, how: How = How.WRITTEN) -> Factor:
    if text.isdigit():
        return Factor("workers", int(text), path, line, how)
    return Factor("workers", None, path, line, How.UNKNOWN, f"{text} is not known")


def _from_arguments(row: dict[str, Any], place: Place) -> Factor | None:
    """``GUNICORN_CMD_ARGS="--workers 4"``."""
    if row.get("arguments") not in place.variables:
        return None
    value, path, line = place.variables[row["arguments"]]
    given = option(split(value), row["workers"])
    return _number(given, path, line) if given else None


def _from_variables(row: dict[str, Any], place: Place) -> Factor | None:
    for name in row.get("variables", ()):
        if name in place.variables:
            value, path, line = place.variables[name]
            return _number(value, path, line)
    return None


def _from_file(words: list[str], row: dict[str, Any], place: Place) -> Factor | None:
    named = given = option(words, row.get("config", []))
    if given is None and words[0] == "uwsgi":
        given = next((w for w in words[1:] if w.endswith(".ini")), None)
    if given is None and "config-file" in row:
        given = row["config-file"]
    if given is None:
        return None
    path = _found(given.removeprefix("file:").removeprefix("python:"), place.folder)
    if not path and named and not named.startswith("python:"):
        return Factor("workers", None, place.path, place.line, How.UNKNOWN, f"{named} is not seen")
    if not path:
        return None
    return workers_in_ini(path) if path.endswith(".ini") else workers_in_python(path, row["settings"], place)


def _found(name: str, folder: str) -> str:
    """``name`` as a file of the project: as a path from the folder, or the same file name somewhere above or beside."""
    relative = name.lstrip("/")
    parts = relative.split("/")
    for start in range(len(parts)):
        path = os.path.join(folder, *parts[start:])
        if os.path.isfile(path):
            return path
    return ""


def workers_in_python(path: str, names: list[str], place: Place) -> Factor | None:
    """``workers = …`` in a gunicorn or Celery settings file, under any of ``names``."""
    try:
        tree = ast.parse(bytes_of(path), path)
    except (SyntaxError, ValueError):
        return None
    reading = read(tree, Names(tree, ""), lambda name: False)
    bound = [b.value for name in names for b in reading.module.bindings.get(name, [])]
    if not bound or bound[-1] is None:
        return None
    expression = bound[-1]
    value = Reader(reading).value(expression, reading.module)
    if value.variable and value.variable in place.variables:
        text, where, line = place.variables[value.variable]
        return _number(text, where, line)
    if value.number is None:
        return Factor("workers", None, path, expression.lineno, How.UNKNOWN, ast.unparse(expression))
    how, remark = (How.VARIABLE, f"{value.variable} replaces it") if value.variable else (How.WRITTEN, "")
    return Factor("workers", value.number, path, expression.lineno, how, remark)


def workers_in_ini(path: str) -> Factor | None:
    """``processes = …`` or ``workers = …`` in the ``[uwsgi]`` section of an ini file."""
    import configparser

    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return None
    for key in ("processes", "workers"):
        value = parser.get("uwsgi", key, fallback=None)
        if value:
            return _number(value.strip(), path, line_of(path, key))
    return Factor("workers", 1, path, 0, How.DEFAULT) if parser.has_section("uwsgi") else None


def _by_default(name: str, row: dict[str, Any], place: Place) -> Factor:
    if row["default"]:
        return Factor("workers", row["default"], place.path, place.line, How.DEFAULT, f"{name} starts {row['default']}")
    return Factor("workers", None, place.path, place.line, How.UNKNOWN, f"{name} starts one process for each CPU")
