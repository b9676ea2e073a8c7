"""The figures of all applications as tables in ``docs/proofs.md``, with a plot for each."""

from __future__ import annotations

import json
from collections.abc import Callable
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
    replace(folder / "proofs.md", "goals", goals(found["apps"]))
    replace(folder / "proofs.md", "applications", "\n".join(section(name, app) for name, app in found["apps"].items()))


GOALS: dict[str, Callable[[dict[str, Any]], tuple[str, bool]]] = {
    "held idle falls by 90 %": lambda app: (f"{fall(app):.0%}", fall(app) >= 0.9),
    "no idle hold over 5 s": lambda app: (
        f"{app['after']['longest idle hold']} s",
        app["after"]["longest idle hold"] <= 5,
    ),
    "no 1040, no pool timeout": lambda app: (str(_refusals(app["after"])), not _refusals(app["after"])),
    "throughput not lower": lambda app: (f"× {gain(app):.2f}", gain(app) >= 0.95),
    "same results and rows": lambda app: ("yes" if app["same results"] else "no", app["same results"]),
    "no wrong rows": lambda app: (str(app["after"]["wrong rows"]), not app["after"]["wrong rows"]),
}
"""By goal: what was reached after the fixes, and whether that is enough. A twentieth of the throughput is noise."""


def goals(apps: dict[str, Any]) -> str:
    """A table of every goal for every application."""
    lines = [f"| | {' | '.join(GOALS)} |", f"|---|{'---|' * len(GOALS)}"]
    for name, app in apps.items():
        reached = [of(app) for of in GOALS.values()]
        lines.append(f"| {name} | {' | '.join(words if met else f'**not met: {words}**' for words, met in reached)} |")
    return "\n".join([*lines, ""])


def fall(app: dict[str, Any]) -> float:
    """By which part the mean of connections held idle falls."""
    before, after = (app[version]["held idle, mean"] for version in ("before", "after"))
    return 1 - after / before if before else 1.0


def gain(app: dict[str, Any]) -> float:
    """The throughput after over that before."""
    return float(app["after"]["jobs per second"] / app["before"]["jobs per second"])


def _refusals(figures: dict[str, Any]) -> int:
    return int(figures["refused by the server"] + figures["pool timeouts"])


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
            *_unfixed(app),
        ]
    )


def _reported(app: dict[str, Any]) -> str:
    codes = ", ".join(f"{code} × {number}" for code, number in app["found"].items())
    return f"{app['server']}. Reported: {codes}."


def _left(app: dict[str, Any]) -> str:
    if not app["unfixed"]:
        return "`dbsession fix --unsafe-fixes` mends all of it."
    return "`dbsession fix --unsafe-fixes` does not mend what is listed below the plot."


def _unfixed(app: dict[str, Any]) -> list[str]:
    """What the fix left, with its reason; a finding that is left and not reported any more says so."""
    lines, left = [], dict(app["left"])
    for place, code, reason in app["unfixed"]:
        still = "" if left.get(code) else " (not reported any more)"
        lines.append(f"* `{place.rsplit(':', 1)[0]}` {code}, not fixed: {reason}{still}")
        left[code] = left.get(code, 0) - 1 if left.get(code) else 0
    return [*lines, ""] if lines else []


def _same(app: dict[str, Any]) -> str:
    if app["same results"]:
        return "One job after the other, both versions answer the same and leave the same rows."
    return "One job after the other, the two versions do **not** leave the same."
