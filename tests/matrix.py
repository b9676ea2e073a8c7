"""Runs the proofs of the rules on other releases, each in a virtual environment of its own.

``python tests/matrix.py [NAME…]`` makes the environments that are missing (``--folder``, default ``.matrix``; the
packages come from where pip takes them), runs ``tests/test_proofs.py`` in each, and prints what came of all;
``--write`` renews the table in ``docs/proofs.md``. On SQLAlchemy 1.4 the examples' models are declared through
``proofs/old_sqlalchemy.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from proofs.apps.page import replace

ROOT = Path(__file__).resolve().parents[1]
FLASK_2 = ("flask-sqlalchemy==2.5.*", "flask==2.2.*", "werkzeug<3")
FLASK_3 = ("flask-sqlalchemy==3.1.*", "flask")
NEW = ("sqlalchemy==2.1.*", *FLASK_3)
ENVIRONMENTS = {
    "sqlalchemy-1.4": ("sqlalchemy==1.4.*", *FLASK_2, "psycopg2-binary", "fastapi"),
    "sqlalchemy-2.0": ("sqlalchemy==2.0.*", *FLASK_3, "fastapi"),
    "sqlalchemy-2.1": (*NEW, "fastapi"),
    "fastapi-0.105": (*NEW, "fastapi==0.105.*", "httpx<0.28"),
    "fastapi-0.117": (*NEW, "fastapi==0.117.*"),
    "fastapi-0.118": (*NEW, "fastapi==0.118.*"),
}
"""By name: the releases that make the difference. FastAPI ends a dependency after the answer up to 0.105, before it
from 0.106 to 0.117, and after it again since 0.118."""
COMMON = (
    "pytest",
    "aiosqlite",
    "asyncpg",
    "greenlet",
    "httpx",
    "pika",
    "psycopg[binary]",
    "pymysql",
    "redis",
    "requests",
)
RESULTS = "proofs.xml"
"""In the folder of an environment that is complete."""
SHOWN = ("sqlalchemy", "flask-sqlalchemy", "fastapi")


class Outcome(NamedTuple):
    """One environment: the releases in it, the proofs that held, failed and did not fit."""

    releases: list[str]
    held: int
    failed: list[str]
    unfit: int


def main() -> int:
    """Runs; 1 if a proof failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ENVIRONMENTS)} (default: all)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".matrix", help="where the environments are")
    parser.add_argument("--write", action="store_true", help="renew the table in docs/proofs.md")
    options = parser.parse_args()
    folders = {name: options.folder.resolve() / name for name in ENVIRONMENTS}
    for name in options.names or ENVIRONMENTS:
        run(folders[name], name)
    outcomes = {name: outcome(folder) for name, folder in folders.items() if (folder / RESULTS).exists()}
    print(table(outcomes))
    for name, seen in outcomes.items():
        for failed in seen.failed:
            print(f"{name}: {failed} failed")
    if options.write:
        replace(ROOT / "docs" / "proofs.md", "releases", table(outcomes))
    return int(any(seen.failed for seen in outcomes.values()))


def run(folder: Path, name: str) -> None:
    """Makes the environment if it is not there, and runs the proofs in it."""
    python = folder / "bin" / "python"
    results = folder / RESULTS
    if not results.exists():
        venv.create(folder, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *COMMON, *ENVIRONMENTS[name], str(ROOT)], check=True, stderr=subprocess.DEVNULL)
    around = {**os.environ, "CI": "1", "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    tests = [str(ROOT / "tests" / "test_proofs.py"), "-k", "the_defect", "-p", "no:cacheprovider"]
    subprocess.run(
        [python, "-m", "pytest", "-q", *tests, f"--junit-xml={results}"],
        cwd=ROOT,
        env=around,
        stdout=subprocess.DEVNULL,
        check=False,
    )


def table(outcomes: dict[str, Outcome]) -> str:
    """The outcomes in Markdown."""
    lines = [
        f"| {' | '.join(SHOWN)} | proofs that hold | do not | examples that do not fit |",
        "|---|---|---|---:|---:|---:|",
    ]
    for seen in outcomes.values():
        lines.append(f"| {' | '.join(seen.releases)} | {seen.held} | {len(seen.failed)} | {seen.unfit} |")
    return "\n".join([*lines, ""])


def outcome(folder: Path) -> Outcome:
    """What came of the last run in an environment."""
    python, results = folder / "bin" / "python", folder / RESULTS
    ask = f"import json; from importlib.metadata import version; print(json.dumps([version(n) for n in {SHOWN}]))"
    releases = json.loads(subprocess.run([python, "-c", ask], capture_output=True, check=True).stdout)
    cases = list(ElementTree.parse(results).iter("testcase"))
    failed = [
        case.get("name", "") for case in cases if case.find("failure") is not None or case.find("error") is not None
    ]
    unfit = sum(case.find("skipped") is not None for case in cases)
    return Outcome(releases, len(cases) - len(failed) - unfit, failed, unfit)


if __name__ == "__main__":
    sys.exit(main())
