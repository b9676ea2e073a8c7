"""``dbsession`` and ``python -m flake8_dbsession``."""

from __future__ import annotations

import gc
import sys

from . import cli


def main() -> int:
    """Run the command line of this process and return the exit code."""
    code = cli.main()
    gc.freeze()  # the process ends: looking through all that is left for what nobody needs takes a fifth of its time
    return code


if __name__ == "__main__":
    sys.exit(main())
