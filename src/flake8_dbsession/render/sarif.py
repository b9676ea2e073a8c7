"""SARIF 2.1.0 for code scanning: the story of a report as a code flow, its fix, and fingerprints that survive edits."""

from __future__ import annotations

import json
import pathlib
from typing import Any
from urllib.parse import quote

from ..model import Diagnostic, Note, Rule, Safety, Span
from . import Problem, Report, links
from .identity import fingerprints
from .line_hashes import line_hashes
from .page import page_of
from .paths import relative

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "SRCROOT"
Json = dict[str, Any]


def render(report: Report) -> str:
    """One SARIF log with one run."""
    return json.dumps(_log(report), indent=2, ensure_ascii=False) + "\n"


def _log(report: Report) -> Json:
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report)]}


def _run(report: Report) -> Json:
    rules = _rules(report)
    numbers = {rule.code: number for number, rule in enumerate(rules)}
    hashes = {path: line_hashes(report.lines(path)) for path in {d.path for d in report.diagnostics}}
    results = []
    for diagnostic, digest in zip(report.diagnostics, fingerprints(report), strict=True):
        result = _result(diagnostic, report)
        result["ruleIndex"] = numbers[diagnostic.code]
        result["partialFingerprints"] = _fingerprints(diagnostic, digest, hashes[diagnostic.path])
        results.append(result)
    return {
        "tool": {"driver": _driver(report, rules)},
        "columnKind": "unicodeCodePoints",
        **_bases(report),
        "invocations": [_invocation(report)],
        "results": results,
    }


def _rules(report: Report) -> list[Rule]:
    """The rules that were looked for, and those that are only known from their reports."""
    rules = {rule.code: rule for rule in report.rules}
    for diagnostic in report.diagnostics:
        rules.setdefault(diagnostic.code, Rule(diagnostic.code, diagnostic.name, diagnostic.name, lambda view: ()))
    return [rules[code] for code in sorted(rules)]


def _driver(report: Report, rules: list[Rule]) -> Json:
    return {"name": "dbsession", "semanticVersion": report.version, "rules": [_rule(rule) for rule in rules]}


def _rule(rule: Rule) -> Json:
    page = page_of(rule)
    told = page.section("What it does") or rule.summary
    address = links.page(rule.code)
    return {
        "id": rule.code,
        **({"helpUri": address} if address else {}),
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": told},
        "help": {"text": page.text() or told, "markdown": page.markdown() or told},
        "defaultConfiguration": {"enabled": rule.on_by_default, "level": _level(rule.code)},
        "properties": {"tags": ["correctness", "sqlalchemy"]},
    }


def _level(code: str) -> str:
    return "note" if code.startswith("ORM9") else "warning"


def _result(diagnostic: Diagnostic, report: Report) -> Json:
    result: Json = {
        "ruleId": diagnostic.code,
        "level": _level(diagnostic.code),
        "message": {"text": diagnostic.message},
        "locations": [_location(diagnostic.path, diagnostic.span, report)],
    }
    if diagnostic.function:
        name = {"fullyQualifiedName": diagnostic.function, "kind": "function"}
        result["locations"][0]["logicalLocations"] = [name]
    if diagnostic.notes:
        steps = [_step(note, diagnostic.path, report) for note in diagnostic.notes]
        result["relatedLocations"] = [{"id": number, **step} for number, step in enumerate(steps, 1)]
        result["codeFlows"] = [{"threadFlows": [{"locations": [{"location": step} for step in steps]}]}]
    fix = _fix(diagnostic, report)
    if fix:
        result["fixes"] = [fix]
    return result


def _step(note: Note, path: str, report: Report) -> Json:
    return {**_location(note.path or path, note.span, report), "message": {"text": note.sentence}}


def _location(path: str, span: Span, report: Report) -> Json:
    return {"physicalLocation": {"artifactLocation": _artifact(path, report), "region": _region(span)}}


def _region(span: Span) -> dict[str, int]:
    line, column, end_line, end_column = span
    return {"startLine": line, "startColumn": column + 1, "endLine": end_line, "endColumn": end_column + 1}


def _artifact(path: str, report: Report) -> dict[str, str]:
    inner = relative(path, report.root)
    if pathlib.PurePath(inner).is_absolute():
        return {"uri": pathlib.PurePath(inner).as_uri()}
    return {"uri": quote(inner), "uriBaseId": _ROOT}


def _bases(report: Report) -> Json:
    root = pathlib.PurePath(report.root)
    return {"originalUriBaseIds": {_ROOT: {"uri": root.as_uri().rstrip("/") + "/"}}} if root.is_absolute() else {}


def _fix(diagnostic: Diagnostic, report: Report) -> Json | None:
    """The edits as replacements; None where there are none or they are only for show."""
    plan = diagnostic.plan
    edits = report.edits(diagnostic) if plan and plan.safety is not Safety.DISPLAY else ()
    if plan is None or not edits:
        return None
    replacements = [{"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}} for edit in edits]
    changes = [{"artifactLocation": _artifact(diagnostic.path, report), "replacements": replacements}]
    reason = f" ({plan.safety.value}: {plan.reason})" if plan.reason else ""
    return {"description": {"text": plan.title + reason}, "artifactChanges": changes}


def _fingerprints(diagnostic: Diagnostic, digest: str, hashes: list[str]) -> dict[str, str]:
    row = diagnostic.span.line
    found = {"dbsession/v1": digest}
    if 0 < row <= len(hashes):
        found["primaryLocationLineHash"] = hashes[row - 1]
    return found


def _invocation(report: Report) -> Json:
    told = [_notification(problem, report) for problem in report.errors]
    return {"executionSuccessful": not told, **({"toolExecutionNotifications": told} if told else {})}


def _notification(problem: Problem, report: Report) -> Json:
    physical: Json = {"artifactLocation": _artifact(problem.path, report)}
    if problem.line:
        physical["region"] = {"startLine": problem.line, "startColumn": max(problem.column, 1)}
    return {
        "level": "error",
        "message": {"text": problem.message},
        "locations": [{"physicalLocation": physical}],
    }
