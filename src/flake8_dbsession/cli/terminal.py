"""What can be said to a terminal."""

from __future__ import annotations

import os
from typing import IO


def wants_colour(choice: str, stream: IO[str]) -> bool:
    """Whether to write colours: as ``choice`` (auto, always, never) says, else ``NO_COLOR`` and ``FORCE_COLOR``, else
    whether ``stream`` is a terminal that has them."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
