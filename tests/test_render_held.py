"""The picture of a report says how long the connection is held, no longer and no shorter."""

from __future__ import annotations

import pathlib

import pytest
from reports import FILE, LEAK, WAIT

from flake8_dbsession import run
from flake8_dbsession.config import Config
from flake8_dbsession.model import Note, Span
from flake8_dbsession.render.held import Kind, end_of_function, held, kind_of

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
HOLDING = ("ORM101", "ORM102", "ORM103", "ORM2")
EXAMPLES = [path for code in HOLDING for path in sorted(FIXTURES.glob(f"{code}*/example.py"))]
LINES = FILE.splitlines()


def test_a_wait_is_held_from_the_taking_to_the_wait():
    picture = held(WAIT._replace(notes=WAIT.notes[:2]), LINES)
    assert (picture.taken, picture.until, picture.is_lost) == (7, 8, False)
    assert [(mark.line, mark.kind) for mark in picture.marks] == [(6, Kind.OPENED), (7, Kind.TAKEN), (8, Kind.WAIT)]
    assert (picture.first, picture.last) == (5, 8), "blank lines at the edge are left out"


def test_a_leak_is_held_to_the_end_of_the_function():
    leak = LEAK._replace(span=Span(6, 14, 6, 28), notes=(Note("'get' takes a connection from the pool", WAIT.span),))
    picture = held(leak, LINES)
    assert (picture.taken, picture.until, picture.last, picture.is_lost) == (8, 9, 9, True)


def test_a_leak_without_a_note_is_taken_where_it_is_reported():
    picture = held(LEAK, LINES)
    assert (picture.taken, picture.last) == (13, 13)
    assert [note.path for note in picture.elsewhere] == ["shop/database.py"]
    assert [mark.line for mark in picture.marks] == [13]


def test_a_loop_that_keeps_it_is_held_from_one_end_to_the_other():
    loop = LEAK._replace(code="ORM205", span=Span(6, 4, 9, 20), notes=())
    assert held(loop, LINES)[1:5] == (9, 6, 9, False)


def test_the_reports_of_the_rules_are_understood():
    seen = set()
    for path in EXAMPLES:
        lines = path.read_text("utf-8").splitlines()
        for diagnostic in run.check_file(str(path), Config(root=str(path.parent))).diagnostics:
            if diagnostic.code.startswith(HOLDING):
                picture = held(diagnostic, lines)
                assert picture.first <= picture.taken <= picture.until <= picture.last, diagnostic
                seen.add(diagnostic.code)
    assert len(seen) > 5


def test_an_expression_of_several_lines_is_shown_whole():
    long = LEAK._replace(code="ORM303", span=Span(6, 14, 8, 20), notes=())
    assert held(long, LINES)[:2] == (5, 8)


def test_what_holds_no_connection_has_no_bar():
    picture = held(LEAK._replace(code="ORM402"), LINES)
    assert (picture.taken, picture.until) == (0, 0)
    assert picture.at(13)[0].kind is Kind.REPORT


def test_a_place_beyond_the_file_is_no_error():
    assert held(LEAK, []).marks[0].line == 13


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("'session.get(1)' takes a connection from the pool", Kind.TAKEN),
        ("'row.name' reads an expired row and takes a connection again", Kind.TAKEN),
        ("it holds a connection since here", Kind.TAKEN),
        ("this close is not reached on every way", Kind.MISSED),
        ("the next turn begins with the connection still checked out", Kind.LOST),
        ("upload() calls send() here, which waits", Kind.WAIT),
        ("the pool is made here", Kind.STEP),
    ],
)
def test_notes_are_understood(sentence, kind):
    assert kind_of(sentence) is kind


def test_the_end_of_a_function_is_where_the_indentation_ends():
    lines = [
        "class A:",
        "    def f(self):",
        "        x = 1",
        "",
        "        def g():",
        "            y = 2",
        "",
        "    def h(self):",
    ]
    assert end_of_function(lines, 3, 3) == 6
    assert end_of_function(lines, 6, 6) == 6
    assert end_of_function(["x = 1", "y = 2"], 1, 1) == 2
