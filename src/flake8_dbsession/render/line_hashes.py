"""The line hashes by which GitHub recognises an alert after lines have moved.

The upload action computes them for results that bring none and warns about those that differ, so they are computed
here just as there: over the hundred characters that follow the start of the line, blanks and tabs left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

_WINDOW = 100
_BASE = 37
_END_OF_FILE = 0xFFFF
_BLANKS = str.maketrans("", "", " \t")
_BITS = 2**64 - 1


def line_hashes(lines: Sequence[str]) -> list[str]:
    """A hash for each of the lines (without newlines, of a file that ends with one), as ``digest:occurrence``."""
    units: list[int] = []
    starts = []
    for line in lines:
        starts.append(len(units))
        units += _utf16(line.translate(_BLANKS) + "\n")
    units += [_END_OF_FILE, *[0] * _WINDOW]
    seen: Counter[str] = Counter()
    hashes = []
    for start in starts:
        digest = f"{_digest(units[start : start + _WINDOW]):x}"
        seen[digest] += 1
        hashes.append(f"{digest}:{seen[digest]}")
    return hashes


def _digest(units: list[int]) -> int:
    value = 0
    for unit in units:
        value = (value * _BASE + unit) & _BITS
    return value


def _utf16(text: str) -> list[int]:
    """The UTF-16 code units of ``text``, as JavaScript counts characters."""
    data = text.encode("utf-16-le", "surrogatepass")
    return [low | high << 8 for low, high in zip(data[::2], data[1::2], strict=True)]
