"""A baseline knows findings by their content and only ever shrinks."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from reports import sample

from flake8_dbsession.baseline import Unusable, covered_by, dump, entries_of, judge, load
from flake8_dbsession.model import Diagnostic, Span
from flake8_dbsession.render import Report

FILE = """\
def price_of(article):
    session = SessionLocal()
    return session.scalar(article)


def stock_of(article):
    session = SessionLocal()
    return session.scalar(article)
"""


def found(text, *, path="shop.py", owner=""):
    """One ORM101 for every line that opens a session, inside the function that the last ``def`` names."""
    diagnostics, function = [], ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("def "):
            function = owner + line.split()[1].partition("(")[0]
        if "SessionLocal()" in line:
            column = line.index("SessionLocal")
            span = Span(number, column, number, len(line))
            diagnostics.append(Diagnostic(path, span, "ORM101", "never-closed", "message", function=function))
    return diagnostics


def report(**files) -> Report:
    """A run over files: ``shop=text`` is ``shop.py`` with that text."""
    texts = {f"{name}.py": text for name, text in files.items()}
    diagnostics = [d for path, text in texts.items() for d in found(text, path=path)]
    return sample(diagnostics)._replace(lines=lambda path: texts[path].splitlines())


BASELINE = entries_of(report(shop=FILE))


def rows(diagnostics):
    return [(d.path, d.span.line) for d in diagnostics]


def test_everything_that_is_in_the_baseline_is_known():
    verdict = judge(report(shop=FILE), BASELINE)
    assert rows(verdict.known) == [("shop.py", 2), ("shop.py", 7)]
    assert (verdict.new, verdict.stale, verdict.kept) == ((), Counter(), BASELINE)


@pytest.mark.parametrize(
    "edited",
    [
        "import os\n\n\n" + FILE,
        FILE.partition("\n\n\n")[2] + "\n\n" + FILE.partition("\n\n\n")[0] + "\n",
        FILE.replace("session = ", "session  =   "),
        FILE.replace("return session.scalar(article)", "return other(session)"),
    ],
    ids=["lines added above", "functions change places", "blanks", "other lines change"],
)
def test_code_that_moves_reopens_nothing(edited):
    verdict = judge(report(shop=edited), BASELINE)
    assert (verdict.new, verdict.stale) == ((), Counter())
    assert len(verdict.known) == 2


def test_one_more_of_the_same_line_is_new():
    doubled = FILE.replace("    session = SessionLocal()\n", "    session = SessionLocal()\n" * 2, 1)
    verdict = judge(report(shop=doubled), BASELINE)
    assert rows(verdict.new) == [("shop.py", 3)]


def test_a_finding_in_another_function_or_of_another_line_is_new():
    verdict = judge(report(shop=FILE.replace("stock_of", "rate_of")), BASELINE)
    assert rows(verdict.new) == [("shop.py", 7)]
    assert sum(verdict.stale.values()) == 1
    verdict = judge(report(shop=FILE.replace("session = S", "db = S", 1)), BASELINE)
    assert rows(verdict.new) == [("shop.py", 2)]


def test_a_mended_finding_leaves_a_stale_entry_which_pruning_removes():
    mended = FILE.replace("SessionLocal()", "closing(SessionLocal)", 1)
    verdict = judge(report(shop=mended), BASELINE)
    assert (verdict.new, len(verdict.known)) == ((), 1)
    assert [one.function for one in verdict.stale] == ["price_of"]
    assert [one.function for one in verdict.kept] == ["stock_of"]
    assert judge(report(shop=mended), verdict.kept).stale == Counter()
    assert rows(judge(report(shop=FILE), verdict.kept).new) == [("shop.py", 2)]


def test_a_function_takes_its_findings_to_another_file():
    head, _, tail = FILE.partition("\n\n\n")
    verdict = judge(report(shop=head, stock=tail), BASELINE)
    assert (verdict.new, verdict.stale) == ((), Counter())
    assert [(one.path, one.function) for one in sorted(verdict.kept)] == [
        ("shop.py", "price_of"),
        ("stock.py", "stock_of"),
    ]


def test_a_copy_is_no_move():
    _, _, tail = FILE.partition("\n\n\n")
    verdict = judge(report(shop=FILE, stock=tail), BASELINE)
    assert rows(verdict.new) == [("stock.py", 2)]


def test_a_file_that_was_not_part_of_the_run_keeps_its_entries():
    _, _, tail = FILE.partition("\n\n\n")
    verdict = judge(report(stock=tail), BASELINE, covered=lambda path: path == "stock.py")
    assert rows(verdict.new) == [("stock.py", 2)]
    assert (verdict.stale, verdict.kept) == (Counter(), BASELINE)


def test_a_renamed_file_takes_its_entries_along():
    verdict = judge(report(store=FILE), BASELINE, covered=lambda path: True)
    assert (verdict.new, verdict.stale) == ((), Counter())
    assert {one.path for one in verdict.kept} == {"store.py"}


@pytest.mark.parametrize(
    ("paths", "path", "covers"),
    [
        (["."], "a/b.py", True),
        ([".."], "a/b.py", True),
        (["a"], "a/b.py", True),
        (["a/"], "a/b.py", True),
        (["a"], "ab.py", False),
        (["a/b.py"], "a/b.py", True),
        (["a/b.py"], "a/gone.py", True),
        (["ab.py"], "a/b.py", False),
        ([], "ab.py", False),
    ],
)
def test_what_a_run_covers(tmp_path, monkeypatch, paths, path, covers):
    (tmp_path / "a").mkdir()
    for name in ("a/b.py", "ab.py"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert covered_by(paths, str(tmp_path))(path) is covers
    assert covered_by(paths, str(tmp_path), unread=[path])(path) is False


def test_a_file_is_read_back_as_it_was_written(tmp_path):
    odd = report(shop=FILE + 'def ü():\n    SessionLocal()  # "quoted" \\ ü\n' * 2)
    path = tmp_path / "baseline.json"
    path.write_text(dump(entries_of(odd)), "utf-8")
    assert load(str(path)) == entries_of(odd)
    path.write_text(dump(Counter()), "utf-8")
    assert load(str(path)) == Counter()


def test_the_file_is_sorted_and_has_one_entry_a_line():
    text = dump(entries_of(report(zoo=FILE, shop=FILE)))
    lines = [json.loads(line.rstrip(",")) for line in text.splitlines() if line.startswith("    {")]
    assert len(lines) == 4
    assert [line["path"] for line in lines] == ["shop.py", "shop.py", "zoo.py", "zoo.py"]
    assert lines[0] == {
        "path": "shop.py",
        "code": "ORM101",
        "function": "price_of",
        "line": "session = SessionLocal()",
        "count": 1,
    }
    assert json.loads(text)["version"] == 1


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"version": 2, "findings": []}',
        '{"version": 1, "findings": [{}]}',
        '{"version": 1, "findings": {}}',
    ],
)
def test_what_is_no_baseline_is_refused_by_name(tmp_path, content):
    path = tmp_path / "baseline.json"
    path.write_text(content)
    with pytest.raises(Unusable, match=r"baseline\.json: is no baseline: [^\n]+$"):
        load(str(path))


def test_a_missing_baseline_is_refused_by_name(tmp_path):
    with pytest.raises(Unusable, match=r"none\.json: cannot be read: No such file"):
        load(str(tmp_path / "none.json"))
