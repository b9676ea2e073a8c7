"""The plugin inside the real flake8."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
from doors import CLEAN, HELPER, LEAK, USER, lay, run

from flake8_dbsession import analyze as analyze_module
from flake8_dbsession.cache.one_by_one import NAME
from flake8_dbsession.config import Config
from flake8_dbsession.plugin import Plugin

PLACE = "app.py:8:15: ORM101"


def flake8(*arguments, cwd: Path, data: bytes | None = None):
    return run(sys.executable, "-m", "flake8", *arguments, cwd=cwd, data=data)


def reports(text, filename="app.py"):
    return list(Plugin(ast.parse(text), filename, text.splitlines(keepends=True)).run())


@pytest.fixture(autouse=True)
def own_config(monkeypatch):
    monkeypatch.setattr(Plugin, "config", Config(root="/nowhere"))


def test_a_report_has_line_column_text_and_class():
    [(line, column, text, owner)] = reports(LEAK)
    assert (line, column, owner) == (8, 14, Plugin)
    assert text.startswith("ORM101 ")
    assert ":" not in text.split()[0]


def test_columns_count_characters():
    text = LEAK.replace("    session = S", "    ünïcödé = 'é'; session = S")
    assert [column for _, column, _, _ in reports(text)] == [14 + len("ünïcödé = 'é'; ")]


@pytest.mark.parametrize("cookie", ["utf-8", "latin-1", "koi8-r", "no-such-codec"])
def test_an_encoding_cookie_does_no_harm(cookie):
    text = f"# coding: {cookie}\n" + LEAK.replace("    session = S", "    word = 'é'; session = S")
    assert [(line, column) for line, column, _, _ in reports(text)] == [(9, 26)]


@pytest.mark.parametrize("text", ["", "\n", "\f\n", "x = 1", "# only a comment", "'''a\n"[:3] + "'''"])
def test_odd_files_are_no_trouble(text):
    assert reports(text) == []


def test_a_fault_of_ours_is_one_report_and_the_run_goes_on(monkeypatch):
    def explode(source, project):
        raise RuntimeError("something\nunexpected")

    monkeypatch.setattr(analyze_module, "analyze", explode)
    [(line, column, text, _)] = reports(LEAK)
    assert (line, column) == (1, 0)
    assert text == "ORM000 this file could not be analysed, please report it: RuntimeError: something unexpected"


def test_libcst_is_not_imported(tmp_path):
    lay(tmp_path, app_py=LEAK)
    script = (
        "import sys; from flake8.main.cli import main; code = main(['--select=ORM', '-j1', 'app.py']);"
        "sys.exit(50 if 'libcst' in sys.modules else code)"
    )
    assert run(sys.executable, "-c", script, cwd=tmp_path).returncode == 1


def test_a_file_that_cannot_matter_imports_no_analysis(tmp_path):
    program = (
        "import ast, sys; from flake8_dbsession.plugin import Plugin; "
        "list(Plugin(ast.parse('x = 1'), 'x.py', ['x = 1']).run()); print(*sys.modules)"
    )
    imported = run(sys.executable, "-c", program, cwd=tmp_path).stdout.split()
    assert "flake8_dbsession.plugin" in imported
    assert not {f"flake8_dbsession.{part}" for part in ("analyze", "project", "rules", "session")} & set(imported)


def test_flake8_lists_the_plugin(tmp_path):
    assert "flake8-dbsession" in " ".join(flake8("--version", cwd=tmp_path).stdout.split())


def test_flake8_reports(tmp_path):
    lay(tmp_path, app_py=LEAK, clean_py=CLEAN)
    done = flake8("--select=ORM", cwd=tmp_path)
    assert done.stdout.startswith(f"./{PLACE} ")
    assert (len(done.stdout.splitlines()), done.returncode, done.stderr) == (1, 1, "")


def test_flake8_reads_the_standard_input(tmp_path):
    done = flake8("--select=ORM", "--stdin-display-name=app.py", "-", cwd=tmp_path, data=LEAK.encode())
    assert done.stdout.startswith(PLACE)
    assert flake8("--select=ORM", "-", cwd=tmp_path, data=LEAK.encode()).stdout.startswith("stdin:8:15: ORM101")


def test_noqa_is_left_to_flake8(tmp_path):
    lay(tmp_path, app_py=LEAK.replace("SessionLocal()\n    r", "SessionLocal()  # noqa: ORM101\n    r"))
    assert flake8("--select=ORM", cwd=tmp_path).stdout == ""
    assert PLACE in flake8("--select=ORM", "--disable-noqa", cwd=tmp_path).stdout


def test_workers_report_the_same_as_one_process(tmp_path):
    for number in range(12):
        lay(tmp_path, **{f"app{number}_py": LEAK})
    one, many = flake8("--select=ORM", "-j1", cwd=tmp_path), flake8("--select=ORM", "-j3", cwd=tmp_path)
    assert one.stdout == many.stdout
    assert len(one.stdout.splitlines()) == 12


OPTION = "def go(make, article):\n    session = make_it()\n    session.scalar(1)\n"
"""Nothing says that this is a session, but an option may."""
FACTORY = "from shop.db import make_it\n\n\n" + OPTION


def test_options_reach_the_engine_from_everywhere(tmp_path):
    lay(tmp_path, app_py=FACTORY)
    assert flake8("--select=ORM", cwd=tmp_path).stdout == ""
    told = flake8("--select=ORM", "--dbsession-session-factories=shop.db.make_it", cwd=tmp_path).stdout
    assert "app.py:5:15: ORM101" in told
    (tmp_path / ".flake8").write_text("[flake8]\ndbsession-session-factories =\n    other.one,\n    shop.db.make_it\n")
    assert flake8("--select=ORM", cwd=tmp_path).stdout == told
    (tmp_path / ".flake8").unlink()
    (tmp_path / "pyproject.toml").write_text('[tool.dbsession]\nsession-factories = ["shop.db.make_it"]\n')
    assert flake8("--select=ORM", cwd=tmp_path).stdout == told
    assert flake8("--select=ORM", "--dbsession-session-factories=other.one", cwd=tmp_path).stdout == ""


def test_options_survive_workers_that_are_spawned(tmp_path):
    """Such a worker starts anew and parses the options again."""
    lay(tmp_path, app_py=FACTORY, apq_py=FACTORY)
    script = (
        "import multiprocessing, sys; multiprocessing.set_start_method('spawn');"
        "from flake8.main.cli import main;"
        "sys.exit(main(['--select=ORM', '-j2', '--dbsession-session-factories=shop.db.make_it', 'app.py', 'apq.py']))"
    )
    path = tmp_path / "go.py"
    path.write_text(f"if __name__ == '__main__':\n    {script}\n")
    done = run(sys.executable, str(path), cwd=tmp_path)
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["ORM101", "ORM101"], done.stderr


def test_entries_with_blanks_come_whole():
    given = Namespace(dbsession_blocking_calls="a.b -> use c, d.e\nf.g -> use h")
    Plugin.parse_options(given)
    assert Plugin.config.blocking_calls == ("a.b -> use c", "d.e", "f.g -> use h")


def test_what_the_project_leaves_out_stays_out(tmp_path):
    lay(tmp_path, app_py=LEAK, tests__helper_py=LEAK)
    assert len(flake8("--select=ORM", cwd=tmp_path).stdout.splitlines()) == 1
    (tmp_path / "pyproject.toml").write_text('[tool.dbsession]\nper-file-ignores = { "app.py" = ["ORM1"] }\n')
    assert flake8("--select=ORM", cwd=tmp_path).stdout == ""


def test_a_mistake_in_the_configuration_is_one_clear_line(tmp_path):
    lay(tmp_path, app_py=LEAK)
    (tmp_path / "pyproject.toml").write_text("[tool.dbsession]\nclosrs = []\n")
    done = flake8(cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines()[1:] == [
        f"flake8-dbsession: {tmp_path / 'pyproject.toml'}: unknown key 'closrs'; did you mean 'closers'?"
    ]
    assert "Traceback" not in done.stderr


def test_opinions_are_off_until_they_are_asked_for(tmp_path):
    lay(tmp_path, app_py="x = 1\n")
    script = "from flake8.main.application import Application as A; a = A(); a.initialize({!r}); {}"
    decide = "from flake8.style_guide import DecisionEngine as D; print(D(a.options).decision_for('ORM901').name)"
    told = [
        subprocess.run(
            [sys.executable, "-c", script.format(options, decide)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for options in ([], ["--extend-select=ORM9"])
    ]
    assert told == ["Ignored", "Selected"]


def test_a_second_run_says_the_same_and_imports_no_analysis(tmp_path):
    lay(tmp_path, app_py=LEAK, clean_py=CLEAN)
    first = flake8("--select=ORM", "-j1", cwd=tmp_path)
    script = (
        "import sys; from flake8.main.cli import main; code = main(['--select=ORM', '-j1']);"
        "sys.exit(50 if 'flake8_dbsession.analyze' in sys.modules else code)"
    )
    second = run(sys.executable, "-c", script, cwd=tmp_path)
    assert (second.stdout, second.returncode) == (first.stdout, 1)


def test_what_workers_found_is_remembered_of_all(tmp_path):
    for number in range(12):
        lay(tmp_path, **{f"app{number}_py": LEAK})
    first = flake8("--select=ORM", "-j3", cwd=tmp_path)
    memory = tmp_path / ".dbsession_cache" / NAME
    assert len(json.loads(memory.read_text())["outcomes"]) == 12
    assert sorted(os.listdir(memory.parent)) == [".gitignore", NAME]
    assert flake8("--select=ORM", "-j3", cwd=tmp_path).stdout == first.stdout


def test_a_change_of_a_module_that_is_imported_counts(tmp_path):
    lay(tmp_path, helper_py=HELPER.format(method="close"), app_py=USER)
    assert flake8("--select=ORM", cwd=tmp_path).stdout == ""
    lay(tmp_path, helper_py=HELPER.format(method="commit"))
    after = flake8("--select=ORM", cwd=tmp_path).stdout
    assert "ORM102" in after
    assert after == flake8("--select=ORM", "--dbsession-cache-dir=", cwd=tmp_path).stdout


def test_a_text_that_is_not_the_files_is_looked_at_itself(tmp_path):
    lay(tmp_path, app_py=CLEAN)
    assert flake8("--select=ORM", cwd=tmp_path).stdout == ""
    done = flake8("--select=ORM", "--stdin-display-name=app.py", "-", cwd=tmp_path, data=LEAK.encode())
    assert done.stdout.startswith(PLACE)
    assert flake8("--select=ORM", cwd=tmp_path).stdout == ""


def test_nothing_is_remembered_where_that_is_not_wanted(tmp_path):
    lay(tmp_path, app_py=LEAK)
    assert PLACE in flake8("--select=ORM", "--dbsession-cache-dir=", cwd=tmp_path).stdout
    assert not (tmp_path / ".dbsession_cache").exists()


def test_a_lock_that_was_left_behind_is_no_trouble(tmp_path):
    lay(tmp_path, app_py=LEAK)
    memory = tmp_path / ".dbsession_cache" / NAME
    memory.parent.mkdir()
    memory.with_name(f"{NAME}.lock").touch()
    assert PLACE in flake8("--select=ORM", cwd=tmp_path).stdout
    assert sorted(os.listdir(memory.parent)) == [".gitignore", NAME]
