"""Analyses the texts that a file may become. What has been read of other files serves for every text of every file."""

from __future__ import annotations

from functools import lru_cache

from ..analyze import analyze
from ..config import Config
from ..model import Diagnostic
from ..project.modules import Modules
from ..project.project import Project
from ..run import project
from ..source import Source
from ..suppress import suppress


class Attempts:
    """Every finding in each text of one file after another, so that no fix brings one that was not asked for.

    Each text gets a project of its own: what another one has learnt is about the text before.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.every = config._replace(select=(), ignore=(), extend_select=(), extend_ignore=())
        self._read: Modules = project(config).modules

    @property
    def are_all_told(self) -> bool:
        """Whether a check with this configuration tells every finding already."""
        return self.config == self.every

    def analyse(self, data: bytes, path: str) -> list[Diagnostic]:
        """The findings in ``data`` as the content of the file at ``path``."""
        source = Source(path, data)
        fresh = Project(self.config, self.config.root)
        fresh.modules.take_over(self._read, path)
        self._read = fresh.modules
        found = [d for d in analyze(source, fresh) if self._is_wanted(d.code, path)]
        return suppress(source, found).kept

    def _is_wanted(self, code: str, path: str) -> bool:
        return self.config.selects(code, path) or self.every.selects(code, path)

    def finish(self, path: str) -> None:
        """The file at ``path`` has got its text: none of those that were tried counts for others."""
        self._read.drop(path)


@lru_cache(maxsize=4)
def attempts(config: Config) -> Attempts:
    """The attempts with a configuration, one for this process."""
    return Attempts(config)
