"""``dbsession pool``: what the project's pools may come to, where each number comes from, and what would fit."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from ..settings.reading import ConfigError, load
from . import report
from .budget import budgets
from .survey import Survey


def main(argv: Sequence[str] | None = None) -> int:
    """Print the budget of the project at PATH. 0: it fits or cannot be said; 1: it does not fit; 2: unusable input."""
    parser = argparse.ArgumentParser(
        prog="dbsession pool",
        description="Add up processes × (pool_size + max_overflow) and compare with what the server takes.",
    )
    parser.add_argument("path", nargs="?", default=".", help="the project's folder (default: the current one)")
    parser.add_argument("--output-format", choices=("text", "json"), default="text")
    parser.add_argument("--config", default="", help="the file with the configuration")
    options = parser.parse_args(argv)
    if not os.path.isdir(options.path):
        print(f"dbsession pool: {options.path}: no such folder", file=sys.stderr)
        return 2
    try:
        config = load(options.path, options.config)
    except ConfigError as error:
        print(f"dbsession pool: {error}", file=sys.stderr)
        return 2
    root = os.path.abspath(options.path)
    found = budgets(Survey(root, root, config.pool, parts=True))
    if options.output_format == "json":
        print(json.dumps(report.value(found, root), indent=2, ensure_ascii=False))
    else:
        print(report.text(found, root), end="")
    return 1 if any(budget.verdict == "over" for budget in found) else 0
