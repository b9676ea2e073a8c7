"""Every fixture is reported exactly where it says so, and fixed exactly as its golden file shows."""

from __future__ import annotations

import ast
import pathlib

import pytest
from wants import FIXTURES, fixture_files, wants, without_wants

from flake8_dbsession.analyze import analyze
from flake8_dbsession.config import Config
from flake8_dbsession.model import Diagnostic
from flake8_dbsession.project import Project
from flake8_dbsession.rules import ALL
from flake8_dbsession.source import Source

FILES = fixture_files()
CODES = {rule.code for rule in ALL}
"""The rules that exist."""
APART = {rule.code for rule in ALL if not rule.on_by_default} | {code for code in CODES if code.startswith("ORM41")}
"""Opinions and pool settings: compared in the folders that bear their name."""


def identify(path: pathlib.Path) -> str:
    return str(path.relative_to(FIXTURES).with_suffix(""))


def project_of(path: pathlib.Path) -> Project:
    """The project a fixture lives in: its own folder, or the case's folder in ``modules`` and ``reference``."""
    parts = path.relative_to(FIXTURES).parts
    depth = {"modules": 2, "reference": 1}.get(parts[0], 1)
    return Project(Config(), str(FIXTURES.joinpath(*parts[:depth])))


def reports(path: pathlib.Path, source: Source) -> list[Diagnostic]:
    """What is reported for ``source``, which stands for the file at ``path``, without the rules that are apart."""
    folder = path.relative_to(FIXTURES).parts[0]
    return [report for report in analyze(source, project_of(path)) if report.code not in APART or report.code == folder]


def matches(source: Source, found: list[Diagnostic]) -> list[str]:
    """Every difference between what is wanted and what is found, as sentences; empty when there is none."""
    missing = [want for want in wants(source) if want.code in CODES]
    unexpected = []
    for report in found:
        fitting = [w for w in missing if (w.line, w.code) == (report.span.line, report.code) and w.text in report.message]
        if not fitting:
            unexpected.append(f"line {report.span.line}: unexpected {report.code} {report.message}")
            continue
        missing.remove(fitting[0])
        if fitting[0].kind == "known-miss":
            unexpected.append(f"line {report.span.line}: {report.code} is found now: make it a want")
    lost = [
        f"line {want.line}: no {want.code} with {want.text!r}" if want.kind == "want"
        else f"line {want.line}: {want.code} is no longer reported: delete the known-false"
        for want in missing
        if want.kind != "known-miss"
    ]
    return lost + unexpected


@pytest.mark.parametrize("path", FILES, ids=identify)
def test_a_fixture_is_reported_where_it_says_so(path: pathlib.Path) -> None:
    source = Source.read(str(path))
    assert matches(source, reports(path, source)) == []


@pytest.mark.parametrize("path", FILES, ids=identify)
def test_what_a_fixture_expects_can_be_read(path: pathlib.Path) -> None:
    source = Source.read(str(path))
    assert [want.line for want in wants(source)] == sorted(want.line for want in wants(source))
    assert len(ast.parse(without_wants(source)).body) == len(source.tree.body)
    assert ast.get_docstring(source.tree), "the first line of a fixture says what it is about"


def test_every_rule_that_is_wanted_exists() -> None:
    wanted = {want.code for path in FILES for want in wants(Source.read(str(path)))}
    assert wanted - CODES == set()
