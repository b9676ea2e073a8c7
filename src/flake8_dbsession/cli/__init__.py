"""The command ``dbsession``: finds the subcommand and runs it; nothing else is imported before that."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from .. import __version__

CLEAN, FINDINGS, ERROR, INTERRUPTED = 0, 1, 2, 130
"""What the command exits with."""

SUBCOMMANDS: dict[str, tuple[str, str]] = {
    "check": ("flake8_dbsession.cli.check:main", "report what is wrong with sessions and connections"),
    "fix": ("flake8_dbsession.cli.fix:main", "mend what can be mended"),
    "baseline": ("flake8_dbsession.cli.baseline:main", "put up with the findings of today, and with fewer tomorrow"),
    "explain": ("flake8_dbsession.explain:main", "print the page of a rule"),
    "rules": ("flake8_dbsession.explain:main_rules", "list all rules"),
    "facts": ("flake8_dbsession.cli.facts:main", "print what is known of a module, and why"),
    "pool": ("flake8_dbsession.pool.command:main", "add up what the connection pools may come to"),
    "server": ("flake8_dbsession.editor.server:main", "serve an editor (language server protocol)"),
    "clean": ("flake8_dbsession.cli.clean:main", "forget what is remembered between runs"),
    "schema": ("flake8_dbsession.settings.schema:main", "print the JSON Schema of the configuration"),
}
"""Name -> ``module:function`` and a line of help. The function takes the arguments and returns the exit code."""

Subcommand = Callable[[Sequence[str]], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: this process's) and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINDINGS


def _run(arguments: list[str]) -> int:
    name = arguments[0] if arguments else ""
    if name in ("--version", "-V"):
        print(f"dbsession {__version__}")
        return CLEAN
    if name in ("", "--help", "-h", "help"):
        print(usage())
        return CLEAN if name else ERROR
    if name not in SUBCOMMANDS:
        print(f"dbsession: there is no subcommand {name!r}{_hint(name)}", file=sys.stderr)
        return ERROR
    return _subcommand(name)(arguments[1:])


def usage() -> str:
    """What ``dbsession --help`` prints."""
    width = max(map(len, SUBCOMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, (_, summary) in SUBCOMMANDS.items()]
    return "\n".join(
        [
            "usage: dbsession <subcommand> [options]",
            "",
            "Finds SQLAlchemy sessions and connections that are leaked, held while waiting, or shared, and mends them.",
            "",
            *lines,
            "",
            "`dbsession <subcommand> --help` says more. Exit code: 0 nothing found, 1 findings, 2 an error.",
        ]
    )


def _subcommand(name: str) -> Subcommand:
    from importlib import import_module

    module, function = SUBCOMMANDS[name][0].split(":")
    found: Subcommand = getattr(import_module(module), function)
    return found


def _hint(name: str) -> str:
    if os.path.exists(name):
        return f"; did you mean `dbsession check {name}`?"
    from difflib import get_close_matches

    close = get_close_matches(name, SUBCOMMANDS, 1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(SUBCOMMANDS)}"
