"""Odd files, odd ends: each is one clear line and the right exit code, and the rest is checked."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time

import pytest
from doors import CLEAN, LEAK, MENDED, dbsession, lay

import flake8_dbsession
from flake8_dbsession.cli import main

REGISTRY = """\
from flask import Flask
from sqlalchemy.orm import scoped_session, sessionmaker

app = Flask(__name__)
registry = scoped_session(sessionmaker())


@app.route("/")
def count():
    return registry.execute("select 1").scalar()


"""
USES = "import sqlalchemy\n"
"""So that the engine has a look at the file."""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lay(tmp_path, app_py=LEAK)


BAD = {
    "syntax": (b"import sqlalchemy\ndef f(:\n", "odd.py:2:7: cannot be parsed: "),
    "bytes": (b"import sqlalchemy\nx = '\xff\xfe'\n", "odd.py"),
    "cookie": (b"# coding: nonsense\nimport sqlalchemy\n", "odd.py"),
    "null": (b"import sqlalchemy\0\n", "odd.py"),
    "utf-16": ("x = 1\n".encode("utf-16"), "odd.py"),
    "indentation": (b"if True:\nimport sqlalchemy\n", "odd.py:2:1: cannot be parsed: "),
    "nesting": (b"import sqlalchemy\nx = " + b"(" * 5000 + b")" * 5000 + b"\n", "odd.py"),
    "unclosed": (b"import sqlalchemy\nx = '''\n", "odd.py:2:5: cannot be parsed: "),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_read_is_one_line(project, name):
    data, start = BAD[name]
    (project / "odd.py").write_bytes(data)
    done = dbsession("check", "--output-format=concise", "--quiet", cwd=project)
    assert done.returncode == 2
    assert done.stdout.startswith("app.py:8:15: ORM101 ")
    [line] = done.stderr.splitlines()
    assert line.startswith(start)
    assert "internal error" not in line


GOOD = {
    "not ours": b"def f(:\n",  # nothing in it could be a session, so nobody reads it
    "empty": b"",
    "blank": b"\n\n\n",
    "bom": b"\xef\xbb\xbfimport sqlalchemy\n",
    "form feed": b"import sqlalchemy\n\x0c\nx = 1\n",
    "carriage returns": b"import sqlalchemy\rx = 1\r",
    "no newline": b"import sqlalchemy",
    "terms": (USES + "x = " + " + ".join(["1"] * 10_000) + "\n").encode(),
    "attributes": (USES + "x = session" + ".filter(a)" * 900 + "\n").encode(),
    "lines": (USES + "x = 1\n" * 25_000 + "session.add(x)\n" * 25_000).encode(),
    "function": (USES + "def f(session):\n" + "    session.add(1)\n" * 3_000).encode(),
    "blocks": (USES + "".join(" " * n + "if x:\n" for n in range(90)) + " " * 90 + "session.add(1)\n").encode(),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_strange_file_is_no_trouble(project, name):
    (project / "odd.py").write_bytes(GOOD[name])
    done = dbsession("check", "--output-format=concise", "--quiet", cwd=project)
    lines = [line for line in done.stderr.splitlines() if not _too_deep(line)]
    assert lines == []
    assert done.stdout.startswith("app.py:8:15: ORM101 ")
    assert len(done.stdout.splitlines()) == 1


def _too_deep(line):
    """Some versions of Python cannot read the deepest of these files, and say so."""
    return line.startswith("odd.py: cannot be parsed: nested too deeply")


def test_a_file_that_vanishes_is_told(project, monkeypatch, capfd):
    from flake8_dbsession.files import discover as module

    real = module.discover

    def discover(*arguments):
        found = real(*arguments)
        os.unlink("gone.py")
        return found

    monkeypatch.setattr(module, "discover", discover)
    lay(project, gone_py=CLEAN)
    assert main(["check", "--output-format=concise", "--quiet"]) == 2
    out, err = capfd.readouterr()
    assert out.startswith("app.py:8:15: ORM101 ")
    assert err == "gone.py: cannot be read: No such file or directory\n"


def test_a_fault_of_ours_costs_one_file(project, monkeypatch, capfd):
    from flake8_dbsession import analyze as module

    real = module.analyze

    def analyze(source, project):
        if source.path == "odd.py":
            raise RuntimeError("never\nseen")
        return real(source, project)

    monkeypatch.setattr(module, "analyze", analyze)
    lay(project, odd_py="session = 1\n")
    assert main(["check", "--output-format=concise", "--quiet"]) == 2
    out, err = capfd.readouterr()
    assert out.startswith("app.py:8:15: ORM101 ")
    assert err.startswith("odd.py: internal error, please report it: RuntimeError in test_cli_robust.py:")
    assert err.endswith(": never seen\n")
    assert main(["check", "--debug", "--quiet"]) == 2
    assert "Traceback" in capfd.readouterr().err


def test_a_process_that_dies_costs_one_file(project, monkeypatch, capfd):
    from flake8_dbsession import analyze as module

    real = module.analyze

    def analyze(source, project):
        if source.path == "odd.py":
            os.kill(os.getpid(), signal.SIGKILL)
        return real(source, project)

    monkeypatch.setattr(module, "analyze", analyze)
    lay(project, odd_py="session = 1\n")
    assert main(["check", "--output-format=concise", "--quiet", "--jobs=2"]) == 2
    out, err = capfd.readouterr()
    assert out.startswith("app.py:8:15: ORM101 ")
    assert err == "odd.py: internal error, please report it: the process that worked on this file died\n"


@pytest.mark.parametrize("arguments", [("check",), ("check", "--output-format=json"), ("fix", "--diff")])
def test_a_closed_pipe_ends_the_run_quietly(project, arguments):
    lay(project, app_py=LEAK + LEAK[LEAK.index("\n\ndef") :] * 400)
    command = [sys.executable, "-m", "flake8_dbsession", *arguments, "app.py", "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(100)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 1


@pytest.mark.parametrize("to", ["the process", "its group"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_exits_with_130_says_nothing_and_leaves_nobody_behind(project, jobs, to):
    """The analysis of a file is made to last, so that there is something to interrupt."""
    script = (
        "import os, sys, time; from flake8_dbsession import analyze as a; from flake8_dbsession.cli import main\n"
        "def wait(source, project): open(f'{os.getpid()}.started', 'w').close(); time.sleep(60)\n"
        "a.analyze = wait\n"
        f"sys.exit(main(['check', '.', '--jobs={jobs}']))"
    )
    lay(project, **{f"app{number}_py": LEAK for number in range(4)})
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(flake8_dbsession.__file__))}
    process = subprocess.Popen(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, env=environment, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while len(list(project.glob("*.started"))) < jobs and time.monotonic() < deadline:
        time.sleep(0.02)
    if to == "the process":
        process.send_signal(signal.SIGINT)
    else:  # as a terminal does
        os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 130
    assert process.stderr.read() == b""
    workers = [int(path.stem) for path in project.glob("*.started")]
    assert len(workers) == jobs
    assert [worker for worker in workers if is_there(worker)] == []


def is_there(process):
    """Whether a process runs, or waits to be buried."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_link_that_leads_nowhere_is_told(project):
    (project / "broken.py").symlink_to("nowhere.py")
    for named in (), ("broken.py", "app.py"):
        done = dbsession("check", *named, "--output-format=concise", "--quiet", cwd=project)
        assert done.returncode == 2
        assert done.stdout.startswith("app.py:8:15: ORM101 ")
        [line] = done.stderr.splitlines()
        assert line.startswith("broken.py: cannot be read: ")


def test_a_folder_that_cannot_be_read_is_told(project, monkeypatch, capfd):
    """A privileged user can read everything, so the system's refusal is played."""
    lay(project, closed__b_py=LEAK)
    read = os.scandir

    def scandir(folder="."):
        if os.path.basename(folder) == "closed":
            raise PermissionError(13, "Permission denied")
        return read(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    assert main(["check", "--output-format=concise", "--quiet", "--no-cache"]) == 2
    out, err = capfd.readouterr()
    assert out.startswith("app.py:8:15: ORM101 ")
    assert err == "closed: cannot be read: Permission denied\n"


def test_a_cache_that_cannot_be_written_is_no_trouble(project, monkeypatch, capfd):
    from flake8_dbsession.cache import state

    def refuse(*arguments, **keywords):
        raise OSError(30, "Read-only file system")

    old = 1_600_000_000
    os.utime(project / "app.py", (old, old))
    monkeypatch.setattr(state, "_SETTLED", -(10**18))
    monkeypatch.setattr(os, "makedirs", refuse)
    assert [main(["check", "--output-format=concise", "--quiet"]) for _ in range(2)] == [1, 1]
    out, err = capfd.readouterr()
    assert out.count("app.py:8:15: ORM101 ") == 2
    assert err == ""


def test_nobody_waits_for_a_pipe(project):
    """Also not while looking for what the project declares, or for who gives a registry back."""
    lay(project, app_py=REGISTRY + LEAK)
    for name in ("pipe.py", "requirements.txt", "compose.yaml", "gunicorn.conf.py", "setup.cfg"):
        os.mkfifo(project / name)
    done = dbsession("check", "--output-format=concise", "--quiet", cwd=project)
    assert done.stderr == ""
    assert done.returncode == 1
    assert " ORM101 " in done.stdout


@pytest.mark.parametrize("name", ["syntax", "bytes", "cookie", "null", "nesting"])
def test_what_cannot_be_read_is_not_mended_and_the_rest_is(project, name):
    data, start = BAD[name]
    (project / "odd.py").write_bytes(data)
    done = dbsession("fix", "--quiet", cwd=project)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith(start)
    assert (project / "odd.py").read_bytes() == data
    assert (project / "app.py").read_text() == MENDED


def test_what_python_warns_of_is_not_our_business(project):
    lay(project, odd_py=USES + 'x = "\\d"\nassert (x, "is true")\nif x is 1:\n    pass\n')
    done = dbsession("check", "--output-format=concise", "--quiet", cwd=project, PYTHONWARNINGS="always")
    assert done.stderr == ""


def test_notebooks_are_left_out_with_a_word(project):
    (project / "n.ipynb").write_text("{}")
    done = dbsession("check", ".", "n.ipynb", "--output-format=concise", cwd=project)
    assert done.returncode == 1
    assert "2 notebooks left out: only Python files are checked\n" in done.stderr


def test_an_output_that_knows_no_bars_gets_plain_ones(project):
    done = dbsession("check", cwd=project, PYTHONUTF8="0", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stdout.isascii()
    assert "  9 | +     return len(" in done.stdout
    assert "    | x the connection is still checked out\n" in done.stdout


def test_nothing_of_the_source_reaches_the_terminal_as_a_command(project):
    lay(project, app_py=LEAK.replace("    return", "    '\033[2J\a'\n    return"))
    done = dbsession("check", cwd=project)
    assert done.stdout.isprintable() is False  # its newlines
    assert all(line.isprintable() for line in done.stdout.splitlines())


# -- terminals


def on_terminal(*arguments, cwd, **environment):
    """What the command writes when standard output is a terminal."""
    leader, follower = pty.openpty()
    source = os.path.dirname(os.path.dirname(flake8_dbsession.__file__))
    process = subprocess.Popen(
        [sys.executable, "-m", "flake8_dbsession", *arguments],
        cwd=cwd,
        stdout=follower,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm", "PYTHONPATH": source, **environment},
    )
    os.close(follower)
    written = b""
    while True:
        try:
            data = os.read(leader, 4096)
        except OSError:
            break
        if not data:
            break
        written += data
    process.wait(60)
    os.close(leader)
    return written


def test_colours_are_for_terminals(project, monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    assert b"\033[1;31mORM101\033[0m" in on_terminal("check", cwd=project)
    assert b"\033[" not in on_terminal("check", cwd=project, NO_COLOR="1")
    assert b"\033[" not in on_terminal("check", cwd=project, TERM="dumb")
    assert b"\033[" not in on_terminal("check", "--color=never", cwd=project)
    assert "\033[" not in dbsession("check", cwd=project).stdout
    assert "\033[" in dbsession("check", "--color=always", cwd=project).stdout
    assert "\033[" in dbsession("check", cwd=project, FORCE_COLOR="1").stdout
    assert "\033[" not in dbsession("check", "--output-format=json", "--color=always", cwd=project).stdout


def test_progress_is_shown_on_a_terminal_in_a_long_run_only(monkeypatch, capsys):
    from flake8_dbsession.cli import progress as module

    def run(quiet=False):
        with module.progress(3, quiet) as told:
            for done in (1, 2, 3):
                told(done)
        return capsys.readouterr().err

    assert run() == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run() == ""
    monkeypatch.setattr(module, "_AFTER", 0.0)
    monkeypatch.setattr(module, "_EVERY", 0.0)
    assert run() == "\rchecked 1 of 3 files\rchecked 2 of 3 files\rchecked 3 of 3 files\r\033[K"
    assert run(quiet=True) == ""
