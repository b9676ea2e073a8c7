"""What a proof may expect of a number or a word that is not the same in every run. Each equals what fits it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Fitting:
    """Equal to every value that ``fits``; shown as ``words``."""

    def __init__(self, words: str, fits: Callable[[Any], bool]) -> None:
        self.words, self.fits = words, fits

    def __eq__(self, other: object) -> bool:
        return self.fits(other)

    def __hash__(self) -> int:
        return hash(self.words)

    def __repr__(self) -> str:
        return self.words


def at_least(least: float) -> Any:
    """Any number from ``least`` on."""
    return Fitting(f"at least {least:g}", lambda value: value >= least)


def at_most(most: float) -> Any:
    """Any number up to ``most``."""
    return Fitting(f"at most {most:g}", lambda value: value <= most)


def anything_but(value: Any) -> Any:
    """Whatever is not equal to ``value``."""
    return Fitting(f"anything but {value!r}", lambda seen: seen != value)


def contains(part: Any) -> Any:
    """Any text or collection that has ``part`` in it."""
    return Fitting(f"contains {part!r}", lambda seen: part in seen)
