"""Every fixture is reported exactly where it says so, and fixed exactly as its golden file shows."""

from __future__ import annotations

import ast
import difflib
import functools
import pathlib

import pytest
from wants import FIXTURES, case_of, fixture_files, wants, without_wants

from flake8_dbsession.analyze import analyze
from flake8_dbsession.config import Config
from flake8_dbsession.fix.loop import Fate, Fixed, fix
from flake8_dbsession.model import Diagnostic
from flake8_dbsession.project.project import Project
from flake8_dbsession.rules import ALL
from flake8_dbsession.settings import reading as settings
from flake8_dbsession.source import Source

FILES = fixture_files()
CODES = {rule.code for rule in ALL}
"""The rules that exist."""
APART = {rule.code for rule in ALL if not rule.on_by_default} | {code for code in CODES if code.startswith("ORM41")}
"""Opinions and pool settings: compared in the folders that bear their name."""
GOLDEN = [path for path in FILES if path.with_suffix(".fixed.py").exists()]
REPORTED = [path for path in FILES if wants(Source.read(str(path)))]


def identify(path: pathlib.Path) -> str:
    return str(path.relative_to(FIXTURES).with_suffix(""))


def project_of(path: pathlib.Path) -> Project:
    """The project a fixture lives in: the nearest folder with a ``pyproject.toml``, or the folder of its case."""
    case = case_of(path)
    above = path.parents[: len(path.relative_to(FIXTURES).parents) - 1]
    root = next((folder for folder in above if (folder / "pyproject.toml").exists()), case)
    config = settings.load(str(root)) if root != case or (root / "pyproject.toml").exists() else Config()
    return Project(config, str(root))


def reports(path: pathlib.Path, data: bytes) -> list[Diagnostic]:
    """What is reported for ``data``, which stands for the file at ``path``; what is apart is only compared at home."""
    folder = path.relative_to(FIXTURES).parts[0]
    found = analyze(Source(str(path), data), project_of(path))
    if folder in APART:
        return [report for report in found if report.code == folder]
    return [report for report in found if report.code not in APART]


def differences(source: Source, found: list[Diagnostic]) -> list[str]:
    """What is wanted and not found, and what is found and not wanted, in sentences."""
    missing = [want for want in wants(source) if want.code in CODES]
    sentences = []
    for report in found:
        place = (report.span.line, report.code)
        want = next((w for w in missing if (w.line, w.code) == place and w.text in report.message), None)
        if want is None:
            sentences.append(f"line {report.span.line}: unexpected {report.code} {report.message}")
            continue
        missing.remove(want)
        if want.kind == "known-miss":
            sentences.append(f"line {want.line}: {want.code} is found now: make the known-miss a want")
    for want in missing:
        if want.kind == "want":
            sentences.append(f"line {want.line}: no {want.code} with {want.text!r}")
        elif want.kind == "known-false":
            sentences.append(f"line {want.line}: {want.code} is no longer reported: delete the known-false")
    return sentences


@functools.cache
def fixed(path: pathlib.Path, data: bytes) -> Fixed:
    """The file after all fixes, the unsafe ones too."""
    return fix(data, str(path), lambda changed, _path: reports(path, changed), unsafe=True)


@pytest.mark.parametrize("path", FILES, ids=identify)
def test_a_fixture_is_reported_where_it_says_so(path: pathlib.Path) -> None:
    source = Source.read(str(path))
    assert "\n".join(differences(source, reports(path, source.data))) == ""


@pytest.mark.parametrize("path", GOLDEN, ids=identify)
def test_a_fixture_is_fixed_as_its_golden_file_shows(path: pathlib.Path, request: pytest.FixtureRequest) -> None:
    golden = path.with_suffix(".fixed.py")
    result = fixed(path, without_wants(Source.read(str(path)))).data
    if request.config.getoption("--bless"):
        golden.write_bytes(result)
    wanted, got = golden.read_text().splitlines(), result.decode().splitlines()
    assert "\n".join(difflib.unified_diff(wanted, got, "golden", "fixed", lineterm="", n=2)) == ""


@pytest.mark.parametrize("path", REPORTED, ids=identify)
def test_a_fixed_fixture_stays_as_it_is_and_says_why_something_is_left(path: pathlib.Path) -> None:
    before = without_wants(Source.read(str(path)))
    result = fixed(path, before)
    assert fixed(path, result.data).data == result.data
    assert [verdict for verdict in result.verdicts if verdict.fate is not Fate.FIXED and not verdict.reason] == []
    assert {report.code for report in result.left} <= {report.code for report in reports(path, before)}


@pytest.mark.parametrize("path", FILES, ids=identify)
def test_what_a_fixture_wants_can_be_read(path: pathlib.Path) -> None:
    source = Source.read(str(path))
    assert [want.line for want in wants(source)] == sorted(want.line for want in wants(source))
    assert len(ast.parse(without_wants(source)).body) == len(source.tree.body)
    assert ast.get_docstring(source.tree), "the first line of a fixture says what it is about"


def test_every_rule_that_is_wanted_exists() -> None:
    wanted = {want.code for path in FILES for want in wants(Source.read(str(path)))}
    assert wanted - CODES == set()
