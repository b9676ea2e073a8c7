"""Analyses the texts that a file may become. What has been read of other files serves for every text of every file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from ..analyze import analyze
from ..config import Config
from ..fix.affected import affected, unit_at
from ..fix.changed import changed, units
from ..model import Diagnostic
from ..project.modules.module import Module
from ..project.project import Project
from ..run import project
from ..source import Source
from ..suppress import suppress


class Known(NamedTuple):
    """A text of which every finding is known."""

    source: Source
    found: tuple[Diagnostic, ...]


class Attempts:
    """Every finding in each text of one file after another, so that no fix brings one that was not asked for.

    What was learnt about other files serves on. Where a text differs from the first one inside of functions only, no
    function is followed but those and whatever mentions them; the findings in the others stay what they were.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.every = config._replace(select=(), ignore=(), extend_select=(), extend_ignore=())
        self.project = project(config)
        self._first: Known | None = None

    @property
    def are_all_told(self) -> bool:
        """Whether a check with this configuration tells every finding already."""
        return self.config == self.every

    def begin(self, path: str, data: bytes, found: Sequence[Diagnostic] | None) -> None:
        """Begin with the file at ``path``, where ``found`` is all that there is in ``data``; None: nobody knows."""
        self._first = None if found is None else Known(Source(path, data), tuple(found))

    def analyse(self, data: bytes, path: str) -> list[Diagnostic]:
        """The findings in ``data`` as the content of the file at ``path``."""
        source = Source(path, data)
        found = self._compared(self._first, source) if self._first is not None else None
        if found is not None:
            return suppress(source, found).kept
        every = self.analyse_all(data, path)
        self._first = self._first or Known(source, tuple(every))
        return every

    def analyse_all(self, data: bytes, path: str) -> list[Diagnostic]:
        """The same, with every function of the file followed.

        Where more than functions has changed, nothing is believed that was learnt about others.
        """
        source = Source(path, data)
        if self._first is not None and changed(self._first.source, source) is not None:
            self.project.lose(path)
        else:
            known, self.project = self.project, Project(self.config, self.config.root)
            self.project.modules.take_over(known.modules, path)
        return suppress(source, self._wanted(analyze(source, self.project), path)).kept

    def _compared(self, first: Known, source: Source) -> list[Diagnostic] | None:
        """The findings by those of the first text; None where that differs by more than what functions do inside."""
        differs = changed(first.source, source)
        if differs is None:
            return None
        self.project.lose(source.path)
        module = self.project.modules.of_file(source)
        only = affected(source.tree, differs.functions, frozenset(self._ways_back(module)))
        now, before = list(units(source.tree)), list(units(first.source.tree))
        others = [d for d in first.found if unit_at(d.span.line, before) not in only]
        moved = [differs.shifted(other) for other in others]
        more = {unit_at(d.span.line, before) for d, new in zip(others, moved, strict=True) if new is None}
        found = self._wanted(analyze(source, self.project, only | more), source.path)
        stay = (new for d, new in zip(others, moved, strict=True) if new and unit_at(d.span.line, before) not in more)
        return sorted([*stay, *(d for d in found if unit_at(d.span.line, now) in only | more)], key=place)

    def _ways_back(self, module: Module) -> Iterator[str]:
        """The names of a module that stand for something in modules that import it again, directly or not."""
        back = {other.name for other in self.project.modules.importing([module.name])}
        for name, binding in module.names.bindings.items():
            imported = binding.imported or ""
            if imported in back or imported.rpartition(".")[0] in back:
                yield name

    def _wanted(self, found: list[Diagnostic], path: str) -> list[Diagnostic]:
        return [d for d in found if self.config.selects(d.code, path) or self.every.selects(d.code, path)]

    def finish(self, path: str) -> None:
        """The file at ``path`` has got its text: none of those that were tried counts for others."""
        self.project.lose(path)
        self._first = None


def place(diagnostic: Diagnostic) -> tuple[object, ...]:
    return diagnostic.span, diagnostic.code, diagnostic.message


@lru_cache(maxsize=4)
def attempts(config: Config) -> Attempts:
    """The attempts with a configuration, one for this process."""
    return Attempts(config)
