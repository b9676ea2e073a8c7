"""``dbsession check``: options, exit codes, outputs."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from doors import CLEAN, LEAK, MENDED, dbsession, lay

from flake8_dbsession import __version__
from flake8_dbsession.cli import SUBCOMMANDS, main
from flake8_dbsession.render import FORMATS

PLACE = "app.py:8:15: ORM101 "


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lay(tmp_path, app_py=LEAK, clean_py=CLEAN)


@pytest.fixture
def check(project, capfd):
    def run(*arguments):
        code = main(["check", *arguments])
        out, err = capfd.readouterr()
        return code, out, err

    return run


def test_findings_go_out_and_the_summary_beside(check):
    code, out, err = check("--output-format=concise")
    assert code == 1
    assert out.startswith(PLACE)
    assert len(out.splitlines()) == 1
    assert err == "1 finding in 1 file (2 files checked); `dbsession fix` mends 1\n"


def test_nothing_found(check):
    assert check("clean.py") == (0, "", "No findings (1 file checked)\n")
    assert check("clean.py", "--quiet") == (0, "", "")


def test_exit_zero_forgives_findings_only(check):
    assert check("--exit-zero")[0] == 0
    assert check("--exit-zero", "missing.py")[0] == 2


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ((), 1),
        (("--select=ORM2",), 0),
        (("--select=ORM1,ORM2",), 1),
        (("--select=ORM1", "--select=ORM2"), 1),
        (("--ignore=ORM101",), 0),
        (("--select=ORM1", "--ignore=ORM101"), 0),
        (("--select=ORM2", "--extend-select=ORM101"), 1),
        (("--extend-ignore=ORM1",), 0),
        (("--per-file-ignores=app.py:ORM1",), 0),
        (("--per-file-ignores=other.py:ORM1",), 1),
        (("--exclude=app*",), 0),
        (("app.py", "--exclude=app*"), 1),
        (("app.py", "--exclude=app*", "--force-exclude"), 0),
    ],
)
def test_what_is_reported(check, options, count):
    code, out, _ = check(*options, "--output-format=concise")
    assert len(out.splitlines()) == count
    assert code == bool(count)


def test_select_starts_over_and_the_others_add_to_the_configuration(check, project):
    (project / "dbsession.toml").write_text('ignore = ["ORM1"]\n')
    assert check()[0] == 0
    assert check("--select=ORM101")[0] == 1
    assert check("--ignore=ORM2")[0] == 1
    assert check("--extend-ignore=ORM2")[0] == 0
    assert check("--isolated")[0] == 1
    (project / "other.toml").write_text("")
    assert check("--config=other.toml")[0] == 1


def test_mistakes_are_one_line_and_exit_with_two(check, project, capfd):
    assert check("--config=missing.toml") == (2, "", "dbsession: missing.toml: no such file\n")
    (project / "dbsession.toml").write_text("closrs = []\n")
    code, out, err = check()
    assert (code, out) == (2, "")
    assert err.endswith("unknown key 'closrs'; did you mean 'closers'?\n")
    for wrong in (["--select=E501"], ["--jobs=0"], ["--output-format=xml"], ["--per-file-ignores=x"], ["--nonsense"]):
        with pytest.raises(SystemExit) as exit:
            main(["check", *wrong])
        assert exit.value.code == 2
        assert "Traceback" not in capfd.readouterr().err


def test_one_bad_file_does_not_hide_the_others(check, project):
    (project / "bad.py").write_text("import sqlalchemy\ndef f(:\n")
    code, out, err = check("--output-format=concise")
    assert code == 2
    assert out.startswith(PLACE)
    assert "bad.py:2:7: cannot be parsed: " in err


def test_an_input_has_the_name_that_it_is_given(project):
    done = dbsession("check", "-", "--output-format=concise", cwd=project, data=LEAK.encode())
    assert (done.returncode, done.stdout[:19]) == (1, "-:8:15: ORM101 sess")
    done = dbsession(
        "check", "-", "--stdin-filename=a/b.py", "--output-format=concise", cwd=project, data=LEAK.encode()
    )
    assert done.stdout.startswith("a/b.py:8:15: ORM101 ")
    ignored = dbsession("check", "-", "--stdin-filename=tests/b.py", cwd=project, data=LEAK.encode())
    assert (ignored.returncode, ignored.stdout) == (0, "")


def test_the_frame_of_an_input_shows_its_text(project):
    done = dbsession("check", "-", "--stdin-filename=clean.py", cwd=project, data=LEAK.encode())
    assert "    session = SessionLocal()" in done.stdout


def test_the_output_can_go_to_a_file(check, project):
    assert check("--output-format=json", "--output-file=out.json")[:2] == (1, "")
    assert [finding["code"] for finding in json.loads((project / "out.json").read_text())] == ["ORM101"]
    code, _, err = check("--output-file=missing/out.json")
    assert (code, err) == (2, "dbsession: missing/out.json: cannot be written: No such file or directory\n")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_works_with_and_without_findings(check, name):
    code, out, err = check(f"--output-format={name}")
    assert code == 1
    assert "ORM101" in out
    assert "Traceback" not in err
    assert check(f"--output-format={name}", "clean.py")[0] == 0


def test_machine_formats_do_not_depend_on_where_the_run_starts(check, project, monkeypatch):
    (project / "dbsession.toml").write_text("")
    from_root = check("--output-format=gitlab", "app.py")[1]
    (project / "sub").mkdir()
    monkeypatch.chdir(project / "sub")
    assert check("--output-format=gitlab", "../app.py")[1] == from_root


def test_statistics(check, project):
    lay(project, more_py=LEAK, waits_py=LEAK.replace("article):", "article, more):"))
    code, out, _ = check("--statistics")
    assert (code, out) == (1, "3  ORM101  session-never-closed\n")
    assert json.loads(check("--statistics", "--output-format=json")[1]) == [
        {"code": "ORM101", "name": "session-never-closed", "count": 3}
    ]


def test_show_files_and_settings(check, project):
    lay(project, a__b_py="", venv__c_py="")
    assert check("--show-files") == (0, "a/b.py\napp.py\nclean.py\n", "")
    assert check("--show-files", "missing.py") == (2, "", "missing.py: no such file or folder\n")
    code, out, _ = check("--show-settings", "--select=ORM1", "--cache-dir=c")
    assert code == 0
    assert f"# root: {project}\n" in out
    assert 'select = ["ORM1"]\n' in out
    assert 'cache-dir = "c"\n' in out


def test_noqa_is_heeded_and_counted(check, project):
    lay(project, app_py=LEAK.replace("SessionLocal()\n    r", "SessionLocal()  # noqa: ORM101, ORM201\n    r"))
    code, out, err = check()
    assert (code, out) == (0, "")
    assert err == "No findings (2 files checked, 1 silenced by noqa)\n"
    assert check("--warn-unused-noqa")[2].splitlines()[0] == ("app.py:8:31: unused-noqa: ORM201 silences nothing here")
    assert "unused" not in check("--warn-unused-noqa", "--ignore=ORM2")[2]


def test_the_configuration_of_another_project_is_found_from_its_paths(tmp_path, monkeypatch, capfd):
    lay(tmp_path / "there", app_py=LEAK)
    (tmp_path / "there" / "dbsession.toml").write_text('ignore = ["ORM101"]\n')
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert main(["check", "../there"]) == 0
    assert main(["check", str(tmp_path / "there" / "app.py")]) == 0


@pytest.mark.parametrize("jobs", ["1", "2", "4"])
def test_the_number_of_jobs_changes_nothing(project, jobs):
    for number in range(30):
        lay(
            project,
            **{
                f"p{number % 3}__app{number}_py": LEAK,
                f"p{number % 3}__bad{number}_py": "import sqlalchemy\ndef f(:\n",
            },
        )
    one = dbsession("check", "-j1", cwd=project)
    many = dbsession("check", f"-j{jobs}", cwd=project)
    assert (many.stdout, many.stderr, many.returncode) == (one.stdout, one.stderr, 2)
    assert one.stdout.count("ORM101") == 31


# -- changed lines


def git(*arguments):
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(project):
    git("init", "-q", "-b", "main")
    git("config", "user.email", "a@b.c")
    git("config", "user.name", "a")
    git("add", ".")
    git("commit", "-qm", "first")
    return project


def changed(check, *arguments):
    code, out, err = check(*arguments, "--output-format=concise")
    return code, [":".join(line.split(":")[:2]) for line in out.splitlines()], err


def test_only_findings_on_changed_lines(check, repository):
    assert changed(check, "--diff-base=HEAD")[:2] == (0, [])
    lay(repository, app_py=LEAK + "\n\n" + LEAK[LEAK.index("def ") :].replace("count", "second"), new_py=LEAK)
    assert changed(check, "--diff-base=HEAD")[:2] == (1, ["app.py:13", "new.py:8"])
    assert changed(check, "--diff-base=HEAD", "new.py")[:2] == (1, ["new.py:8"])
    (repository / "sub").mkdir()
    os.chdir("sub")
    assert changed(check, "--diff-base=HEAD", "..")[:2] == (1, ["../app.py:13", "../new.py:8"])


def test_a_step_of_the_story_on_a_changed_line_counts(check, repository):
    lay(repository, app_py=LEAK.replace("select(article)", "select(article).limit(1)"))
    assert changed(check, "--diff-base=HEAD")[:2] == (1, ["app.py:8"])


def test_what_another_branch_did_meanwhile_does_not_count(check, repository):
    git("checkout", "-qb", "feature")
    lay(repository, other_py=LEAK)
    git("add", ".")
    git("commit", "-qm", "feature")
    git("checkout", "-q", "main")
    lay(repository, app_py=CLEAN)
    git("commit", "-qam", "main goes on")
    git("checkout", "-q", "feature")
    assert changed(check, "--diff-base=main")[:2] == (1, ["other.py:8"])


def test_names_that_git_quotes(check, repository):
    lay(repository, **{"öde_py": LEAK, "tab\there/app_py": LEAK})
    git("add", ".")
    assert len(changed(check, "--diff-base=HEAD")[1]) == 2


def test_a_commit_that_is_not_there(check, repository):
    assert check("--diff-base=nowhere") == (2, "", "dbsession: there is no commit 'nowhere'\n")


def test_changed_lines_need_a_repository(check):
    code, _, err = check("--diff-base=HEAD")
    assert code == 2
    assert err.startswith("dbsession: fatal: not a git repository")


# -- the command itself


def test_version_is_nearly_free(tmp_path):
    done = dbsession("--version", cwd=tmp_path, PYTHONPROFILEIMPORTTIME="1")
    assert done.stdout == f"dbsession {__version__}\n"
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "flake8_dbsession.cli" in imported
    assert not imported & {"argparse", "tomli", "re", "enum", "flake8_dbsession.config", "flake8_dbsession.model"}


def test_a_check_imports_nothing_heavy(project):
    done = dbsession("check", "app.py", cwd=project, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 1
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "flake8_dbsession.analyze" in imported
    heavy = {
        "libcst",
        "flake8",
        "pathspec",
        "dataclasses",
        "inspect",
        "subprocess",
        "multiprocessing",
        "pickle",
    }
    assert not imported & heavy


@pytest.mark.parametrize("name", sorted(SUBCOMMANDS))
def test_every_subcommand_has_help(name, capsys):
    with pytest.raises(SystemExit) as exit:
        main([name, "--help"])
    assert exit.value.code == 0
    assert f"dbsession {name}" in capsys.readouterr().out


def test_usage_lists_the_subcommands(capsys):
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    assert all(f"  {name} " in listed for name in SUBCOMMANDS)
    assert main([]) == 2


def test_a_wrong_subcommand_gets_a_hint(project, capsys):
    assert main(["chek"]) == 2
    assert capsys.readouterr().err == "dbsession: there is no subcommand 'chek'; did you mean 'check'?\n"
    assert main(["app.py"]) == 2
    assert "did you mean `dbsession check app.py`?" in capsys.readouterr().err


def test_check_fix_is_fix(check, project):
    assert check("--fix", "app.py")[0] == 0
    assert (project / "app.py").read_text() == MENDED
