"""Every rule either has a fix or says why there is none, and its page tells which."""

from __future__ import annotations

import sys

import pytest
from test_fixtures import FILES, reports
from wants import FIXTURES

from flake8_dbsession.model import Diagnostic, Rule
from flake8_dbsession.rules import ALL
from flake8_dbsession.source import Source

_HEADING = "Fix safety\n"
_NONE = ("No fix is offered", "There is no fix")


def page_on_fixes(rule: Rule) -> str:
    """What the rule's page says of its fixes."""
    return (sys.modules[rule.check.__module__].__doc__ or "").partition(_HEADING)[2].strip()


def found(code: str) -> list[Diagnostic]:
    """What the rule reports in its own fixtures."""
    own = [path for path in FILES if path.relative_to(FIXTURES).parts[0] == code]
    return [d for path in own for d in reports(path, Source.read(str(path)).data) if d.code == code]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.code)
def test_a_rule_offers_fixes_exactly_where_its_page_says_so(rule: Rule) -> None:
    page, diagnostics = page_on_fixes(rule), found(rule.code)
    assert page, "the page has to say how safe the fix is, or why there is none"
    assert diagnostics
    assert any(d.plan for d in diagnostics) is not page.startswith(_NONE)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.code)
def test_a_finding_without_a_fix_says_why(rule: Rule) -> None:
    silent = [d for d in found(rule.code) if d.plan is None and not d.refusal]
    unexplained = [d for d in found(rule.code) if d.plan and d.plan.safety.value != "safe" and not d.plan.reason]
    assert silent + unexplained == []
