"""flake8's door: the reports of one file, from the tree that flake8 has parsed already.

Selecting, ignoring and ``# noqa`` are flake8's business. What ``[tool.dbsession]`` leaves out stays left out here too.
"""

from __future__ import annotations

import ast
import gc
from argparse import Namespace
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from . import __version__
from .config import OPINIONS, Config
from .relevance import may_matter
from .settings import kinds
from .settings.reading import KEYS, ConfigError, load
from .source import Source

if TYPE_CHECKING:
    from flake8.options.manager import OptionManager

    from .cache.one_by_one import OneByOne
    from .model import Diagnostic
    from .run import Outcome

FAULT = "ORM000"
"""The code under which a fault of ours is reported: a plugin that raises would end all of flake8."""
_OPTIONS = tuple(key for key in KEYS if key.in_flake8)


class Plugin:
    """What flake8 makes for each file; the options are the class's, set again in each worker process."""

    name = "flake8-dbsession"
    version = __version__
    config: ClassVar[Config] = Config()

    def __init__(self, tree: ast.Module, filename: str, lines: Sequence[str]) -> None:
        self.tree, self.filename, self.lines = tree, filename, lines

    @classmethod
    def add_options(cls, manager: OptionManager) -> None:
        """Add ``--dbsession-…`` for every setting about the code, and turn the opinions off."""
        for key in _OPTIONS:
            manager.add_option(
                f"--dbsession-{key.name}",
                default=None,
                parse_from_config=True,
                comma_separated_list=key.kind is kinds.texts,
                metavar=key.name.upper(),
                help=key.help,
            )
        manager.extend_default_ignore([OPINIONS])

    @classmethod
    def parse_options(cls, options: Namespace) -> None:
        """Take the configuration: ``pyproject.toml`` first, then what flake8 was told; ends flake8 if it is wrong."""
        try:
            cls.config = load(".")._replace(**_given(options))
        except ConfigError as error:
            from flake8.exceptions import ExecutionError

            raise ExecutionError(f"flake8-dbsession: {error}") from None

    def run(self) -> Iterator[tuple[int, int, str, type[Any]]]:
        """Line, column, ``ORM101 message`` and this class, for each report; never raises."""
        try:
            for report in self._reports():
                yield report.span.line, report.span.column, f"{report.code} {report.message}", type(self)
        except Exception as error:  # whatever it is: the other plugins' reports must still come out
            words = " ".join(f"{type(error).__name__}: {error}".split())
            yield 1, 0, f"{FAULT} this file could not be analysed, please report it: {words}", type(self)

    def _reports(self) -> list[Diagnostic]:
        text = "".join(self.lines)
        data = text.encode("utf-8", "surrogatepass")
        if not may_matter(data):
            return []
        outcome = _remembered(self.config).outcome(self.filename, data, lambda: self._analyzed(data, text))
        found = outcome.diagnostics
        return [report for report in found if self.config.selects(report.code, self.filename, opinions=True)]

    def _analyzed(self, data: bytes, text: str) -> Outcome:
        """All that there is to report of the file, whoever wants it."""
        from .run import few_collections, found

        source = Source(self.filename, data, self.tree)
        source.text = text  # decoded by flake8, whatever a coding cookie says
        with few_collections():
            outcome = found(source, self.config)
        gc.freeze()  # it is kept until flake8 ends, and no collection need look through it before
        return outcome


@lru_cache(maxsize=1)
def _remembered(config: Config) -> OneByOne:
    """What is remembered of a configuration's project, once for this process."""
    from .cache.one_by_one import OneByOne

    return OneByOne(config)


def _given(options: Namespace) -> dict[str, Any]:
    """The settings that flake8's command line or files set."""
    values = ((key, getattr(options, f"dbsession_{key.field}", None)) for key in _OPTIONS)
    return {
        key.field: value if key.kind is kinds.text else _listed(value) for key, value in values if value is not None
    }


def _listed(value: str | Sequence[str]) -> tuple[str, ...]:
    items = value.replace("\n", ",").split(",") if isinstance(value, str) else value
    return tuple(item.strip() for item in items if item.strip())
