"""``# noqa`` comments: the same grammar as flake8's, and which of them are of no use."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flake8_dbsession.model import Diagnostic, Span
from flake8_dbsession.source import Source
from flake8_dbsession.suppress import suppress, tokens_for


def diagnostic(line, code="ORM101"):
    return Diagnostic("a.py", Span(line, 0, line, 1), code, "a-name", "a message")


def kept(text, *diagnostics):
    return [(d.code, d.span.line) for d in suppress(Source("a.py", text.encode()), diagnostics).kept]


@pytest.mark.parametrize(
    ("comment", "silenced"),
    [
        ("# noqa", True),
        ("# NoQA", True),
        ("# noqa: ORM101", True),
        ("# noqa:ORM101", True),
        ("# noqa: ORM1", True),
        ("# noqa: E501, ORM101", True),
        ("# noqa: E501 ORM101", True),
        ("# noqa: ORM101,ORM201 because it is so", True),
        ("# type: ignore # noqa: ORM101", True),
        ("# noqa : ORM201", True),  # what follows the blank is not read: flake8 silences everything
        ("# noqa because it is so", True),
        ("# noqa: because", True),
        ("# noqa: ORM201", False),
        ("# noqa: E501", False),
        ("# noqa: orm101", False),
        ("#noqa", False),
        ("# no qa", False),
        ("# flake8: noqa", False),  # not alone on its line
    ],
)
def test_a_comment_on_the_line(comment, silenced):
    assert kept(f"x = 1  {comment}\n", diagnostic(1)) == ([] if silenced else [("ORM101", 1)])


def test_a_comment_silences_its_own_line_only():
    assert kept("x = 1\ny = 2  # noqa\nz = 3\n", *map(diagnostic, (1, 2, 3))) == [("ORM101", 1), ("ORM101", 3)]


def test_inside_parentheses_each_line_has_its_own_comment():
    assert kept("f(  # noqa\n    1,\n)\n", diagnostic(1), diagnostic(2)) == [("ORM101", 2)]


def test_the_comment_behind_a_multi_line_string_or_a_backslash_covers_all_of_it():
    assert kept('f("""\na\n""")  # noqa\n', *map(diagnostic, (1, 2, 3))) == []
    assert kept("x = 1 + \\\n    2  # noqa\ny = 1\n", *map(diagnostic, (1, 2, 3))) == [("ORM101", 3)]


def test_a_string_is_no_comment():
    assert kept('x = "# noqa"\n', diagnostic(1)) == [("ORM101", 1)]


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        ("# flake8: noqa", []),
        ("    # FLAKE8: NOQA", []),
        ("# flake8=noqa", []),
        ("# flake8: noqa: ORM1", ["ORM201"]),
        ("# flake8: noqa: ORM101, ORM201", []),
        ("# flake8: noqa: E501", ["ORM101", "ORM201"]),
    ],
)
def test_a_whole_file(comment, left):
    text = f"if True:\n    x = 1\n{comment}\n"
    assert [code for code, _ in kept(text, diagnostic(2), diagnostic(2, "ORM201"))] == left


def test_codes_that_silence_nothing_are_told():
    text = "a = 1  # noqa: ORM101, ORM201, E501\nb = 2  # noqa: ORM3\nc = 3  # noqa\n"
    result = suppress(Source("a.py", text.encode()), [diagnostic(1)])
    assert result.silenced == 1
    assert [(unused.line, unused.column, unused.code) for unused in result.unused] == [(1, 7, "ORM201"), (2, 7, "ORM3")]


def test_a_file_without_the_word_is_not_tokenized(monkeypatch):
    source = Source("a.py", b"x = 1\n")
    monkeypatch.setattr("flake8_dbsession.suppress.tokens_of", lambda lines: pytest.fail("it was tokenized"))
    assert tokens_for(source, ["ORM101"]) == []


CASES = [
    "import a  # noqa",
    "import a  # noqa: F401",
    "import a  # noqa:F4",
    "import a  # noqa : E501",
    "import a  # noqa: E501",
    "import a  # noqa: f401",
    "import a  #noqa",
    "import a  # noqa E501",
    "import a  # noqa: E501 F401",
    "import a  # noqa: E501, F401 - for reasons",
    "import a  # noqa: reasons",
    "import a  # isort: skip # noqa: F401",
    "import a; x = '''\n'''  # noqa",
    "import a; x = (1,  # noqa\n2)",
    "from a import (\n    b,  # noqa\n    c,\n)",
    "import \\\n    a  # noqa",
]


def test_flake8_agrees(tmp_path):
    """Its own report of an unused import stands for one of ours."""
    for number, text in enumerate(CASES):
        (tmp_path / f"case_{number:02}.py").write_text(text + "\n")
    command = [sys.executable, "-m", "flake8", "--isolated", "--select=F401", "--format=%(path)s:%(row)s:%(col)s"]
    told = subprocess.run([*command, "."], cwd=tmp_path, capture_output=True, text=True, check=False)
    all_of_them = subprocess.run(
        [*command, "--disable-noqa", "."], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    places = [line.split(":") for line in all_of_them.stdout.splitlines()]
    assert len(places) >= len(CASES)
    left = []
    for path, row, column in places:
        report = Diagnostic(path, Span(int(row), 0, int(row), 1), "F401", "", "")
        if suppress(Source(path, (tmp_path / path).read_bytes()), [report]).kept:
            left.append(f"{path}:{row}:{column}")
    assert left == told.stdout.splitlines()


@pytest.mark.parametrize(
    ("line", "is_read"),
    [
        ("x = 1  # noqa: E501", False),
        ("x = 1  # noqa: E501, F401", False),
        ("x = 1  # NOQA", True),
        ("x = 1  # noqa: E501,ORM101", True),
        ("x = 1  # noqa: O", True),
        ("# flake8: noqa", True),
        ("# flake8: noqa: ORM1", True),
        ("# flake8: noqa: E5", False),
        ('x = "# noqa: E501"  # noqa', True),
    ],
)
def test_comments_are_read_only_where_one_may_be_meant_for_us(line, is_read):
    source = Source("x.py", f"{line}\n".encode())
    assert bool(tokens_for(source, ["ORM101"])) is is_read
