"""How often the reports of a rule were right on real code: the samples of ``data/precision.toml``, told."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from textwrap import fill
from typing import NamedTuple

HEADING = "Measured precision"
_WIDTH = 116
_HOW = (
    " Samples of public applications, the newest first. Somebody read each report with the code around it, before the "
    "rule was mended by what was read; what could not be decided is not counted as right."
)


class Sample(NamedTuple):
    """``read`` reports from ``where``; ``right`` of them told of a defect, ``others`` says what of the rest."""

    where: str
    read: int
    right: int
    others: str = ""

    def __str__(self) -> str:
        return fill(f"* {self.right} of {self.read} in {self.where}. {self.others}", _WIDTH, subsequent_indent="  ")


def told(code: str) -> str:
    """What is known about the rule ``code``: all of it in one figure, and a line of Markdown for each sample."""
    samples = measured().get(code, ())
    if not samples:
        return "Not measured yet: nobody has read a sample of its reports on real code."
    right, read = sum(sample.right for sample in samples), sum(sample.read for sample in samples)
    share = f"{right} of {read} reports on real code told of a defect ({right / read:.0%})."
    return "\n".join((fill(share + _HOW, _WIDTH), "", *map(str, reversed(samples))))


@cache
def measured() -> dict[str, tuple[Sample, ...]]:
    """The samples by rule, the oldest first."""
    import tomli

    table = tomli.loads((files("flake8_dbsession") / "data" / "precision.toml").read_text("utf-8"))
    return {code: tuple(Sample(**row) for row in rows) for code, rows in table.items()}
