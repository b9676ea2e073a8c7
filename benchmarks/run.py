"""Measure what checking costs, against what reading and parsing costs: ``python benchmarks/run.py [FOLDER…]``.

Every subject is a process of its own. One round runs each subject once, so that all of them meet the same moods of
the machine; figures are medians over the rounds, ratios are medians of the ratios within a round. Nothing is fetched.
Without folders an application is generated.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import page
from corpus import application, long_function

from flake8_dbsession.relevance import can_matter

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
COMMAND = [sys.executable, "-m", "flake8_dbsession", "check", "-q", "--exit-zero", "--statistics", "--isolated"]
PARSE = """
import ast, os, sys
from flake8_dbsession.relevance import MARKERS
for top in sys.argv[1:]:
    for folder, _, names in os.walk(top):
        for name in names:
            if name.endswith(".py"):
                data = open(os.path.join(folder, name), "rb").read()
                if any(marker in data for marker in MARKERS):
                    try: ast.parse(data)
                    except (SyntaxError, ValueError): pass
"""
WITHOUT_PLUGIN = """
import importlib.metadata as metadata
every = metadata.distributions
metadata.distributions = lambda **how: [d for d in every(**how) if d.metadata["name"] != "flake8-dbsession"]
from flake8.main.cli import main
raise SystemExit(main())
"""
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Of us, but that compiled modules are kept, as they are for those who install a tool."""
SLEEPS = """
rules:
  - id: sleep
    languages: [python]
    severity: WARNING
    message: it sleeps
    pattern: time.sleep(...)
"""
FLAKE8 = ["-j1", "--isolated", "--exit-zero", "-q", "--select=F,ORM"]


class Subject(NamedTuple):
    """A command, with the ``base`` that its ratio is taken to; ``{folder}`` in it is the name of the folder.

    ``is_primed``: runs once before it is measured.
    """

    name: str
    command: list[str]
    base: str = ""
    goal: float = 0
    in_wall: bool = False
    """Whether the goal is about wall time, not CPU time."""
    is_primed: bool = False
    in_folders: bool = True
    """Whether it is run in each of the folders, or once."""
    folder: str = ""
    """The one folder that it is run in, where it is not one of those that are measured."""
    copies: str = ""
    """Where copies of the folders are, which it is run in: five files of each are changed before every run."""
    is_for_each: bool = False
    """Whether the folders are looked at apart, and the figures are the mean of all."""


class Failed(Exception):
    """A command ended with neither 0 nor 1."""


class Sample(NamedTuple):
    cpu: float
    wall: float
    peak: float
    """Megabytes, of the largest process."""


def measure(command: list[str], folder: str) -> Sample:
    """Run a command and its children in a folder; its output goes nowhere."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise Failed(f"{' '.join(command[:5])} … ended with {process.returncode}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Sample(usage.ru_utime + usage.ru_stime, time.perf_counter() - start, usage.ru_maxrss / unit)


def measure_all(subject: Subject, folders: list[str]) -> Sample:
    """The subject in each of the folders: times added up, the largest peak."""
    samples = []
    for folder in [subject.folder] if subject.folder else folders if subject.in_folders else folders[:1]:
        command = [part.replace("{folder}", os.path.basename(folder)) for part in subject.command]
        if command[-1] == "{python files}":
            command[-1:] = [str(path) for path in Path(folder).rglob("*.py") if is_python(path)]
        if subject.copies:
            folder = os.path.join(subject.copies, os.path.basename(folder))
            changed = change(Path(folder))
            command[-1:] = changed if command[-1] == "{changed files}" else command[-1:]
        samples.append(measure(command, folder))
    of = len(samples) if subject.is_for_each else 1
    return Sample(sum(s.cpu for s in samples) / of, sum(s.wall for s in samples) / of, max(s.peak for s in samples))


def change(folder: Path) -> list[str]:
    """Add a line to five files that can matter, the same ones each time, and give their names."""
    paths = sorted(path for path in folder.rglob("*.py") if is_python(path) and can_matter(path.read_bytes()))
    chosen = paths[:: max(1, len(paths) // 5)][:5]
    for path in chosen:
        with path.open("a", encoding="utf-8") as file:
            file.write("\n# changed\n")
    return [str(path.relative_to(folder)) for path in chosen]


def is_python(path: Path) -> bool:
    """Whether a file can be parsed: some tools stop at one that cannot."""
    try:
        ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return False
    return True


def subjects(scratch: Path, with_flake8: bool, folders: list[str]) -> list[Subject]:
    """What is measured; commands work on the folder they are run in."""
    python = [sys.executable]
    long = scratch / "long.py"
    long.write_text(long_function())
    warm = [*COMMAND, f"--cache-dir={scratch}/cache of {{folder}}", "."]
    copies = scratch / "copies"
    for folder in folders:
        shutil.copytree(folder, copies / os.path.basename(folder), ignore=shutil.ignore_patterns(".git"))
    after = [*COMMAND, f"--cache-dir={scratch}/cache of a copy of {{folder}}"]
    found = [
        Subject("python -c pass", [*python, "-c", "pass"], in_folders=False),
        Subject(
            "import flake8_dbsession", [*python, "-c", "import flake8_dbsession"], "python -c pass", in_folders=False
        ),
        Subject(
            "dbsession --version",
            [*python, "-m", "flake8_dbsession", "--version"],
            "python -c pass",
            4,
            True,
            in_folders=False,
        ),
        Subject("read all, parse what may matter", [*python, "-c", PARSE, "."]),
        Subject("check, cold, 1 job", [*COMMAND, "-j1", "--no-cache", "."], "read all, parse what may matter", 1.5),
        Subject("check, cold, 2 jobs", [*COMMAND, "-j2", "--no-cache", "."], "check, cold, 1 job", 0.6, True),
        Subject("check, warm", warm, "check, cold, 1 job", 0.05, is_primed=True),
        Subject(
            "check, five files were changed",
            [*after, "."],
            "check, cold, 1 job",
            is_primed=True,
            copies=str(copies),
        ),
        Subject(
            "check of five changed files, s of wall for each folder",
            [*after, "{changed files}"],
            goal=0.25,
            in_wall=True,
            copies=str(copies),
            is_for_each=True,
        ),
        Subject(
            "check, 2 000 statements in one function", [*COMMAND, "-j1", "--no-cache", str(long)], in_folders=False
        ),
    ]
    if shutil.which("ruff"):
        ruff = ["ruff", "check", "-q", "--exit-zero", "--isolated", "--statistics"]
        found.append(Subject("ruff check, cold", [*ruff, "--no-cache", "."]))
        found.append(Subject("check, cold, against ruff", found[4].command, "ruff check, cold", 2.5))
        cached = [*ruff, f"--cache-dir={scratch}/ruff of {{folder}}", "."]
        found.append(Subject("ruff check, warm", cached, is_primed=True))
        found.append(Subject("check, warm, against ruff", warm, "ruff check, warm", 3, is_primed=True))
    if with_flake8:
        found.append(Subject("flake8", [*python, "-c", WITHOUT_PLUGIN, *FLAKE8, "."]))
        plugin = [*python, "-m", "flake8", *FLAKE8]
        found.append(Subject("flake8 with the plugin, cold", [*plugin, "--dbsession-cache-dir=", "."], "flake8", 1.1))
        kept = [*plugin, f"--dbsession-cache-dir={scratch}/flake8 of {{folder}}", "."]
        found.append(Subject("flake8 with the plugin, warm", kept, "flake8", 1.1, is_primed=True))
    return found


def peers(scratch: Path) -> list[Subject]:
    """Other tools with the rule that is nearest, as far as they are installed; they take minutes."""
    base = "read all, parse what may matter"
    rule = scratch / "sleeps.yml"
    rule.write_text(SLEEPS)
    commands = {
        "semgrep": [
            "semgrep",
            "scan",
            "-q",
            "-j1",
            "--metrics=off",
            "--disable-version-check",
            f"--config={rule}",
            ".",
        ],
        "pylint": ["pylint", "--disable=all", "--enable=consider-using-with", "--exit-zero", "."],
        "flake8-async": ["flake8-async", "--enable=ASYNC100", "{python files}"],
        "fixit": ["fixit", "--quiet", "lint", "."],
    }
    return [Subject(name, words, base) for name, words in commands.items() if shutil.which(words[0])]


def rounds(measured: list[Subject], folders: list[str], count: int) -> dict[str, list[Sample]]:
    """Every subject once in each of ``count`` rounds; nothing of one that fails, but for ours, which ends the run."""
    samples: dict[str, list[Sample]] = {subject.name: [] for subject in measured}
    going_on = list(measured)
    for number in range(count + 1):
        for subject in [each for each in going_on if number or each.is_primed]:
            try:
                sample = measure_all(subject, folders)
                samples[subject.name] += [sample] if number else []  # the first time it was primed
            except Failed as failure:
                if subject.command[:3] == COMMAND[:3]:
                    raise SystemExit(str(failure)) from None
                print(failure, file=sys.stderr)
                samples[subject.name].clear()
                going_on.remove(subject)
        print(f"round {number} of {count}", file=sys.stderr)
    return samples


def readable(folder: Path, into: Path) -> str:
    """A copy of a folder without the Python files that cannot be parsed, such as templates: some tools stop there."""
    shutil.copytree(folder, into / folder.name, ignore=shutil.ignore_patterns(".git"), symlinks=True)
    for path in (into / folder.name).rglob("*.py"):
        if path.is_file() and not is_python(path):
            path.unlink()
    return str(into / folder.name)


def rows(measured: list[Subject], samples: dict[str, list[Sample]]) -> list[page.Row]:
    """The medians, and the ratio of each subject to its base."""
    found = []
    for subject in measured:
        own, base = samples[subject.name], samples.get(subject.base, [])
        if not own:
            found.append(page.Row(subject.name, 0, 0, 0, failed=True))
            continue
        field = "wall" if subject.in_wall else "cpu"
        ratios = [getattr(a, field) / getattr(b, field) for a, b in zip(own, base, strict=False)]
        found.append(
            page.Row(
                subject.name,
                *(round(statistics.median(getattr(one, each) for one in own), 3) for each in Sample._fields),
                base=subject.base,
                ratio=round(statistics.median(ratios), 3) if ratios else 0,
                goal=subject.goal,
                of=field,
            )
        )
    return found


def growth(scratch: Path, files: int, count: int) -> list[page.Row]:
    """The same application once, four times and sixteen times as large."""
    measured = []
    for times in (1, 4, 16):
        application(scratch / f"times{times}", files * times)
        base = "files × 1" if times > 1 else ""
        folder = str(scratch / f"times{times}")
        command = [*COMMAND, "-j1", "--no-cache", "."]
        measured.append(Subject(f"files × {times}", command, base, times * 1.1 if base else 0, folder=folder))
    return rows(measured, rounds(measured, [str(scratch)], count))


def size(folders: list[str]) -> tuple[int, int]:
    """How many Python files, and how many bytes in them."""
    paths = [path for folder in folders for path in Path(folder).rglob("*.py")]
    return len(paths), sum(path.stat().st_size for path in paths)


def machine() -> str:
    """What it was measured on, as far as it tells."""
    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, {python}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", help="folders of real code (default: a generated application)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="two rounds, without flake8")
    parser.add_argument("--no-flake8", action="store_true", help="leave out flake8, the slowest subject by far")
    parser.add_argument(
        "--growth", type=int, default=0, metavar="FILES", help="also measure 1, 4 and 16 times FILES files"
    )
    parser.add_argument("--peers", action="store_true", help="also measure pylint, flake8-async, fixit and semgrep")
    parser.add_argument("--write", action="store_true", help="put the results into docs/performance.*")
    options = parser.parse_args()
    count = 2 if options.quick else options.rounds
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        folders = [readable(Path(f).resolve(), scratch / "folders") for f in options.folders]
        folders = folders or [str(application(scratch / "generated", 300))]
        measured = subjects(scratch, not (options.quick or options.no_flake8), folders) + (
            peers(scratch) if options.peers else []
        )
        found = {
            "machine": machine(),
            "folders": [os.path.basename(folder) for folder in folders],
            "size": size(folders),
            "rounds": count,
            "rows": [row._asdict() for row in rows(measured, rounds(measured, folders, count))],
            "growth": [row._asdict() for row in growth(scratch, options.growth, count)] if options.growth else [],
        }
    print(page.table(found))
    if options.write:
        (DOCS / "performance.json").write_text(json.dumps(found, indent=1) + "\n")
        page.write(found, DOCS)


if __name__ == "__main__":
    main()
