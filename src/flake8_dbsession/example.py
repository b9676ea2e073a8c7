"""The bad and the good example of a rule, read from its fixture: files that tests analyse, fix and run."""

from __future__ import annotations

import pathlib
from typing import NamedTuple

from .source import Source

_HERE = pathlib.Path(__file__).resolve().parent
_FOLDERS = (_HERE / "examples", _HERE.parents[1] / "fixtures")
"""Where examples lie in an installed package, and in a checkout."""


class Example(NamedTuple):
    """``bad`` is reported at the lines that end in ``# <code>``; ``good`` is the same file mended (may be empty).

    ``by_fixer``: it was ``dbsession fix`` that mended it.
    """

    bad: str
    good: str
    by_fixer: bool


def example_of(code: str) -> Example | None:
    """The example of the rule ``code``; None where it has none."""
    folder = next((folder / code for folder in _FOLDERS if (folder / code / "example.py").is_file()), None)
    if folder is None:
        return None
    fixed, mended = folder / "example.fixed.py", folder / "example.mended.py"
    good = next((path for path in (fixed, mended) if path.is_file()), None)
    bad = _marked(Source.read(str(folder / "example.py")))
    return Example(bad, good.read_text("utf-8") if good else "", good == fixed)


def _marked(source: Source) -> str:
    """The file with the codes that are reported in place of the comments that say what a test expects."""
    lines = source.text.splitlines()
    for comment in source.comments:
        kind, _, rest = comment.text.lstrip("# ").partition(" ")
        if kind in ("want", "known-miss", "known-false"):
            codes = " ".join(word for word in rest.split() if word.startswith("ORM")) if kind == "want" else ""
            code = lines[comment.line - 1][: comment.column].rstrip()
            lines[comment.line - 1] = f"{code}  # {codes}" if codes else code
    return "\n".join(lines) + "\n"
