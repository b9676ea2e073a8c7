"""``dbsession fix``: what is written, printed and returned."""

from __future__ import annotations

import stat
import subprocess
import sys

import pytest
from doors import CLEAN, LEAK, MENDED, dbsession, lay

from flake8_dbsession.cli import main

UNSAFE = LEAK.replace(
    "return len(session.scalars(select(article)).all())", "return session.scalars(select(article)).all()"
)
"""Rows leave the function, so that closing the session may alter behaviour."""
HOPELESS = LEAK.replace("    session = SessionLocal()", "    session = other = SessionLocal()").replace(
    "return", "other;"
)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lay(tmp_path, app_py=LEAK, clean_py=CLEAN)


@pytest.fixture
def fix(project, capfd):
    def run(*arguments):
        code = main(["fix", *arguments])
        out, err = capfd.readouterr()
        return code, out, err

    return run


def test_a_safe_fix_is_written_and_a_second_run_changes_nothing(fix, project):
    code, out, err = fix()
    assert (project / "app.py").read_text() == MENDED
    assert (code, out) == (0, "app.py:8:15: ORM101 fixed: open 'session' in a with block\n")
    assert err == "1 finding fixed in 1 file, 0 left\n"
    written = (project / "app.py").stat().st_mtime_ns
    assert fix() == (0, "", "Nothing to fix\n")
    assert (project / "app.py").stat().st_mtime_ns == written


def test_unsafe_fixes_need_a_word(fix, project):
    lay(project, app_py=UNSAFE)
    code, out, err = fix()
    assert code == 1
    assert out.splitlines()[0].startswith("app.py:8:15: ORM101 ")
    assert out.splitlines()[1].startswith("    not fixed: needs --unsafe-fixes: ")
    assert err == "0 findings fixed in 0 files, 1 left\n"
    assert (project / "app.py").read_text() == UNSAFE
    assert fix("--unsafe-fixes")[0] == 0
    assert (project / "app.py").read_text() != UNSAFE


def test_the_configuration_may_allow_unsafe_fixes(fix, project):
    lay(project, app_py=UNSAFE)
    (project / "dbsession.toml").write_text("unsafe-fixes = true\n")
    assert fix()[0] == 0


def test_what_cannot_be_fixed_says_why(fix, project):
    lay(project, app_py=HOPELESS)
    code, out, _ = fix()
    assert code == 1
    assert out.splitlines()[1].startswith("    not fixed: the session is ")
    assert fix("--quiet")[1:] == (out.splitlines()[0] + "\n", "")


def test_diff_writes_nothing_and_can_be_applied(fix, project):
    code, out, err = fix("--diff")
    assert code == 1
    assert (project / "app.py").read_text() == LEAK
    assert "app.py:8:15: ORM101 would be fixed: open 'session' in a with block\n" in err
    subprocess.run(["git", "apply"], input=out.encode(), check=True)
    assert (project / "app.py").read_text() == MENDED
    assert fix("--diff")[:2] == (0, "")


def test_select_chooses_what_is_fixed_and_told(fix, project):
    assert fix("--select=ORM2") == (0, "", "Nothing to fix\n")
    assert fix("--ignore=ORM101") == (0, "", "Nothing to fix\n")
    assert (project / "app.py").read_text() == LEAK
    assert fix("--select=ORM101")[0] == 0
    assert (project / "app.py").read_text() == MENDED


def test_lines_with_noqa_are_not_touched(fix, project):
    text = LEAK.replace("SessionLocal()\n    r", "SessionLocal()  # noqa: ORM101\n    r")
    lay(project, app_py=text)
    assert fix() == (0, "", "Nothing to fix\n")
    assert (project / "app.py").read_text() == text


def test_an_input_comes_out_mended(project):
    done = dbsession("fix", "-", "--stdin-filename=a.py", cwd=project, data=LEAK.encode())
    assert (done.returncode, done.stdout) == (0, MENDED)
    assert done.stderr.splitlines()[0] == "a.py:8:15: ORM101 fixed: open 'session' in a with block"
    done = dbsession("fix", "-", cwd=project, data=CLEAN.encode())
    assert (done.returncode, done.stdout) == (0, CLEAN)
    done = dbsession("fix", "-", "--diff", cwd=project, data=LEAK.encode())
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, "--- a/-")


def test_an_input_that_cannot_be_read_comes_out_as_it_is(project):
    text = "import sqlalchemy\ndef f(:\n"
    done = dbsession("fix", "-", cwd=project, data=text.encode())
    assert (done.returncode, done.stdout) == (2, text)
    assert done.stderr.startswith("-:2:7: cannot be parsed")


def test_the_hook_can_tell_that_something_was_fixed(fix):
    assert fix("--exit-non-zero-on-fix")[0] == 1
    assert fix("--exit-non-zero-on-fix")[0] == 0


def test_each_fix_can_be_asked_for(project):
    lay(project, more_py=LEAK)
    done = dbsession("fix", "--interactive", cwd=project, data=b"n\ny\n")
    assert (project / "app.py").read_text() == LEAK
    assert (project / "more.py").read_text() == MENDED
    assert "+    with SessionLocal() as session:" in done.stdout
    assert done.returncode == 1


def test_quit_leaves_the_rest_alone(project):
    lay(project, more_py=LEAK)
    assert dbsession("fix", "--interactive", cwd=project, data=b"q\n").returncode == 1
    assert (project / "app.py").read_text() == (project / "more.py").read_text() == LEAK


def test_a_file_that_cannot_be_written_is_told_and_the_others_are_fixed(fix, project, monkeypatch):
    from flake8_dbsession.fix import write

    def refuse(path, before, after, write=write.write):
        if path == "app.py":
            raise PermissionError(13, "the file is read-only", path)
        return write(path, before, after)

    monkeypatch.setattr(write, "write", refuse)
    lay(project, more_py=LEAK)
    code, out, err = fix("--jobs=1")
    assert code == 2
    assert (project / "more.py").read_text() == MENDED
    assert "app.py: cannot be written: the file is read-only\n" in err
    assert "app.py:8:15: ORM101 fixed" not in out


def test_workers_do_the_same_as_one_process(project):
    for number in range(12):
        lay(project, **{f"one__app{number}_py": LEAK, f"many__app{number}_py": LEAK})
    one = dbsession("fix", "one", "-j1", cwd=project)
    many = dbsession("fix", "many", "-j3", cwd=project)
    assert one.stdout.replace("one/", "many/") == many.stdout
    assert all((project / "many" / f"app{number}.py").read_text() == MENDED for number in range(12))


def test_mode_newlines_and_encoding_stay(fix, project):
    path = project / "app.py"
    path.write_bytes(("# coding: latin-1\n# é\n" + LEAK).replace("\n", "\r\n").encode("latin-1"))
    path.chmod(0o755)
    assert fix()[0] == 0
    assert path.read_bytes() == ("# coding: latin-1\n# é\n" + MENDED).replace("\n", "\r\n").encode("latin-1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_libcst_is_imported_only_for_a_fix(project):
    lay(project, app_py=UNSAFE)
    done = dbsession("fix", cwd=project, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 1
    assert "libcst" not in done.stderr
    assert "libcst" in dbsession("fix", "--unsafe-fixes", cwd=project, PYTHONPROFILEIMPORTTIME="1").stderr


def test_python_m_works_too(project):
    done = subprocess.run([sys.executable, "-m", "flake8_dbsession", "fix", "--diff"], capture_output=True, check=False)
    assert done.returncode == 1
