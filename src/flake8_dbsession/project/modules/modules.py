"""Modules of the project: which file a dotted name is in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence, Set

from ...files.sources import Answers, Sources, Top
from ...files.texts import Texts
from ...source import Source, Unreadable
from .file_names import FileNames
from .module import Module


class Modules:
    """First-party modules by dotted name, read when first asked.

    ``names`` tells what a file is called, and where imports start from. ``forget`` is told what counts no
    longer as the next file starts from another one: a set of bits, and the modules that are read anew. ``beside`` says
    in which folder another project of the repository has a package, "" for none, and ``starting_with`` which files
    import a top package, or what of it, by its full name.
    """

    def __init__(
        self,
        root: str,
        src: tuple[str, ...],
        forget: Callable[[int, Set[Module]], None] = lambda sources, modules: None,
        sources: Sources | None = None,
        beside: Callable[[str], str] = lambda package: "",
        starting_with: Callable[[bytes], Mapping[str, Sequence[str]]] = lambda package: {},
    ) -> None:
        self.root = root
        self._sources = sources or Sources()
        self.texts = Texts()
        self.names = FileNames(root, src, self._sources, starting_with)
        self._forget = forget
        self._beside = beside
        self._modules: dict[str, Module | None] = {}
        self._looked_at: dict[str, int] = {}
        """What was met to find a module by its name: the bits of its top package, and of the files looked for."""
        self._by_path: dict[str, Module] = {}
        self._read_before: dict[str, Source] = {}
        """What was read, by its path: a module that gets another name need not be parsed again."""
        self.split = Answers(self._sources, self._find_split)
        """The longest prefix of a dotted name that is a module, and the rest."""
        self._analysed: set[str] = set()
        """The top packages of the files that are analysed: a file can have a name that no import leads to."""
        self._asked_for: set[str] = set()
        """The top packages of all names that anybody has looked for."""

    def take_over(self, others: Modules, without: str) -> None:
        """Take what another project has read and parsed, but for the file at ``without``."""
        gone = os.path.abspath(without)
        self.texts = others.texts
        self.texts.lose(gone)
        self._by_path.update((path, module) for path, module in others._by_path.items() if path != gone)
        self._read_before.update((path, source) for path, source in others._read_before.items() if path != gone)

    def lose(self, path: str) -> Module | None:
        """Forget what was read of the file at ``path``, and give it."""
        self.texts.lose(os.path.abspath(path))
        self._read_before.pop(os.path.abspath(path), None)
        module = self._by_path.get(os.path.abspath(path))
        if module is not None:
            self._drop({module})
        return module

    def _drop(self, modules: Set[Module]) -> None:
        """Read modules anew when they are asked for next."""
        self._by_path = {path: found for path, found in self._by_path.items() if found not in modules}
        self._modules = {name: found for name, found in self._modules.items() if found not in modules}
        self.split.clear()

    def importing(self, names: Iterable[str]) -> list[Module]:
        """The modules read so far that import one of some dotted names, directly or not."""
        wanted = set(names)
        rest = dict.fromkeys(self._by_path.values())
        found: list[Module] = []
        while more := [module for module in rest if not wanted.isdisjoint(module.imported)]:
            wanted.update(module.name for module in more)
            wanted.update(name for name, module in self._modules.items() if module in more)
            for module in more:
                del rest[module]
            found += more
        return found

    def of_file(self, source: Source) -> Module:
        """The module of a file that is being analysed."""
        path = os.path.abspath(source.path)
        before = self._read_before.get(path)
        if before is not None and before.data == source.data:
            source.tree = before.tree
        self._read_before[path] = source
        called = self.names.begin(path, source.tree)
        name = called.name
        self._start_from(*self.names.starts(called))
        known = self._by_path.get(path)
        if known is not None and known.name != name:  # whoever imports it by another name has read it first
            self._read_anew({known})
        elif known is not None and known.source.data == source.data and known.path == source.path:
            return known
        module = Module(name, source.path, source, called.is_package, path)
        if name in self._modules:  # somebody was told something else
            self.split.clear()
        self._by_path[path] = self._modules[name] = module
        self.texts.put(path, source.data)
        self._analysed.add(name.partition(".")[0])
        return module

    def _start_from(self, *folders: str) -> None:
        """Imports look into ``folders`` first from here on."""
        ambiguous = self.names.roots.begin(*folders)
        if not ambiguous:
            return
        meant = {name: module for name, module in self._modules.items() if name.partition(".")[0] in ambiguous}
        for name in meant:
            del self._modules[name]
        self.split.clear()
        met = self._sources.met
        others = [name for name, module in meant.items() if self.find(name) is not module]
        self._sources.met = met
        unknown = ambiguous & self._asked_for - {name.partition(".")[0] for name in meant}  # they led to no file
        lost = {module for name in others if (module := meant[name]) is not None and module.name == name}
        if others or unknown:
            self._read_anew(lost, {name.partition(".")[0] for name in others} | unknown)

    def _read_anew(self, modules: Set[Module], tops: Set[str] = frozenset()) -> None:
        """Forget what was learnt of some modules, and by names that begin with ``tops``, and read the modules anew."""
        bit = self._sources.bit
        self._forget(sum({bit(module.file) for module in modules} | {bit(Top(top)) for top in tops}), modules)
        if modules:
            self._drop(modules)

    def find(self, name: str) -> Module | None:
        """The module called ``name``, or None where no file of the project is."""
        if name not in self._modules:
            self._modules[name] = self._load(name)
        found = self._modules[name]
        self._sources.met |= self._looked_at.get(name, 0)
        if found is not None:
            self.meet(found)
        return found

    def meet(self, module: Module) -> None:
        """What is being found rests on the module."""
        self._sources.meet_file(module.file)

    def at(self, path: str) -> Module | None:
        """The module of a file, wherever it is; None where it cannot be read."""
        known = self._by_path.get(os.path.abspath(path))
        self._sources.meet_file(os.path.abspath(path))
        if known is not None:
            return known
        name, _, is_package = self.names.of(path)
        found = self.find(name)
        known = self._by_path.get(os.path.abspath(path))
        return found if found is not None and found is known else self._read(name, path, is_package)

    def _find_split(self, name: str) -> tuple[Module | None, str]:
        if not self.is_first_party(name) and name.partition(".")[0] not in self._analysed:
            return None, name
        end = len(name)
        while end > 0:
            module = self.find(name[:end])
            if module is not None:
                return module, name[end + 1 :]
            end = name.rfind(".", 0, end)
        return None, name

    def _load(self, name: str) -> Module | None:
        relative = name.replace(".", os.sep)
        self._looked_at[name] = self._sources.bit(Top(name.partition(".")[0]))
        for root in self._holding(name):
            path = os.path.join(root, relative)
            folder, last = os.path.split(path)
            inside, package = self.names.folders.inside(folder), os.path.join(path, "__init__.py")
            is_package = last in inside.folders and self.names.folders.has_file(package)
            path = package if is_package else f"{path}.py"
            is_there = is_package or f"{last}.py" in inside.files
            if is_there or "__init__.py" in inside.files:  # one more of a package may come; another package changes all
                self._looked_at[name] |= self._sources.bit(path)
            if is_there:  # even if it cannot be read
                return self._read(name, path, is_package)
        return None

    def _read(self, name: str, path: str, is_package: bool) -> Module | None:
        at = os.path.abspath(path)
        known = self._by_path.get(at)
        if known is not None:
            return known
        shown = os.path.relpath(path, self.root) if path.startswith(self.root) else path
        try:
            source = self._read_before.get(at) or Source.read(shown, at=path)
            module = Module(name, shown, source, is_package, at)
        except Unreadable:
            return None
        self._by_path[at], self._read_before[at] = module, source
        self.texts.put(at, source.data)
        return module

    def starred(self, module: Module, name: str, seen: frozenset[Module] = frozenset()) -> Module | None:
        """The module that binds a name which comes with ``import *``, however many modules hand it on like that."""
        for star in module.names.stars:
            source = self.find(star)
            if source is None or source is module or source in seen:
                continue
            found = source if name in source.names.bindings else self.starred(source, name, seen | {module})
            if found is not None:
                return found
        return None

    def is_first_party(self, name: str) -> bool:
        """Whether the top package of a dotted name is a folder or file of the project."""
        return bool(self._holding(name))

    def _holding(self, name: str) -> Sequence[str]:
        """The folders in which a dotted name may begin; that of another project where none of ours holds it."""
        top = name.partition(".")[0]
        self._asked_for.add(top)
        self._sources.meet_top(top)
        ours = self.names.roots.holding(name)
        beside = self._beside(top) if not ours and name else ""
        return [beside] if beside else ours
