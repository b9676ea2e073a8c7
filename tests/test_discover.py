"""Which files a run is about."""

from __future__ import annotations

import os
import subprocess

import pytest
from doors import lay
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from flake8_dbsession.config import Config
from flake8_dbsession.files.discover import discover
from flake8_dbsession.files.patterns import Patterns


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*paths, force_exclude=False, **fields):
    return discover(paths, Config(root=os.getcwd(), **fields), force_exclude).files


def test_a_folder_is_walked_in_order_without_what_is_never_wanted(project):
    lay(project, b_py="", a__z_py="", a__b__c_py="", a__x_txt="", node_modules__m_py="")
    lay(project / ".venv", lib_py="")
    lay(project / "build", lib_py="")
    assert found(".") == ["a/b/c.py", "a/z.py", "b.py"]
    assert found("a", "a/z.py", "b.py", "./b.py") == ["a/b/c.py", "a/z.py", "b.py"]
    assert found(str(project / "a")) == [str(project / "a/b/c.py"), str(project / "a/z.py")]


def test_packages_that_an_application_brings_along_are_not_its_own(project):
    lay(project, app__main_py="", libs__x_py="", own__sqlalchemy__tables_py="")
    (project / "libs/sqlalchemy/orm").mkdir(parents=True)
    (project / "libs/sqlalchemy/orm/__init__.py").touch()
    assert found(".") == ["app/main.py", "own/sqlalchemy/tables.py"]
    assert "libs/x.py" in found("libs")


def test_what_is_named_is_checked_even_if_it_is_excluded(project):
    lay(project, build__lib_py="", build__node_modules__m_py="", script="", venv__build__lib_py="")
    assert found("build/lib.py", "script") == ["build/lib.py", "script"]
    assert found("build") == ["build/lib.py"]
    assert found("venv/build") == ["venv/build/lib.py"]
    assert found("build/lib.py", "script", force_exclude=True) == ["script"]


def test_excludes_are_patterns_from_the_root(project):
    lay(project, migrations__a_py="", app__migrations__b_py="", app__c_py="")
    assert found(".", extend_exclude=("/migrations/",)) == ["app/c.py", "app/migrations/b.py"]
    assert found(".", extend_exclude=("migrations/",)) == ["app/c.py"]
    os.chdir("app")
    config = Config(root=str(project), extend_exclude=("app/migrations/*.py",))
    assert discover(["."], config).files == ["c.py"]


def test_gitignore_files_hold_below_their_folder_and_the_innermost_wins(project):
    lay(project, a_py="", gen__b_py="", app__c_py="", app__gen__d_py="", app__keep__gen__e_py="")
    (project / ".gitignore").write_text("# generated\ngen/\n/a.py\n")
    (project / "app" / "keep" / ".gitignore").write_text("!gen/\n")
    assert found(".") == ["app/c.py", "app/keep/gen/e.py"]
    assert found("gen") == ["gen/b.py"], "a folder that is named is wanted"
    assert found(".", respect_gitignore=False) == [
        "a.py",
        "app/c.py",
        "app/gen/d.py",
        "app/keep/gen/e.py",
        "gen/b.py",
    ]


def test_gitignore_files_above_count_inside_a_repository_only(project):
    lay(project, app__a_py="", app__gen_py="")
    (project / ".gitignore").write_text("gen.py\n")
    assert found("app") == ["app/a.py", "app/gen.py"]
    (project / ".git" / "info").mkdir(parents=True)
    assert found("app") == ["app/a.py"]
    (project / ".git" / "info" / "exclude").write_text("/app/a.py\n")
    assert found("app") == []


def test_git_agrees(project):
    lay(project, a_py="", b__a_py="", b__c__d_py="", docs__x_py="", docs__keep_py="", e__f_py="", doc__x_py="")
    (project / ".gitignore").write_text("docs/*\n!docs/keep.py\n/b/c\n*/f.py\n[d]oc/\n")
    subprocess.run(["git", "init", "-q"], check=True)
    assert found(".") == listed_by_git()


def test_what_the_user_ignores_in_every_repository_is_left_out(project, monkeypatch, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    lay(project, a_py="", scratch__b_py="", mine_py="", kept__mine_py="")
    subprocess.run(["git", "init", "-q"], check=True)
    lay(home / ".config" / "git", ignore="scratch/\n")
    assert found(".") == ["a.py", "kept/mine.py", "mine.py"]
    lay(home, ignored="mine.py\n")
    subprocess.run(["git", "config", "--global", "core.excludesFile", "~/ignored"], check=True)
    assert found(".") == ["a.py", "scratch/b.py"], "it stands in place of the usual file"
    (project / "kept" / ".gitignore").write_text("!mine.py\n")
    assert found(".") == ["a.py", "kept/mine.py", "scratch/b.py"], "the nearest has the last word"
    assert found(".") == listed_by_git()
    assert len(found(".", respect_gitignore=False)) == 4


def test_a_work_tree_shares_what_its_repository_ignores(project):
    subprocess.run(["git", "init", "-q", "main"], check=True)
    lay(project / "main", a_py="")
    as_someone = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", "main", "add", "."], check=True)
    subprocess.run(["git", "-C", "main", *as_someone, "commit", "-qm", "first"], check=True)
    subprocess.run(["git", "-C", "main", "worktree", "add", "-q", "../other"], check=True)
    (project / "main" / ".git" / "info" / "exclude").write_text("mine.py\n")
    lay(project / "other", mine_py="", b_py="")
    assert found("other") == ["other/a.py", "other/b.py"]


def listed_by_git():
    command = ["git", "ls-files", "-co", "--exclude-standard", "*.py"]
    return sorted(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_globs_work_without_a_shell(project):
    lay(project, a_py="", app__b_py="", app__c_txt="", venv__d_py="")
    assert found("**/*.py") == ["a.py", "app/b.py"]
    assert found("a*") == ["a.py", "app/b.py"]


def test_what_is_not_there_is_told(project):
    outcome = discover(["missing.py", "nothing*.py"], Config(root=str(project)))
    assert [str(problem) for problem in outcome.problems] == [
        "missing.py: no such file or folder",
        "nothing*.py: no such file or folder",
    ]


def test_notebooks_are_counted_not_taken(project):
    lay(project, a_py="")
    (project / "n.ipynb").write_text("{}")
    outcome = discover([".", "n.ipynb"], Config(root=str(project)))
    assert (outcome.files, outcome.notebooks, outcome.problems) == (["a.py"], 2, [])


def test_links(project):
    lay(project, real__a_py="", b_py="")
    (project / "loop").symlink_to(project)
    (project / "link.py").symlink_to("b.py")
    (project / "broken.py").symlink_to("nowhere.py")
    (project / ".#b.py").symlink_to("me@host.123")
    outcome = discover(["."], Config(root=str(project)))
    assert outcome.files == ["b.py", "link.py", "real/a.py"]
    assert [str(problem) for problem in outcome.problems] == ["broken.py: cannot be read: the link leads nowhere"]


def test_a_folder_that_cannot_be_read_is_told(project, monkeypatch):
    lay(project, a_py="", closed__b_py="")
    read = os.scandir

    def scandir(folder):
        if os.path.basename(folder) == "closed":
            raise PermissionError(13, "Permission denied")
        return read(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    outcome = discover(["."], Config(root=str(project)))
    assert outcome.files == ["a.py"]
    assert [str(problem) for problem in outcome.problems] == ["closed: cannot be read: Permission denied"]


NAMES = st.sampled_from(["a", "b", "ab", "a.py", "b.py", "test_a.py"])
PATTERNS = st.sampled_from(
    ["a", "a/", "*.py", "test_*.py", "?.py", "a*", "*", "b/ ", "# a", "", "ab/", "/a", "!a", "a/b"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PATTERNS, max_size=4), st.lists(NAMES, min_size=1, max_size=3), st.booleans())
def test_plain_names_are_answered_as_by_pathspec(lines, parts, is_folder):
    path = "/".join(parts) + ("/" if is_folder else "")
    expected = GitIgnoreSpec.from_lines(lines).check_file(path).include
    assert Patterns(lines).verdict(path) == expected
