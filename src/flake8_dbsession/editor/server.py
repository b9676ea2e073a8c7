"""``dbsession server``: the door for editors, by the language server protocol over standard input and output."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Serve one editor until it leaves; 2 when pygls is not installed."""
    parser = argparse.ArgumentParser(
        prog="dbsession server",
        description="Serve an editor over standard input and output (language server protocol).",
    )
    parser.add_argument("--stdio", action="store_true", help="accepted because editors pass it; there is no other way")
    parser.parse_args(argv)
    try:
        from .language_server import create
    except ImportError as error:
        told = "needs pygls 2; install it with: pip install 'flake8-dbsession[lsp]'"
        print(f"dbsession server: {told} ({error})", file=sys.stderr)
        return 2
    create().start_io()
    return 0
