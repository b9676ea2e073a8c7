"""Runs the applications of ``fixtures/apps`` under load, as written and after our fixes.

``python tests/prove.py [APP…]`` needs MariaDB, PostgreSQL, Redis and RabbitMQ on this machine. It prints what the tool
says of each application, what its fixes changed, and the figures of both versions; ``--write`` renews
``docs/proofs.md``, its plots and ``docs/proofs.json``.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import tempfile
from collections import Counter
from typing import Any

from proofs.apps import page
from proofs.apps.app import App, apps, lay_out, report, unfixed
from proofs.apps.figures import figures, moments
from proofs.apps.run import Run, run

DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"


def main() -> None:
    """Proves, prints, and writes if it was told to."""
    every = {app.name: app for app in apps()}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("apps", nargs="*", metavar="APP", help=f"of {', '.join(every)} (default: all)")
    parser.add_argument("--write", action="store_true", help="renew the documents")
    options = parser.parse_args()
    found = {name: prove(every[name]) for name in options.apps or every}
    if options.write:
        file = DOCS / "proofs.json"
        known = json.loads(file.read_text()) if file.exists() else {"apps": {}}
        known["apps"] = dict(sorted({**known["apps"], **found}.items()))
        file.write_text(page.as_json(known))
        page.write(known, DOCS)


def prove(app: App) -> dict[str, Any]:
    """Both versions of ``app``, one after the other."""
    with tempfile.TemporaryDirectory() as place:
        before, after, fixed = lay_out(app, pathlib.Path(place))
        print(f"\n===== {app.name}: {app.plan.TITLE}\n\n{report(before)}\n{fixed.log}\n{fixed.diff}", flush=True)
        as_written, as_fixed = run(app, before), run(app, after)
    found = {
        "title": app.plan.TITLE,
        "server": app.plan.SERVER,
        "found": _count(fixed.findings),
        "left": _count(fixed.left),
        "unfixed": unfixed(fixed.log),
        "before": figures(as_written),
        "after": figures(as_fixed),
        "same results": as_written.first_answer == as_fixed.first_answer,
        "series": {"before": _series(as_written), "after": _series(as_fixed)},
    }
    print(page.section(app.name, found), flush=True)
    return found


def _count(findings: list[dict[str, Any]]) -> dict[str, int]:
    return dict(sorted(Counter(finding["code"] for finding in findings).items()))


def _series(run: Run) -> list[list[float]]:
    """The moments at which something changed, and the last."""
    rows = [list(moment[:4]) for moment in moments(run)]
    return [row for before, row in zip([[], *rows], rows, strict=False) if row[1:] != before[1:] or row is rows[-1]]


if __name__ == "__main__":
    main()
