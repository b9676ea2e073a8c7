"""The figures of all applications as tables in ``docs/proofs.md``, with a plot for each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .plot import plot

FIGURES = {
    "jobs done": lambda f: f"{f['done']} of {f['jobs']}",
    "jobs a second": lambda f: f"{f['jobs per second']:.2f}",
    "connections to the server, most": lambda f: f["connections, most"],
    "held, most": lambda f: f["held, most"],
    "held, mean": lambda f: f["held, mean"],
    "held idle, most": lambda f: f["held idle, most"],
    "**held idle, mean**": lambda f: f"**{f['held idle, mean']}**",
    "longest idle hold, s": lambda f: f["longest idle hold"],
    "pool timeouts": lambda f: f["pool timeouts"],
    "refused by the server": lambda f: f["refused by the server"],
    "wrong rows at the end": lambda f: f["wrong rows"],
}


def write(found: dict[str, Any], folder: Path) -> None:
    """Renews the plots, and the part of the page that is about applications."""
    for name, app in found["apps"].items():
        (folder / f"proofs-{name}.svg").write_text(plot(app["title"], app["series"]["before"], app["series"]["after"]))
    replace(folder / "proofs.md", "applications", "\n".join(section(name, app) for name, app in found["apps"].items()))


def as_json(found: dict[str, Any]) -> str:
    """The figures in JSON, a line for each application and version of its series."""
    return json.dumps(found, separators=(",", ": ")).replace('"title"', '\n"title"').replace("]]", "]]\n") + "\n"


def replace(page: Path, part: str, text: str) -> None:
    """Puts ``text`` between the marks of ``part``."""
    begin, end = f"<!-- {part} -->\n", f"<!-- end of {part} -->\n"
    before, _, rest = page.read_text("utf-8").partition(begin)
    page.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}", "utf-8")


def section(name: str, app: dict[str, Any]) -> str:
    """One application: what was found and fixed, its figures, its plot."""
    before, after = app["before"], app["after"]
    rows = [f"| {words} | {of(before)} | {of(after)} |" for words, of in FIGURES.items()]
    return "\n".join(
        [
            f"### {name}: {app['title']}",
            "",
            f"{_reported(app)} {_left(app)} {_same(app)}",
            "",
            "| | as written | fixed |",
            "|---|---:|---:|",
            *rows,
            "",
            f"![{app['title']}: connections over time](proofs-{name}.svg)",
            "",
        ]
    )


def _reported(app: dict[str, Any]) -> str:
    codes = ", ".join(f"{code} × {number}" for code, number in app["found"].items())
    return f"{app['server']}. Reported: {codes}."


def _left(app: dict[str, Any]) -> str:
    if not app["left"]:
        return "`dbsession fix --unsafe-fixes` mends all of it."
    left = "; ".join(f"{code} × {number}" for code, number in app["left"].items())
    return f"After `dbsession fix --unsafe-fixes` there is left: {left}."


def _same(app: dict[str, Any]) -> str:
    if app["same results"]:
        return "One job after the other, both versions answer the same and leave the same rows."
    return "One job after the other, the two versions do **not** leave the same."
