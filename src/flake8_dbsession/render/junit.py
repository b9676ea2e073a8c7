"""JUnit XML for test reports: a suite a file, a failed case a finding."""

from __future__ import annotations

import itertools
import pathlib
import xml.etree.ElementTree as etree

from ..model import Diagnostic
from . import Problem, Report
from .paths import relative


def render(report: Report) -> str:
    """One document; a run without findings holds one case that passes, so that readers see that it ran."""
    suites = etree.Element("testsuites", name="dbsession")
    for path, diagnostics in itertools.groupby(report.diagnostics, key=lambda diagnostic: diagnostic.path):
        findings = list(diagnostics)
        suite = _suite(suites, relative(path, report.root), failures=len(findings))
        for diagnostic in findings:
            _finding(suite, diagnostic, report.root)
    for problem in report.errors:
        _problem(_suite(suites, relative(problem.path, report.root), errors=1), problem)
    if not len(suites):
        etree.SubElement(_suite(suites, "dbsession", passed=1), "testcase", name=f"{report.checked} files are clean")
    for count in ("tests", "failures", "errors"):
        suites.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    etree.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{etree.tostring(suites, encoding="unicode")}\n'


def _suite(suites: etree.Element, name: str, failures: int = 0, errors: int = 0, passed: int = 0) -> etree.Element:
    counts = {"tests": failures + errors + passed, "failures": failures, "errors": errors}
    return etree.SubElement(suites, "testsuite", {"name": _clean(name), **{k: str(v) for k, v in counts.items()}})


def _finding(suite: etree.Element, diagnostic: Diagnostic, root: str) -> None:
    path, line = relative(diagnostic.path, root), diagnostic.span.line
    name = f"{diagnostic.code} {diagnostic.name} (line {line})"
    place = {"file": _clean(path), "line": str(line), "column": str(diagnostic.span.column + 1)}
    case = etree.SubElement(suite, "testcase", {"name": name, "classname": _clean(_module(path)), **place})
    failure = etree.SubElement(case, "failure", message=_clean(diagnostic.message), type=diagnostic.code)
    story = [f"{relative(note.path or path, root)}:{note.span.line}: {note.sentence}" for note in diagnostic.notes]
    failure.text = _clean("\n".join([f"{path}:{line}: {diagnostic.code} {diagnostic.message}", *story]))


def _problem(suite: etree.Element, problem: Problem) -> None:
    case = etree.SubElement(suite, "testcase", name="unreadable", classname=_clean(_module(problem.path)))
    error = etree.SubElement(case, "error", message=_clean(problem.message), type="unreadable")
    error.text = _clean(str(problem))


def _module(path: str) -> str:
    return ".".join(pathlib.PurePosixPath(path).with_suffix("").parts)


def _clean(text: str) -> str:
    """``text`` without the characters that XML cannot hold."""
    return "".join(character if _allowed(character) else "?" for character in text)


def _allowed(c: str) -> bool:
    return c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
