"""From ``pyproject.toml`` or ``dbsession.toml`` to a :class:`Config`.

One table, :data:`KEYS`, says which settings there are; the plugin's options, the command's checks and the
JSON Schema for editors are made from it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..config import Config, Pool
from ..nearest import nearest
from ..render import FORMATS
from .kinds import Kind, boolean, codes, codes_by_pattern, counts_by_name, entries, number, one_of, text, texts

FILES = ("dbsession.toml", "pyproject.toml")
_ROOT_MARKS = ("pyproject.toml", "setup.cfg", "setup.py", "tox.ini", ".git", ".hg")


class ConfigError(Exception):
    """A configuration that cannot be used; the message is one line that names the file and the key."""


class Key(NamedTuple):
    """One setting: its name in TOML, what values it takes, and one line of help."""

    name: str
    kind: Kind
    help: str
    adds: bool = False
    """Whether a file that extends another adds to the other's value."""
    in_flake8: bool = False
    """Whether flake8 has it as ``--dbsession-<name>``."""

    @property
    def field(self) -> str:
        return self.name.replace("-", "_")


KEYS = (
    Key("select", codes, "rule codes or prefixes to report; ALL for every one (default: all but ORM9)"),
    Key("ignore", codes, "rule codes or prefixes to leave out"),
    Key("extend-select", codes, "codes to report besides the selected ones", adds=True),
    Key("extend-ignore", codes, "codes to leave out besides the ignored ones", adds=True),
    Key("per-file-ignores", codes_by_pattern, "codes to leave out in files that match a pattern", adds=True),
    Key("exclude", texts, "patterns, as in .gitignore, of what a walk through folders leaves out"),
    Key("extend-exclude", texts, "patterns to leave out besides the excluded ones", adds=True),
    Key("respect-gitignore", boolean, "leave out what git ignores"),
    Key("src", texts, "folders that hold the project's top-level modules", in_flake8=True),
    Key("test-paths", texts, "patterns of test code, where ORM1, ORM2 and ORM3 keep silent", in_flake8=True),
    Key("session-factories", texts, "callables that return a new session that the caller must close", in_flake8=True),
    Key("scoped-sessions", texts, "scoped session registries", in_flake8=True),
    Key("engines", texts, "engines", in_flake8=True),
    Key("closers", texts, "callables that close the session they are given", in_flake8=True),
    Key("owners", texts, "callables that take over the session they are given", in_flake8=True),
    Key("context-managers", texts, "callables that yield a session and close it afterwards", in_flake8=True),
    Key("blocking-calls", entries, 'slow calls: "name" or "name -> advice"', in_flake8=True),
    Key("entry-points", entries, 'functions that a worker runs: "name" or "name -> kind"', in_flake8=True),
    Key("known", texts, "files with tables of your own: what calls wait, and who runs a function", adds=True),
    Key("baseline", text, "file of known reports that are not repeated"),
    Key("cache-dir", text, 'folder for what is remembered between runs, "" for nowhere', in_flake8=True),
    Key("output-format", one_of(*FORMATS), "how reports are printed"),
    Key("unsafe-fixes", boolean, "let `dbsession fix` also make changes that may alter behaviour"),
)

POOL_KEYS = (
    Key("server", one_of("mysql", "postgresql"), "the database server"),
    Key("max-connections", number, "the server's limit"),
    Key("reserved", number, "connections of the limit that are for others"),
    Key("wait-timeout", number, "seconds after which the server closes an idle connection"),
    Key("processes", number, "how many processes have an engine of their own"),
    Key("workers", counts_by_name, "kind of process and how many of it run"),
)


def load(start: str, path: str = "", isolated: bool = False) -> Config:
    """The configuration for a run in the folder ``start``.

    ``path`` is a file to use instead of the nearest one; ``isolated`` reads none. Raises :class:`ConfigError`.
    """
    start = os.path.abspath(start)
    found = "" if isolated else path or find(start)
    if not found:
        return Config(root=project_root(start))
    fields = from_file(found)
    return Config(**fields, tables=_tables(fields.get("known", ())), root=os.path.dirname(os.path.abspath(found)))


def find(start: str) -> str:
    """The nearest configuration file at or above the folder ``start`` that has settings of ours; "" for none."""
    for folder in _upwards(start):
        for name in FILES:
            path = os.path.join(folder, name)
            if _is_ours(path):
                return path
        if os.path.exists(os.path.join(folder, ".git")):
            break
    return ""


def project_root(start: str) -> str:
    """The nearest folder at or above ``start`` that looks like the top of a project, or ``start``."""
    for folder in _upwards(start):
        if any(os.path.exists(os.path.join(folder, mark)) for mark in _ROOT_MARKS):
            return folder
    return start


def from_file(path: str, extended_by: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields of :class:`Config` that the file at ``path`` and those it extends set; raises :class:`ConfigError`."""
    table = dict(_table(path))
    parent = table.pop("extend", None)
    fields = from_table(table, path)
    if "known" in fields:
        fields["known"] = tuple(os.path.normpath(os.path.join(os.path.dirname(path), name)) for name in fields["known"])
    if parent is None:
        return fields
    if not isinstance(parent, str):
        raise ConfigError(f"{path}: extend: expected a path")
    above = os.path.normpath(os.path.join(os.path.dirname(path), os.path.expanduser(parent)))
    if above in (*extended_by, path):
        raise ConfigError(f"{path}: extend: {parent} extends this file in turn")
    return _merged(from_file(above, (*extended_by, path)), fields)


def from_table(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The fields of :class:`Config` that a TOML table sets; ``where`` opens the message of a :class:`ConfigError`."""
    own = {name: value for name, value in table.items() if name != "pool"}
    fields = _read(own, KEYS, where, others=("extend", "pool"))
    if "pool" in table:
        if not isinstance(table["pool"], Mapping):
            raise ConfigError(f"{where}: pool: expected a table")
        fields["pool"] = Pool(**_read(table["pool"], POOL_KEYS, f"{where}: pool"))
    return fields


def _read(table: Mapping[str, Any], keys: Iterable[Key], where: str, others: tuple[str, ...] = ()) -> dict[str, Any]:
    known = {key.name: key for key in keys}
    fields = {}
    for name, value in table.items():
        if name not in known:
            raise ConfigError(f"{where}: unknown key {name!r}{nearest(name.replace('_', '-'), [*known, *others])}")
        try:
            fields[known[name].field] = known[name].kind.read(value)
        except ValueError as error:
            raise ConfigError(f"{where}: {name}: {error}") from None
    return fields


def _merged(above: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    added = {
        key.field: above[key.field] + fields[key.field] for key in KEYS if key.adds and _in_both(key, above, fields)
    }
    return {**above, **fields, **added}


def _tables(paths: tuple[str, ...]) -> str:
    """The user's tables as JSON, so that a configuration holds all that an analysis needs, wherever it runs."""
    if not paths:
        return ""
    import json

    from ..known.own import Wrong, read

    try:
        return json.dumps(read(paths))
    except Wrong as error:
        raise ConfigError(str(error)) from None


def _in_both(key: Key, above: dict[str, Any], fields: dict[str, Any]) -> bool:
    return key.field in above and key.field in fields


def _table(path: str) -> Mapping[str, Any]:
    import tomli

    try:
        with open(path, "rb") as file:
            content = tomli.load(file)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from None
    if os.path.basename(path) != "pyproject.toml":
        return content
    tool = content.get("tool", {})
    table = tool.get("dbsession", {}) if isinstance(tool, Mapping) else {}
    if not isinstance(table, Mapping):
        raise ConfigError(f"{path}: tool.dbsession: expected a table")
    return table


def _is_ours(path: str) -> bool:
    """Whether the file is there and names us; tomli is not imported for a file that does not."""
    try:
        with open(path, "rb") as file:
            mentioned = b"dbsession" in file.read()
    except OSError:
        return False
    return os.path.basename(path) == "dbsession.toml" or (mentioned and bool(_has_table(path)))


def _has_table(path: str) -> bool:
    import tomli

    try:
        with open(path, "rb") as file:
            return "dbsession" in tomli.load(file).get("tool", {})
    except (tomli.TOMLDecodeError, UnicodeDecodeError):
        return True  # and reading it will tell what is wrong


def _upwards(folder: str) -> Iterable[str]:
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent
