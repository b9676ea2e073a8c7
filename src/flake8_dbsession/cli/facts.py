"""``dbsession facts PATH [NAME]``: what is known of a module, and why."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from ..facts import Facts
from ..nearest import nearest
from ..settings.reading import ConfigError, load
from ..source import Source, Unreadable
from . import CLEAN, ERROR
from .options import start_of
from .terminal import forgive


def main(argv: Sequence[str]) -> int:
    """Print the facts of the file in ``argv``, or those about one name; 2 where there is no such file or name."""
    options = parser().parse_args(argv)
    try:
        facts = facts_of_file(options.path, options.config, options.isolated)
    except (ConfigError, Unreadable) as error:
        print(f"dbsession facts: {_place(error)}{error}", file=sys.stderr)
        return ERROR
    found = facts.about(options.name) if options.name else facts
    if found is None:
        told = f"nothing is called {options.name!r} in {options.path}{nearest(options.name, _names(facts))}"
        print(f"dbsession facts: {told}", file=sys.stderr)
        return ERROR
    _print(found, options.output_format, with_silent=bool(options.name))
    return CLEAN


def parser() -> ArgumentParser:
    """The options of the subcommand."""
    made = ArgumentParser(
        prog="dbsession facts",
        description="Print what is known of a module: what its functions open, close, keep and wait for, who runs "
        "them, its factories, registries and engines, and who gives their connections back.",
    )
    made.add_argument("path", metavar="PATH", help="a Python file")
    made.add_argument("name", nargs="?", default="", metavar="NAME", help="a function, class or name in it")
    made.add_argument("--output-format", choices=("text", "json"), default="text", help="how they are printed")
    made.add_argument("--config", default="", metavar="FILE", help="use this configuration, not the nearest one")
    made.add_argument("--isolated", action="store_true", help="use no configuration file")
    return made


def facts_of_file(path: str, config: str = "", isolated: bool = False) -> Facts:
    """What is known of the file at ``path``; raises :class:`ConfigError` and :class:`Unreadable`."""
    from ..facts.gather import facts_of
    from ..run import project
    from ..view import View

    settings = load(start_of([path]), config, isolated)
    return facts_of(View(Source.read(path), project(settings)))


def _print(facts: Facts, shape: str, with_silent: bool) -> None:
    if shape == "json":
        from ..facts.packing import packed

        print(json.dumps(packed(facts), indent=2, ensure_ascii=False))
    else:
        from ..facts.text import told

        print(told(facts, with_silent), end="", file=forgive(sys.stdout))


def _names(facts: Facts) -> list[str]:
    found = [function.name for function in facts.functions]
    return found + [one.name for one in facts.classes] + [named.name for named in facts.names]


def _place(error: Exception) -> str:
    if not isinstance(error, Unreadable):
        return ""
    return f"{error.path}:{error.line}:{error.column}: " if error.line else f"{error.path}: "
