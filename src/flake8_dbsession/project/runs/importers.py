"""Which files import a module, directly or not: what only commands import ends with their processes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from ...files.imports import absolute, imported_in
from ..app import MOST_FILES
from ..modules.module import Module
from ..project import Project

_MOST_IMPORTERS = 400
"""What more files import, directly or not, is no part of some commands."""
_BY_NAME = (b"import_module(", b"__import__(", b"import_string(", b"spec_from_file_location(")
_GOES_ON = (b"while True", b"while 1:", b"while not ", b"while self.", b".run_forever(", b".serve_forever(")
_COMMAND_LINES = frozenset({b"argparse", b"click", b"cyclopts", b"docopt", b"fire", b"typer"})


def only_commands_import(project: Project, module: Module) -> bool:
    """Whether a command imports a module, and nothing that serves or goes on for good does.

    A project that imports by names which it puts together, or is too large to be looked through, has no such modules.
    """
    if len(project.app.files) > MOST_FILES or any(map(project.app.is_part, project.app.files_with(*_BY_NAME))):
        return False
    return project.once(_only_commands_import, module.file, module.name)


def _only_commands_import(project: Project, path: str, name: str) -> bool:
    above = importers(project, path, name)
    if len(above) > _MOST_IMPORTERS or any(goes_on(text_of(project, each)) for each in above):
        return False
    ends = [each for each, is_imported in above.items() if not is_imported]
    is_run = bool(ends) and path not in ends and all(is_command(project, each) for each in ends)
    return is_run and not any(serves(project, each) for each in imported_by(project, list(above)))


def goes_on(text: bytes) -> bool:
    """Whether a file may hold a loop that is meant to go on for good."""
    return any(word in text for word in _GOES_ON)


def text_of(project: Project, path: str) -> bytes:
    project.sources.meet_file(path)
    return project.modules.texts.at(path)


def is_pipeline(project: Project) -> bool:
    """Whether a scheduler runs what the project does in processes that end with it, and nothing serves anybody."""
    known = project.known.conventions
    return imports_any(project, known.apart) and not imports_any(project, known.serving)


def imports_any(project: Project, packages: Iterable[str]) -> bool:
    """Whether a file of the application imports one of some packages."""
    words = (f"{how} {package}".encode() for package in packages for how in ("from", "import"))
    return any(map(project.app.is_part, project.app.files_with(*words)))


def serves(project: Project, path: str) -> bool:
    """Whether a file imports a package whose programs go on until somebody stops them."""
    names = (name for name, is_own in imports(project, path) if not is_own)
    return any(map(project.known.conventions.is_serving, names))


def imported_by(project: Project, paths: list[str]) -> Iterator[str]:
    """Some files, and those of the project that they import, directly or not."""
    places = project.once(_places)
    waiting = list(paths)
    seen = set(waiting)
    for path in waiting:
        yield path
        for name, _ in imports(project, path):
            for place in (places.get(name), places.get(name.rpartition(".")[0])):
                if place is not None and place not in seen:
                    seen.add(place)
                    waiting.append(place)


def imports(project: Project, path: str) -> Iterator[tuple[str, bool]]:
    """The dotted names that a file imports, each with whether it says that it stands beside it."""
    name, _, is_package = project.modules.names.of(path)
    for each in imported_in(text_of(project, path)):
        yield absolute(each, name, is_package), bool(each.level)


def _places(project: Project) -> dict[str, str]:
    """The files of the project by their dotted names."""
    return {project.modules.names.of(path).name: path for path in project.app.files}


def is_command(project: Project, path: str) -> bool:
    """Whether the file belongs to a command: it is run itself, reads a command line, or is installed as one."""
    text = text_of(project, path)
    if b"__main__" in text or any(each.name.partition(b".")[0] in _COMMAND_LINES for each in imported_in(text)):
        return True
    name = project.modules.names.of(path).name
    return any(function.startswith(f"{name}.") for function in project.app.installed_for(path))


def importers(project: Project, path: str, name: str) -> dict[str, bool]:
    """A file, and those that import it, directly or not, each with whether another one does so; tests are left out."""
    found = {path: False}
    waiting = [(path, name)]
    for each, module in waiting:
        others = [o for o in importing(project, each, module) if o != each and not project.config.is_test(o)]
        found[each] = bool(others)
        new = [other for other in dict.fromkeys(others) if other not in found]
        found.update(dict.fromkeys(new, False))
        waiting += [(other, project.modules.names.of(other).name) for other in new if len(found) <= _MOST_IMPORTERS]
    return found


def importing(project: Project, path: str, module: str) -> Iterator[str]:
    """The files that import a module, wherever they take its name to begin; of a package so does all that is in it, and
    whoever imports that."""
    folder, base = os.path.split(path)
    is_package = base == "__init__.py"
    yield from (each for each in project.app.files if is_package and each.startswith(folder + os.sep))
    for other in project.app.naming(module.rpartition(".")[2].encode()):
        found = (name for name, _ in imports(project, other))
        if any(means(each, module) or (is_package and f".{module}." in f".{each}") for each in found):
            yield other


def means(imported: str, module: str) -> bool:
    """Whether two dotted names may be those of one module: ``shop.stock`` and ``src.shop.stock``."""
    return f".{module}".endswith(f".{imported}") or f".{imported}".endswith(f".{module}")
