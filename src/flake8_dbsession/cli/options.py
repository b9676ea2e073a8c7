"""The options that ``check`` and ``fix`` share, and the configuration that they make together with the files."""

from __future__ import annotations

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace, _ArgumentGroup
from collections.abc import Sequence
from typing import Any

from ..config import Config
from ..run import STDIN
from ..settings.kinds import codes
from ..settings.reading import ConfigError, load


def add_selection(parser: ArgumentParser) -> None:
    """Which rules, in which files."""
    group = parser.add_argument_group("rules")
    _codes(group, "--select", "report only these codes or prefixes, whatever the configuration says; ALL for every one")
    _codes(group, "--ignore", "leave out these codes or prefixes, instead of the configured ones")
    _codes(group, "--extend-select", "report these besides the selected ones")
    _codes(group, "--extend-ignore", "leave out these besides the ignored ones")
    group.add_argument(
        "--per-file-ignores",
        type=_by_pattern,
        action="append",
        metavar="PATTERN:CODES",
        help="leave out codes in files",
    )


def add_files(parser: ArgumentParser) -> None:
    """Which files, and which configuration."""
    parser.add_argument(
        "paths",
        nargs="*",
        default=["."],
        metavar="PATH",
        help='files, folders or globs (default "."); "-" for the input',
    )
    group = parser.add_argument_group("files")
    group.add_argument(
        "--exclude", type=_listed, action="extend", metavar="PATTERNS", help="leave out, as in .gitignore"
    )
    group.add_argument("--force-exclude", action="store_true", help="leave out excluded files even if they are named")
    group.add_argument("--stdin-filename", default="", metavar="PATH", help='what the input is called when PATH is "-"')
    group.add_argument("--config", default="", metavar="FILE", help="use this configuration, not the nearest one")
    group.add_argument("--isolated", action="store_true", help="use no configuration file")


def add_running(parser: ArgumentParser) -> None:
    """How the work is done."""
    group = parser.add_argument_group("running")
    group.add_argument("--jobs", "-j", type=_jobs, default=0, metavar="N", help="worker processes (default: as fits)")
    group.add_argument("--no-cache", action="store_true", help="remember nothing between runs")
    group.add_argument("--cache-dir", default=None, metavar="FOLDER", help="where to remember")
    group.add_argument("--quiet", "-q", action="store_true", help="print nothing but findings and errors")
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="use terminal colours")
    group.add_argument("--debug", action="store_true", help="print the traceback of a fault in dbsession")


def add_executor(parser: ArgumentParser) -> None:
    """Where the work is done."""
    group = parser.add_argument_group("beyond one machine")
    group.add_argument("--executor", choices=("local", "dask"), default="local", help="check here or on a Dask cluster")
    group.add_argument("--scheduler", default="", metavar="URL", help="address of the cluster: tcp://host:8786")


def configured(options: Namespace) -> Config:
    """The configuration of the files, with what the options say instead; raises :class:`ConfigError`."""
    if options.config and not os.path.isfile(options.config):
        raise ConfigError(f"{options.config}: no such file")
    config = load(start_of(paths_of(options)), options.config, options.isolated)
    if options.select is not None:
        config = config._replace(select=(), ignore=(), extend_select=(), extend_ignore=())
    given: dict[str, Any] = {field: tuple(value) for field in _LISTS if (value := getattr(options, field)) is not None}
    added = {f"extend_{field}": given.pop(f"extend_{field}", ()) for field in ("select", "ignore")}
    config = config._replace(**given)
    return config._replace(
        extend_select=config.extend_select + added["extend_select"],
        extend_ignore=config.extend_ignore + added["extend_ignore"],
        extend_exclude=config.extend_exclude + tuple(options.exclude or ()),
        cache_dir="" if options.no_cache else config.cache_dir if options.cache_dir is None else options.cache_dir,
    )


def paths_of(options: Namespace) -> list[str]:
    """The paths that are meant: for the input, what it is called."""
    return [options.stdin_filename or STDIN] if options.paths == [STDIN] else options.paths


def start_of(paths: Sequence[str]) -> str:
    """Where the search for a configuration begins: here, unless a path leads out of here."""
    here = os.getcwd()
    absolute = [os.path.abspath(path) for path in paths]
    if all(path == here or path.startswith(os.path.join(here, "")) for path in absolute):
        return here
    try:
        common = os.path.commonpath(absolute)
    except ValueError:  # several drives
        return here
    return common if os.path.isdir(common) else os.path.dirname(common)


_LISTS = ("select", "ignore", "extend_select", "extend_ignore", "per_file_ignores")


def _codes(group: _ArgumentGroup, name: str, help: str) -> None:
    group.add_argument(name, type=_code_list, action="extend", metavar="CODES", help=help)


def _listed(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def _code_list(value: str) -> Sequence[str]:
    try:
        return list(codes.read(_listed(value)))
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _by_pattern(value: str) -> tuple[str, tuple[str, ...]]:
    pattern, colon, listed = value.rpartition(":")
    if not colon:
        raise ArgumentTypeError(f"expected a pattern, a colon and codes, not {value!r}")
    return pattern, tuple(_code_list(listed))


def _jobs(value: str) -> int:
    if value == "auto":
        return 0
    if not value.isdigit() or value == "0":
        raise ArgumentTypeError(f"expected a positive number or auto, not {value!r}")
    return int(value)
