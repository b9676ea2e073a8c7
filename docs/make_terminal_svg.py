"""Draws docs/terminal.svg from a real run of ``dbsession check`` on a part of the sample in fixtures/reference.

    python docs/make_terminal_svg.py

The files are copied to a temporary folder first, without the comments that say what the tests expect there.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "terminal.svg"
SAMPLE = ROOT / "fixtures" / "reference" / "storefront"
SHOWN = ("coupons.py", "monitor.py")
COMMAND = ("dbsession", "check", "--ignore=ORM4", *(f"storefront/{name}" for name in SHOWN))

WIDTH, HEIGHT, MARGIN = 8.4, 19, 16
"""Of a character, of a line, around the text, in pixels."""
COLOURS = {"31": "#f47067", "32": "#8ddb8c", "33": "#f0b24a", "36": "#76c7d4"}
NO_BREAK = "\N{NO-BREAK SPACE}"
"""Other spaces are drawn as one."""
INK, FAINT, PAPER = "#d5dbe3", "#7d8794", "#1c2128"
_STYLE = re.compile(r"\033\[([0-9;]*)m")


def main() -> None:
    PICTURE.write_text(drawn(), "utf-8")


def drawn() -> str:
    """The picture of a run now."""
    return svg([f"$ {' '.join(COMMAND)}", *output().splitlines()])


def output() -> str:
    """What the command writes on a terminal with colours."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "storefront"
        shutil.copytree(SAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.fixed.py"))
        (Path(folder) / "dbsession.toml").write_text("")
        for path in copy.glob("*.py"):
            path.write_text(without_wants(path.read_text("utf-8")), "utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "flake8_dbsession", "check", "--color=always", *COMMAND[2:]],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUTF8": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
        )
    return done.stdout.decode()


def without_wants(text: str) -> str:
    """The source without the comments that begin with ``want``."""
    lines = text.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and token.string.startswith("# want"):
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip() + "\n"
    return "".join(lines)


def svg(lines: list[str]) -> str:
    """The lines, with their colours, as a picture of a terminal."""
    columns = max(len(_STYLE.sub("", line)) for line in lines)
    width, height = columns * WIDTH + 2 * MARGIN, len(lines) * HEIGHT + 2 * MARGIN
    rows = "\n".join(_row(line, MARGIN + (number + 0.75) * HEIGHT) for number, line in enumerate(lines) if line)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}">\n'
        f"<title>{escape(' '.join(COMMAND))}</title>\n"
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>\n'
        f"<g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" "
        f'font-size="14" fill="{INK}">\n{rows}\n</g>\n</svg>\n'
    )


def _row(line: str, y: float) -> str:
    parts = []
    column = 0
    for text, look in _runs(line):
        if text.strip():
            place = f'x="{MARGIN + column * WIDTH:g}" textLength="{len(text) * WIDTH:g}"'
            parts.append(f"<tspan {place}{look}>{escape(text).replace(' ', NO_BREAK)}</tspan>")
        column += len(text)
    return f'<text y="{y:g}">{"".join(parts)}</text>'


def _runs(line: str) -> Iterator[tuple[str, str]]:
    """The pieces of a line, each with its looks as attributes."""
    pieces = _STYLE.split(line)
    yield pieces[0], ""
    for codes, text in zip(pieces[1::2], pieces[2::2], strict=True):
        yield text, _look(codes.split(";"))


def _look(codes: list[str]) -> str:
    bold = ' font-weight="bold"' if "1" in codes else ""
    colour = next((COLOURS[code] for code in codes if code in COLOURS), FAINT if "2" in codes else "")
    return bold + (f' fill="{colour}"' if colour else "")


if __name__ == "__main__":
    main()
