"""One source, the rule's module and its fixture, becomes the page in the terminal, in JSON and in the docs."""

from __future__ import annotations

import ast
import json
import pathlib
import sys
import types

import pytest

from flake8_dbsession import example, explain
from flake8_dbsession.model import Rule
from flake8_dbsession.render import links, precision
from flake8_dbsession.render.page import page_of, parse
from flake8_dbsession.rules import ALL

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs" / "rules"
FIXTURES = ROOT / "fixtures"
HEADINGS = (
    "What it does",
    "Why it matters",
    "Stays silent when",
    "Fix safety",
    "Configuration",
    "Measured precision",
    "Sources",
)
REQUIRED = HEADINGS[:4]

PAGE = """Give every connection back.

What it does
    Reports a session that is opened

    - here, and
    - not closed:

        session = Session()

Why it matters
    The pool runs dry (measured: after 15).
Stays silent when
    It is returned.
Fix safety
    Unsafe.
"""
BAD = '''"""Takes one."""

session = Session()  # want ORM999 "'session'" ORM102
other = 1  # known-miss ORM999
kept = "# want nothing"  # a comment
'''
GOOD = '"""Takes one."""\n\nwith Session() as session:\n    pass\n'


@pytest.fixture
def rule(monkeypatch, tmp_path):
    """A rule as an author writes it: a module with a page, and a fixture."""
    module = types.ModuleType("orm999_made_up", PAGE)
    exec("def check(view): return ()", vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    folder = tmp_path / "ORM999"
    folder.mkdir()
    (folder / "example.py").write_text(BAD)
    (folder / "example.fixed.py").write_text(GOOD)
    monkeypatch.setattr(example, "_FOLDERS", (tmp_path,))
    rule = Rule("ORM999", "made-up", "a session is made | up", module.check, since="0.3", on_by_default=False)
    monkeypatch.setattr(explain, "all_rules", lambda: (rule,))
    return rule


def test_a_page_is_read_into_its_sections():
    page = parse(PAGE)
    assert page.title == "Give every connection back."
    assert [heading for heading, _ in page.sections] == list(REQUIRED)
    assert page.section("What it does").splitlines()[-1] == "    session = Session()"
    assert page.section("Fix safety") == "Unsafe."
    assert page.section("Sources") == ""


def test_the_example_shows_what_is_reported_instead_of_what_a_test_wants(rule):
    shown = example.example_of("ORM999")
    assert shown.bad.splitlines()[2:] == [
        "session = Session()  # ORM999 ORM102",
        "other = 1",
        'kept = "# want nothing"  # a comment',
    ]
    assert (shown.good, shown.by_fixer) == (GOOD, True)


def test_an_example_mended_by_hand_says_so(rule, tmp_path):
    (tmp_path / "ORM999" / "example.fixed.py").rename(tmp_path / "ORM999" / "example.mended.py")
    assert example.example_of("ORM999").by_fixer is False
    assert "The example mended by hand" in explain.as_text(rule)


def test_the_markdown_page(rule):
    text = explain.as_markdown(rule)
    assert text.startswith(
        "# made-up (ORM999)\n\nGive every connection back.\n\nOff by default. Since 0.3.\n\n## What it does\n"
    )
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    own = [*REQUIRED[:2], "Example", "The example after dbsession fix", *REQUIRED[2:]]
    assert headings == [*own, "Measured precision"]
    assert text.count("```python\n") == 2 == text.count("\n```\n")
    assert "\n    session = Session()\n" in text


@pytest.mark.parametrize("name", ["ORM999", "orm999", "made-up", "Made-Up"])
def test_explain_prints_the_page(rule, capsys, name):
    assert explain.main([name]) == 0
    out = capsys.readouterr().out
    assert out == explain.as_text(rule)
    assert "Why it matters\n    The pool runs dry" in out
    assert "    with Session() as session:\n        pass\n" in out


def test_explain_names_what_it_does_not_know(rule, capsys):
    assert explain.main(["ORM998"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "dbsession explain: there is no rule 'ORM998'; did you mean ORM999?\n"


def test_explain_and_rules_as_json(rule, capsys):
    assert explain.main(["ORM999", "--output-format", "json"]) == 0
    one = json.loads(capsys.readouterr().out)
    assert explain.main_rules(["--output-format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == one
    (value,) = one
    assert (value["code"], value["name"], value["since"], value["on_by_default"]) == ("ORM999", "made-up", "0.3", False)
    assert value["sections"]["Why it matters"] == "The pool runs dry (measured: after 15)."
    assert value["example"]["good"] == GOOD


def test_rules_lists_them_one_a_line(rule, capsys):
    assert explain.main_rules([]) == 0
    assert capsys.readouterr().out == "ORM999  made-up  a session is made | up (off by default)\n"
    assert explain.main_rules(["--output-format", "markdown"]) == 0
    assert "| [ORM999](ORM999.md) ○ | made-up | a session is made \\| up |" in capsys.readouterr().out


def test_writing_removes_the_pages_of_rules_that_are_gone(rule, tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "ORM100.md").write_text("old")
    (folder / "notes.md").write_text("kept")
    explain.write(folder, [rule])
    assert sorted(path.name for path in folder.iterdir()) == ["ORM999.md", "README.md", "notes.md"]
    assert (folder / "ORM999.md").read_text("utf-8") == explain.as_markdown(rule)


# -- how often a rule was right


def test_a_page_tells_how_many_reports_were_read_and_right(rule, monkeypatch):
    assert page_of(rule).section("Measured precision").startswith("Not measured yet")
    samples = (
        precision.Sample("three applications", 30, 28),
        precision.Sample("forty applications", 10, 9, "The other is a script."),
    )
    monkeypatch.setattr(precision, "measured", lambda: {"ORM999": samples})
    told = "37 of 40 reports on real code told of a defect (92%)."
    assert told in explain.as_text(rule)
    assert explain.as_value(rule)["sections"]["Measured precision"].splitlines()[-2:] == [
        "* 9 of 10 in forty applications. The other is a script.",
        "* 28 of 30 in three applications.",
    ]


def test_how_precise_a_rule_was_stands_before_its_sources():
    page = parse(PAGE + "Sources\n    A book.\n").with_section("Measured precision", "Often.", before="Sources")
    assert [heading for heading, _ in page.sections][-2:] == ["Measured precision", "Sources"]


def test_the_figures_are_possible_and_of_rules_that_there_are():
    for code, samples in precision.measured().items():
        assert code in {rule.code for rule in ALL}
        for where, read, right, others in samples:
            assert where
            assert 0 <= right <= read
            assert read > 0
            assert not others or others.endswith(".")


# -- where pages are published


@pytest.fixture
def published(monkeypatch):
    """The package as if its metadata told an address."""
    from importlib import metadata

    message = metadata.metadata("flake8-dbsession")
    message["Project-URL"] = "Documentation, https://docs.example/dbsession/"
    monkeypatch.setattr(metadata, "metadata", lambda name: message)
    links.address.cache_clear()
    yield
    links.address.cache_clear()


def test_a_published_page_has_an_address(rule, published, capsys):
    assert explain.main_rules(["--output-format", "json"]) == 0
    (value,) = json.loads(capsys.readouterr().out)
    assert value["url"] == "https://docs.example/dbsession/rules/ORM999.md"


def test_a_page_that_is_not_published_has_none(rule, monkeypatch):
    monkeypatch.setattr(links, "address", lambda: "")
    assert explain.as_value(rule)["url"] is None


# -- the rules there are


def test_the_docs_are_what_the_rules_say(tmp_path):
    explain.write(tmp_path, explain.all_rules())
    new = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    old = {path.name: path.read_text("utf-8") for path in DOCS.iterdir()}
    assert sorted(old) == sorted(new)
    stale = [name for name in new if new[name] != old[name]]
    assert stale == [], "run: python -m flake8_dbsession.explain --write docs/rules"


def test_every_rule_has_a_fixture_and_every_fixture_a_rule():
    fixtures = {path.name for path in FIXTURES.iterdir() if path.name.startswith("ORM")}
    assert {rule.code for rule in ALL} == fixtures


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.code)
def test_a_rule_has_a_whole_page(rule):
    page = page_of(rule)
    headings = [heading for heading, _ in page.sections]
    assert page.title
    known = [heading for heading in headings if heading in HEADINGS]
    assert known == [heading for heading in HEADINGS if heading in headings], "in this order"
    assert [heading for heading in REQUIRED if not page.section(heading)] == []


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.code)
def test_the_example_of_a_rule_is_reported_at_a_marked_line(rule):
    shown = example.example_of(rule.code)
    assert any(rule.code in line.partition("  # ")[2].split() for line in shown.bad.splitlines())
    assert "# want" not in shown.bad
    assert shown.good
    ast.parse(shown.bad)
    ast.parse(shown.good)
