"""Every fixture is reported exactly where it says so, and fixed exactly as its golden file shows."""

from __future__ import annotations

import ast
import difflib
import pathlib

import pytest
from wants import FIXTURES, fixture_files, wants, without_wants

from flake8_dbsession.analyze import analyze
from flake8_dbsession.config import Config
from flake8_dbsession.fix.loop import Fixed, fix
from flake8_dbsession.model import Diagnostic, Safety
from flake8_dbsession.project import Project
from flake8_dbsession.rules import ALL
from flake8_dbsession.source import Source

FILES = fixture_files()
CODES = {rule.code for rule in ALL}
"""The rules that exist."""
APART = {rule.code for rule in ALL if not rule.on_by_default} | {code for code in CODES if code.startswith("ORM41")}
"""Opinions and pool settings: compared in the folders that bear their name."""
GOLDEN = [path for path in FILES if path.with_suffix(".fixed.py").exists()]
WITH_PLANS = [path for path in FILES if wants(Source.read(str(path)))]


def identify(path: pathlib.Path) -> str:
    return str(path.relative_to(FIXTURES).with_suffix(""))


def project_of(path: pathlib.Path) -> Project:
    """The project a fixture lives in: its folder, or the folder of its case in ``modules``."""
    parts = path.relative_to(FIXTURES).parts
    return Project(Config(), str(FIXTURES.joinpath(*parts[: 2 if parts[0] == "modules" else 1])))


def reports(path: pathlib.Path, data: bytes) -> list[Diagnostic]:
    """What is reported for ``data``, which stands for the file at ``path``, without the rules that are apart."""
    folder = path.relative_to(FIXTURES).parts[0]
    found = analyze(Source(str(path), data), project_of(path))
    return [report for report in found if report.code not in APART or report.code == folder]


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


def fixed(path: pathlib.Path, data: bytes) -> Fixed:
    """The file after all fixes, the unsafe ones too."""
    return fix(data, str(path), lambda changed, _path: reports(path, changed), unsafe=True)


def offers(report: Diagnostic) -> bool:
    return report.plan is not None and report.plan.safety is not Safety.DISPLAY


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


@pytest.mark.parametrize("path", WITH_PLANS, ids=identify)
def test_a_fixed_fixture_offers_nothing_more_and_stays_as_it_is(path: pathlib.Path) -> None:
    before = without_wants(Source.read(str(path)))
    first = fixed(path, before)
    assert [report for report in first.left if offers(report)] == []
    assert fixed(path, first.data).data == first.data
    assert {report.code for report in first.left} <= {report.code for report in reports(path, before)}


@pytest.mark.parametrize("path", FILES, ids=identify)
def test_what_a_fixture_wants_can_be_read(path: pathlib.Path) -> None:
    source = Source.read(str(path))
    assert [want.line for want in wants(source)] == sorted(want.line for want in wants(source))
    assert len(ast.parse(without_wants(source)).body) == len(source.tree.body)
    assert ast.get_docstring(source.tree), "the first line of a fixture says what it is about"


def test_every_rule_that_is_wanted_exists() -> None:
    wanted = {want.code for path in FILES for want in wants(Source.read(str(path)))}
    assert wanted - CODES == set()
