"""``dbsession`` and ``python -m flake8_dbsession``."""

from __future__ import annotations

import gc
import sys

from . import cli

_STAYS = "server"
"""The subcommand that does not end by itself."""


def main() -> int:
    """Run the command line of this process and return the exit code.

    Nothing is looked for that refers to itself and to which nobody refers: syntax trees and what is known of them stay
    until the end, so that a third of the time would be spent to find next to nothing, the look through all of them as
    the interpreter ends included.
    """
    if _STAYS not in sys.argv[1:2]:
        gc.disable()
    code = cli.main()
    gc.freeze()
    return code


if __name__ == "__main__":
    sys.exit(main())
