"""What a file is called by those who import it: the dotted name of its module, and the folder that it begins in."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ...files.declared import PROJECT_FILES
from ...files.folders import Folders
from ...files.sources import Sources
from .roots import Roots, folders_between, is_module, root_of


class FileName(NamedTuple):
    """The dotted name of a file, the folder that it begins in, and whether the file is that of a package."""

    name: str
    folder: str
    is_package: bool


class FileNames:
    """The names of the files below ``root``, whose imports may start from one of the folders ``src`` in it.

    ``starting_with`` says which files import a top package, or what of it, by its full name.
    """

    def __init__(
        self,
        root: str,
        src: tuple[str, ...],
        sources: Sources,
        starting_with: Callable[[bytes], Mapping[str, Sequence[str]]] = lambda package: {},
    ) -> None:
        self.root = root
        self.folders = Folders()
        self.roots = Roots()
        """The folders that imports start from: those of the project, and of the file that is analysed."""
        for folder in src:
            self.roots.add(os.path.normpath(os.path.join(root, folder)))
        self._sources = sources
        self._starting_with = starting_with
        self._start: str | None = None
        """The folder that the imports of the analysed file show that they start from; None where they do not."""

    def begin(self, path: str, tree: ast.Module) -> FileName:
        """As :meth:`of`, of a file that is analysed from here on: its own imports tell what it is called."""
        shown = root_of(path, self.root, tree, self._is_there, PROJECT_FILES)
        self._start = shown if shown is not None else self._shown_beside(path)
        return self.of(path, self.roots.of_project)

    def starts(self, analysed: FileName) -> Iterable[str]:
        """The folders that the imports of the analysed file start from."""
        return filter(os.path.isdir, (analysed.folder, self._start or self._project_above(analysed.folder)))

    def of(self, path: str, roots: Iterable[str] | None = None) -> FileName:
        """What the file at ``path`` is called.

        It begins where the imports of the analysed file start, or else in one of ``roots``; None means that file's.
        """
        stem = os.path.basename(path).removesuffix(".py")
        is_package = stem == "__init__"
        folder, packages = self._begun(*self._package_around(path), at_least=int(is_package))
        parts = packages if is_package else [*packages, stem]
        if folder == self._start:
            return FileName(".".join(parts), folder, is_package)
        start = () if self._start is None else (self._start,)
        # namespace packages: a configured root above wins over the folder itself
        for root in (*start, *(self.roots if roots is None else roots)):
            if folder.startswith(root + os.sep) and root != self.root:
                parts = [*os.path.relpath(folder, root).split(os.sep), *parts]
                return FileName(".".join(parts), root, is_package)
        above = self._project_above(folder)
        if folder.startswith(above + os.sep) and not parts[0].startswith("."):
            inner = os.path.relpath(folder, above).split(os.sep)
            if all(part.isidentifier() for part in inner) and inner[0] != "src":
                folder = above if self._is_inside_package(folder, above) else folder
                return FileName(".".join([*inner, *parts]), folder, is_package)
        return FileName(".".join(parts), folder, is_package)

    def _begun(self, folder: str, packages: list[str], at_least: int) -> tuple[str, list[str]]:
        """Some packages below ``folder``, from where the analysed file's imports start if that is one of them.

        It is where a program is started in a package, as by ``python src/main.py`` beside ``src/__init__.py``.
        """
        outer = [] if self._start is None else folders_between(folder, self._start)
        if outer and packages[: len(outer)] == outer and len(packages) - len(outer) >= at_least:
            return os.path.join(folder, *outer), packages[len(outer) :]
        return folder, packages

    def _shown_beside(self, path: str) -> str | None:
        """Where the imports of a file somewhere in a package start from, of which only other files of it tell.

        As most of them do, where they start from several folders.
        """
        folder, package = self._package_around(path)
        while not package and folder.startswith(self.root + os.sep):
            folder, package = self._package_around(folder)
        if not package:
            return None
        inner = folders_between(folder, os.path.dirname(path))
        shown = [len(self._starting_from(folder, *inner[:depth], package=inner[depth])) for depth in range(len(inner))]
        most = max(shown)
        return os.path.join(folder, *inner[: shown.index(most)]) if most else None

    def _starting_from(self, folder: str, *packages: str, package: str) -> set[str]:
        """The files of the outermost package in ``folder`` whose imports start from the last of ``packages`` in it, and
        which import something of the ``package`` there by its full name.

        Such a package may be called like a library, so that something has to be a module which stands there.
        """
        start, inside = os.path.join(folder, *packages), os.path.join(folder, *packages[:1] or (package,), "")
        imported = self._starting_with(package.encode())
        own = [name for name in imported if not packages or ("." in name and is_module(start, name, self._is_there))]
        return {path for name in own for path in imported[name] if path.startswith(inside)}

    def _package_around(self, path: str) -> tuple[str, list[str]]:
        """The folder above the outermost package around a file, and the packages from there on."""
        folder, package = os.path.dirname(path), list[str]()
        while self.folders.has_file(os.path.join(folder, "__init__.py")):
            folder, name = os.path.split(folder)
            package.insert(0, name)
        return folder, package

    def _is_inside_package(self, folder: str, above: str) -> bool:
        """Whether a package that is marked as one lies around a folder, somewhere below ``above``."""
        while len(folder) > len(above):
            if self.folders.has_file(os.path.join(folder, "__init__.py")):
                return True
            folder = os.path.dirname(folder)
        return False

    def _project_above(self, folder: str) -> str:
        """The folder that the modules of the nearest project around ``folder`` are named from; the root for none."""
        above = folder
        while above.startswith(self.root + os.sep):
            if any(self.folders.has_file(os.path.join(above, name)) for name in PROJECT_FILES):
                source = os.path.join(above, "src")
                return source if folder == source or folder.startswith(source + os.sep) else above
            above = os.path.dirname(above)
        return self.root

    def _is_there(self, path: str) -> bool:
        self._sources.meet_file(path)
        return self.folders.has_file(path)
