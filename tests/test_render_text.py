"""What people read: one line a report, or a frame with the bar of the held connection."""

from __future__ import annotations

import pytest

from flake8_dbsession.model import Diagnostic, Note, Plan, Safety, Span
from flake8_dbsession.render import Report
from flake8_dbsession.render.text import concise, full

LINES = """\
import time


def slow(db):
    row = db.get(Row, 1)
    a = 1
    b = 2
    c = 3
    d = 4
    time.sleep(9)
    return row
""".splitlines()

WAIT = Diagnostic(
    "app.py",
    Span(10, 4, 10, 17),
    "ORM201",
    "sleep-while-connected",
    "time.sleep sleeps for 9 s while session 'db' holds a connection",
    notes=(Note("'db.get(Row, 1)' takes a connection from the pool", Span(5, 10, 5, 24)),),
    refusal="only its author can judge",
    function="slow",
)


def report(*diagnostics, lines=LINES, colour=False):
    return Report(diagnostics, (), 1, lambda path: list(lines), lambda diagnostic: (), "/", "1", colour)


def test_concise_is_one_line():
    assert concise(report(WAIT, WAIT._replace(path="b.py"))) == (
        "app.py:10:5: ORM201 time.sleep sleeps for 9 s while session 'db' holds a connection\n"
        "b.py:10:5: ORM201 time.sleep sleeps for 9 s while session 'db' holds a connection\n"
    )


def test_the_bar_runs_from_the_taking_to_the_wait():
    assert full(report(WAIT)) == (
        """\
app.py:10:5: ORM201 time.sleep sleeps for 9 s while session 'db' holds a connection
   4 │   def slow(db):
   5 │ ┏     row = db.get(Row, 1)
     │ ┃           -------------- 'db.get(Row, 1)' takes a connection from the pool
   6 │ ┃     a = 1
   ⋮ │ ┃
   9 │ ┃     d = 4
  10 │ ┃     time.sleep(9)
     │ ┃     ^^^^^^^^^^^^^
  = no fix: only its author can judge

"""
    )


LEAK = Diagnostic(
    "app.py",
    Span(5, 4, 5, 7),
    "ORM101",
    "session-never-closed",
    "session 'row' is opened here and never closed",
    plan=Plan("open 'row' in a with block", Safety.UNSAFE, (), "rows leave the function"),
)


def test_a_connection_that_is_never_given_back_is_crossed_out():
    assert full(report(LEAK)) == (
        """\
app.py:5:5: ORM101 session 'row' is opened here and never closed
   4 │   def slow(db):
   5 │ ┏     row = db.get(Row, 1)
     │ ┃     ^^^
   6 │ ┃     a = 1
   ⋮ │ ┃
  11 │ ┃     return row
     │ ╳ the connection is still checked out
  = unsafe fix: open 'row' in a with block (rows leave the function)

"""
    )


def test_a_step_in_another_file_is_told_by_its_place():
    note = Note("the helper commits", Span(3, 4, 3, 9), "other.py")
    assert "  = other.py:3:5: the helper commits\n" in full(report(WAIT._replace(notes=(*WAIT.notes, note))))


def test_a_file_that_is_gone_still_has_its_message():
    told = full(report(WAIT, lines=[]))
    assert told.splitlines()[0].startswith("app.py:10:5: ORM201 ")
    assert "│" not in told


def test_the_safe_fix_is_told():
    told = full(report(LEAK._replace(plan=Plan("open it", Safety.SAFE, ()))))
    assert "  = fix: open it\n" in told


def test_a_long_sentence_gets_a_row_of_its_own():
    note = Note("it " + "goes on and on " * 7, Span(5, 10, 5, 24))
    told = full(report(WAIT._replace(notes=(note,))))
    rows = told.splitlines()
    [row] = [number for number, text in enumerate(rows) if "goes on" in text]
    assert rows[row - 1].rstrip().endswith(" --------------")


@pytest.mark.parametrize(
    ("line", "span", "row"),
    [
        ("\ttime.sleep(9)", Span(1, 1, 1, 14), "    ^^^^^^^^^^^^^"),
        ("x = '漢字'; wait()", Span(1, 10, 1, 16), "            ^^^^^^"),
        ("x = 'e\u0301'; wait()", Span(1, 10, 1, 16), "         ^^^^^^"),
        ("wait(  # on", Span(1, 0, 3, 1), "^^^^^^^^^^^"),
        ("wait()", Span(1, 0, 1, 0), "^"),
        ("wait()", Span(1, 50, 1, 60), "^"),
    ],
)
def test_marks_stand_where_a_terminal_shows_the_code(line, span, row):
    told = full(report(WAIT._replace(span=span, notes=()), lines=[line, "2", ")"]))
    [marks] = [text for text in told.splitlines() if "^" in text]
    assert marks.partition("│")[2][3:].rstrip().endswith(row.rstrip())
    if span.column < 20:
        assert marks.partition("│")[2][3:] == row


def test_long_lines_are_cut_and_control_characters_shown_as_such():
    told = full(report(WAIT._replace(notes=()), lines=["x"] * 9 + ["wait('\033[2J" + "x" * 5000]))
    assert max(map(len, told.splitlines())) < 140
    assert "\033" not in told
    assert "�[2J" in told


def test_colours():
    told = full(report(WAIT, colour=True))
    assert "\033[1;31mORM201\033[0m" in told
    plain = full(report(WAIT))
    for code in ("0", "1", "2", "33", "36", "1;31", "32"):
        told = told.replace(f"\033[{code}m", "")
    assert [row.rstrip() for row in told.splitlines()] == [row.rstrip() for row in plain.splitlines()]
