"""``dbsession clean``: forget what is remembered between runs."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from ..settings.reading import ConfigError, load
from . import CLEAN, ERROR
from .options import start_of


def main(argv: Sequence[str]) -> int:
    """Remove the caches of the projects that ``argv`` names; 2 where one cannot be removed."""
    options = parser().parse_args(argv)
    try:
        folders = {_folder(path, options.cache_dir) for path in options.paths}
    except ConfigError as error:
        print(f"dbsession clean: {error}", file=sys.stderr)
        return ERROR
    return max(_clean(folder) for folder in sorted(folders))


def parser() -> ArgumentParser:
    """The options of the subcommand."""
    made = ArgumentParser(prog="dbsession clean", description="Remove the cache of a project.")
    made.add_argument(
        "paths", nargs="*", default=["."], metavar="PATH", help='a project, or a path in it (default ".")'
    )
    made.add_argument("--cache-dir", default=None, metavar="FOLDER", help="where it is (default: as configured)")
    return made


def _folder(path: str, given: str | None) -> str:
    config = load(start_of([path]))
    return os.path.join(config.root, config.cache_dir if given is None else given)


def _clean(folder: str) -> int:
    from ..cache import clean

    try:
        if clean(folder):
            print(f"{os.path.relpath(folder)} removed", file=sys.stderr)
    except OSError as error:
        print(f"dbsession clean: {folder}: cannot be removed: {error.strerror}", file=sys.stderr)
        return ERROR
    return CLEAN
