"""How often the reports of a rule were right on real code: ``data/precision.toml`` in a sentence."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

HEADING = "Measured precision"


class Precision(NamedTuple):
    """So many reports were ``read`` by hand, so many told of a defect; ``source`` says which code that was."""

    read: int
    true: int
    source: str

    def __str__(self) -> str:
        share = f"{self.true} of {self.read} reports on real code told of a defect ({self.true / self.read:.0%})."
        return f"{share} {self.source}"


def told(code: str) -> str:
    """What is known about the rule ``code``."""
    found = measured().get(code)
    return (
        str(found) if found is not None else "Not measured yet: nobody has read a sample of its reports on real code."
    )


@cache
def measured() -> dict[str, Precision]:
    """The figures by rule."""
    import tomli

    table = tomli.loads((files("flake8_dbsession") / "data" / "precision.toml").read_text("utf-8"))
    return {code: Precision(**row) for code, row in table.items()}
