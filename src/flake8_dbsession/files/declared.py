"""What a project declares that it needs: distributions and the releases it allows, from the files beside its code."""

from __future__ import annotations

import ast
import functools
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .reading import text_of

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

_ASIDE = ("dev", "test", "doc", "lint", "ci", "typing", "example", "optional", "extra")
_LOCKS = ("poetry.lock", "uv.lock", "pdm.lock")
PROJECT_FILES = ("pyproject.toml", "setup.py", "Pipfile")
"""A folder with one of these is a project of its own."""
MARKERS = (*PROJECT_FILES, "setup.cfg", "requirements.txt", "requirements.in")
"""Files that declare dependencies."""


class Need(NamedTuple):
    """One declared distribution: which releases, and the file that says so."""

    name: str
    allows: SpecifierSet
    path: str


class Declared(NamedTuple):
    """Everything declared in one folder, by normalised name. ``pinned`` are releases from a lock file."""

    needs: dict[str, Need]
    pinned: dict[str, str]

    def has(self, name: str) -> bool:
        """Whether the distribution is declared."""
        return name in self.needs or name in self.pinned

    def newest(self, name: str, releases: Iterable[str]) -> str:
        """The release that is installed as far as can be told: the pinned one, or the newest that the declaration
        allows, of those it names and of ``releases``; "" where nothing is said."""
        if name in self.pinned or name not in self.needs:
            return self.pinned.get(name, "")
        from packaging.version import Version

        allows = self.needs[name].allows
        named = [each.version.removesuffix(".*") for each in allows if each.operator in ("==", "===", "~=", ">=")]
        fitting = [r for r in (*named, *releases) if allows.contains(r, prereleases=True)]
        return max(fitting, key=Version, default="")

    def where(self, name: str) -> str:
        """The path of the file that names ``name``, "" for none."""
        return self.needs[name].path if name in self.needs else ""

    def major(self, name: str, releases: tuple[str, ...]) -> int:
        """The major release of ``name`` that the declaration leaves open, given one ``release`` of each major;
        0 where it leaves several open or says nothing."""
        if name in self.pinned:
            return int(self.pinned[name].split(".")[0])
        if name not in self.needs:
            return 0
        allows = self.needs[name].allows
        exact = [s.version for s in allows if s.operator in ("==", "===", "~=")]
        majors = {int(r.split(".")[0]) for r in [*exact, *releases] if _allowed(allows, r, bool(exact))}
        return majors.pop() if len(majors) == 1 else 0


def _allowed(allows: SpecifierSet, release: str, exact: bool) -> bool:
    return release in {s.version for s in allows} if exact else allows.contains(release, prereleases=True)


def normalised(name: str) -> str:
    """The name as registries compare it."""
    return name.strip().lower().replace("_", "-").replace(".", "-")


def declared_in(folder: str) -> Declared:
    """What the files of ``folder`` (and its ``requirements`` folder) declare for production."""
    needs: dict[str, Need] = {}
    for path in _requirement_files(folder):
        for line in text_of(path).splitlines():
            _add(line, path, needs)
    for reader, name in ((_pyproject, "pyproject.toml"), (_pipfile, "Pipfile"), (_setup_cfg, "setup.cfg")):
        path = os.path.join(folder, name)
        for line in reader(path) if os.path.isfile(path) else ():
            _add(line, path, needs)
    path = os.path.join(folder, "setup.py")
    for line in _setup_py(path) if os.path.isfile(path) else ():
        _add(line, path, needs)
    return Declared(needs, _locked(folder, needs))


def project_of(path: str, root: str) -> str:
    """The nearest folder above the file, up to ``root``, that declares dependencies; ``root`` where none does."""
    folder = os.path.dirname(os.path.abspath(path))
    while f"{folder}{os.sep}".startswith(f"{root.rstrip(os.sep)}{os.sep}"):
        if declares(folder):
            return folder
        if folder == root:
            break
        folder = os.path.dirname(folder)
    return root


@functools.cache
def declares(folder: str) -> bool:
    """Whether a file of the folder declares dependencies."""
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    return any(name in MARKERS or ("requirements" in name and name.endswith(".txt")) for name in names)


def _requirement_files(folder: str) -> Iterator[str]:
    for place in (folder, os.path.join(folder, "requirements")):
        names = sorted(os.listdir(place)) if os.path.isdir(place) else []
        for name in names:
            stem, extension = os.path.splitext(name.lower())
            is_one = "requirements" in stem or place != folder
            if is_one and extension in (".txt", ".in") and not any(word in stem for word in _ASIDE):
                yield os.path.join(place, name)


def _add(line: str, path: str, needs: dict[str, Need]) -> None:
    text = line.split(" #")[0].split("--hash")[0].strip().rstrip("\\").strip()
    if not text or text[0] in "#-":
        return
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        need = Requirement(text)
    except InvalidRequirement:
        return
    name = normalised(need.name)
    if name not in needs or (need.specifier and not needs[name].allows):
        needs[name] = Need(name, need.specifier, path)


def toml_of(path: str) -> dict[str, Any]:
    """What a file in TOML says; nothing where it is broken."""
    import tomli

    try:
        return tomli.loads(text_of(path))
    except tomli.TOMLDecodeError:
        return {}


def _pyproject(path: str) -> Iterator[str]:
    data = toml_of(path)
    listed = data.get("project", {}).get("dependencies", [])
    yield from (line for line in listed if isinstance(line, str))
    yield from _table(data.get("tool", {}).get("poetry", {}).get("dependencies", {}))


def _pipfile(path: str) -> Iterator[str]:
    return _table(toml_of(path).get("packages", {}))


def _table(table: dict[str, Any]) -> Iterator[str]:
    """Poetry's and Pipenv's ``name = "^1.2"`` as requirement lines; optional ones left out."""
    for name, value in table.items():
        version = value.get("version", "*") if isinstance(value, dict) else value
        if isinstance(value, dict) and value.get("optional"):
            continue
        yield f"{name} {_specifier(version)}" if isinstance(version, str) else name


def _specifier(version: str) -> str:
    """A caret or bare release as a specifier: ``^2.5`` is ``>=2.5,<3``, ``^0.110.1`` is ``>=0.110.1,<0.111``."""
    if version.startswith("^"):
        numbers = version[1:].split(".")
        fixed = next((place for place, number in enumerate(numbers) if number != "0"), len(numbers) - 1)
        if not all(number.isdigit() for number in numbers[: fixed + 1]):
            return ""
        return f">={version[1:]},<{'.'.join([*numbers[:fixed], str(int(numbers[fixed]) + 1)])}"
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    text = f"=={version}" if version[:1].isdigit() else version
    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier:
        return ""


def _setup_cfg(path: str) -> Iterator[str]:
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return
    yield from parser.get("options", "install_requires", fallback="").splitlines()


def _setup_py(path: str) -> Iterator[str]:
    """The strings of ``install_requires=[…]``."""
    for node in nodes_of(path):
        if isinstance(node, ast.keyword) and node.arg == "install_requires" and isinstance(node.value, ast.List):
            yield from (e.value for e in node.value.elts if isinstance(e, ast.Constant) and isinstance(e.value, str))


def nodes_of(path: str) -> Iterator[ast.AST]:
    """The syntax of a file in Python; nothing where it is broken."""
    try:
        yield from ast.walk(ast.parse(text_of(path)))
    except (SyntaxError, ValueError):
        return


def _locked(folder: str, needs: dict[str, Need]) -> dict[str, str]:
    """The releases that a lock file gives to what is needed."""
    pinned: dict[str, str] = {}
    for lock in _LOCKS:
        name = ""
        for line in text_of(os.path.join(folder, lock)).splitlines():
            key, _, value = line.partition(" = ")
            if key == "name":
                name = normalised(value.strip('"'))
            elif key == "version" and name in needs:
                pinned.setdefault(name, value.strip('"'))
                name = ""
    return pinned
