"""What leaves the fixer: files written in one go, diffs, edits, and questions to a person."""

from __future__ import annotations

import os
import pathlib
import stat
import subprocess

import pytest

from flake8_dbsession.fix.diff import patch, text
from flake8_dbsession.fix.edits import Edit, applied, edits
from flake8_dbsession.fix.interactive import Interactive
from flake8_dbsession.fix.loop import Stop
from flake8_dbsession.fix.write import Changed, write
from flake8_dbsession.model import Diagnostic, Plan, Safety, Span


def test_writing_keeps_the_mode_and_leaves_nothing_beside(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(b"old\r\n")
    path.chmod(0o751)
    assert write(str(path), b"old\r\n", b"new\r\n")
    assert path.read_bytes() == b"new\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o751
    assert list(tmp_path.iterdir()) == [path]


def test_writing_the_same_does_not_touch_the_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(b"old")
    before = path.stat()
    assert not write(str(path), b"old", b"old")
    after = path.stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert not write(str(tmp_path / "missing.py"), b"", b"")


def test_writing_keeps_hard_links_together(tmp_path: pathlib.Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_bytes(b"old and long")
    other.hardlink_to(one)
    assert write(str(one), b"old and long", b"new")
    assert other.read_bytes() == b"new"
    assert one.samefile(other)


def test_a_hard_link_that_cannot_be_written_stays_as_it_was(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_bytes(b"old")
    other.hardlink_to(one)

    def fail_once(_handle: int) -> None:
        monkeypatch.undo()
        raise OSError(28, "no space left")

    monkeypatch.setattr("os.fsync", fail_once)
    with pytest.raises(OSError, match="no space"):
        write(str(one), b"old", b"new and longer")
    assert other.read_bytes() == b"old"


def test_writing_goes_through_a_symbolic_link(tmp_path: pathlib.Path) -> None:
    (tmp_path / "deep").mkdir()
    target, link = tmp_path / "deep" / "x.py", tmp_path / "link.py"
    target.write_bytes(b"old")
    link.symlink_to("deep/x.py")
    assert write(str(link), b"old", b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_file_that_changed_in_the_meantime_is_left_alone(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(b"newer")
    with pytest.raises(Changed):
        write(str(path), b"old", b"new")
    assert path.read_bytes() == b"newer"


def test_a_read_only_file_is_left_alone(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError):
        write(str(path), b"old", b"new")
    assert path.read_bytes() == b"old"


def test_a_write_that_fails_leaves_the_old_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        write(str(path), b"old", b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


PAIRS = [
    (b"a\nb\nc\n", b"a\nB\nc\n"),
    (b"a\r\nb\r\n", b"a\r\n    b\r\n"),
    (b"a\nb", b"a\nb\n"),
    (b"a\nb\n", b"a\nc"),
    (b"", b"a\n"),
    (b"a\n", b""),
    (b"# coding: latin-1\n\xe9\n", b"# coding: latin-1\n\xe8\n"),
    (b"a\x0cb\n\xff\n", b"a\x0cc\n\xff\n"),
]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_patch_makes_the_new_file_of_the_old_one(before: bytes, after: bytes, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(before)
    command = ["git", "apply", "--whitespace=nowarn", "--unidiff-zero", "-"]
    subprocess.run(command, input=patch(before, after, "x.py"), cwd=tmp_path, check=True)
    assert path.read_bytes() == after


def test_a_diff_for_people_says_where_the_newline_is_missing() -> None:
    assert text(b"a\nb", b"a\nc\n", "d/x.py") == (
        "--- a/d/x.py\n+++ b/d/x.py\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n"
    )
    assert text(b"a", b"a", "x.py") == ""


def test_a_diff_for_people_is_decoded_as_the_file_is() -> None:
    assert "+\xe9\n" in text(b"# coding: latin-1\n", b"# coding: latin-1\n\xe9\n", "x.py")
    assert "+\xe9\n" in text(b"a\n", "a\n\xe9\n".encode(), "x.py")
    assert "+\\xff\n" in text(b"a\n", b"a\n\xff\n", "x.py")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a\n", "a\n", []),
        ("a = f(x)\n", "a = f(x, y=1)\n", [Edit(Span(1, 7, 1, 7), ", y=1")]),
        ("a\nb\nc\n", "a\nc\n", [Edit(Span(2, 0, 3, 0), "")]),
        ("a\nb", "a\n", [Edit(Span(2, 0, 2, 1), "")]),
        ("a\nb", "a\nb\nc\n", [Edit(Span(2, 1, 2, 1), "\nc\n")]),
        ("", "a\n", [Edit(Span(1, 0, 1, 0), "a\n")]),
        (
            "s = S()\r\na(s)\r\n\r\nb\r\n",
            "with S() as s:\r\n    a(s)\r\n\r\n    b\r\n",
            [
                Edit(Span(1, 0, 1, 3), "with"),
                Edit(Span(1, 7, 1, 7), " as s:"),
                Edit(Span(2, 0, 2, 0), "    "),
                Edit(Span(4, 0, 4, 0), "    "),
            ],
        ),
    ],
)
def test_edits_are_small(before: str, after: str, expected: list[Edit]) -> None:
    found = edits(before, after)
    assert applied(before, found) == after
    assert applied(before, expected) == after
    assert sum(len(edit.text) for edit in found) <= sum(len(edit.text) for edit in expected) + 8
    assert len(found) <= max(1, len(expected)) * (before != after)


REPORT = Diagnostic("x.py", Span(3, 4, 3, 5), "ORM101", "session-never-closed", "'s' is never closed")
UNSAFE = REPORT._replace(plan=Plan("open 's' in a with block", Safety.UNSAFE, (), "rows may be used later"))


def conversation(*answers: str) -> tuple[Interactive, list[str]]:
    """A person with these answers, who then goes away, and what is written for them."""
    left, written = list(answers), []

    def read(prompt: str) -> str:
        written.append(prompt)
        if not left:
            raise EOFError
        return left.pop(0)

    return Interactive(read, lambda line: written.append(str(line))), written


def test_a_person_sees_the_report_the_plan_and_the_change() -> None:
    ask, written = conversation("y")
    assert ask(UNSAFE, b"a\n", b"b\n")
    assert written[:2] == [
        "x.py:3:5: ORM101 's' is never closed",
        "unsafe fix: open 's' in a with block (rows may be used later)",
    ]
    assert "-a\n+b\n" in written[2]
    assert written[3].startswith("Apply this fix?")


def test_yes_no_and_what_is_neither() -> None:
    ask, written = conversation("perhaps", " NO ", "Yes")
    assert [ask(REPORT, b"a", b"b"), ask(REPORT, b"a", b"b")] == [False, True]
    assert "please answer y, n, a or q" in written


def test_all_asks_no_more() -> None:
    ask, written = conversation("n", "all")
    assert [ask(REPORT, b"a", b"b") for _ in range(4)] == [False, True, True, True]
    assert len([line for line in written if line.startswith("Apply")]) == 2


@pytest.mark.parametrize("answers", [("q",), ()])
def test_quitting_and_the_end_of_the_input_stop_for_good(answers: tuple[str, ...]) -> None:
    ask, written = conversation(*answers)
    for _ in range(2):
        with pytest.raises(Stop):
            ask(REPORT, b"a", b"b")
    assert ask.stopped
    assert len([line for line in written if line.startswith("Apply")]) == 1
