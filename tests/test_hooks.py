"""The hooks, under a real pre-commit in a scratch repository that points at a copy of this one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from doors import CLEAN, LEAK, MENDED, lay

ROOT = Path(__file__).parents[1]
PARTS = ("src", "fixtures", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")


def git(*arguments, cwd):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *arguments], cwd=cwd, check=True, capture_output=True)


class Scratch:
    """A repository with a configuration for pre-commit, which is run in it."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.home = root, home
        git("init", cwd=root)

    def run(self, config: str, *arguments: str, **files: str) -> subprocess.CompletedProcess:
        lay(self.root, **files)
        (self.root / ".pre-commit-config.yaml").write_text(config)
        git("add", ".", cwd=self.root)
        command = [sys.executable, "-m", "pre_commit", "run", "--all-files", *arguments]
        environment = {**os.environ, "PRE_COMMIT_HOME": str(self.home), "PRE_COMMIT_COLOR": "never"}
        return subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A repository with what is here now."""
    copy = tmp_path_factory.mktemp("project")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / part)
    git("init", cwd=copy)
    git("add", ".", cwd=copy)
    git("commit", "-m", "all", cwd=copy)
    git("tag", "v1", cwd=copy)
    return copy


@pytest.fixture(scope="module")
def home(project, tmp_path_factory):
    """Where pre-commit keeps its environments; made once, since that takes an installation each."""
    home = tmp_path_factory.mktemp("home")
    root = tmp_path_factory.mktemp("first")
    done = Scratch(root, home).run(hooks(project, "dbsession-check"), clean_py=CLEAN)
    if "Passed" in done.stdout:
        return home
    reason = "pre-commit cannot make an environment here: " + (done.stdout + done.stderr).strip()[-400:]
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def scratch(tmp_path, home):
    return Scratch(tmp_path, home)


def hooks(project: Path, *ids: str) -> str:
    listed = "\n".join(f"      - id: {name}" for name in ids)
    return f"repos:\n  - repo: {project}\n    rev: v1\n    hooks:\n{listed}\n"


def test_the_check_hook_reports(scratch, project):
    done = scratch.run(hooks(project, "dbsession-check"), app_py=LEAK, clean_py=CLEAN)
    assert done.returncode == 1
    assert "app.py:8:15: ORM101 " in done.stdout
    assert scratch.run(hooks(project, "dbsession-check"), app_py=MENDED).returncode == 0


def test_the_check_hook_heeds_the_excludes_of_the_configuration(scratch, project):
    (scratch.root / "dbsession.toml").write_text('extend-exclude = ["old/"]\n')
    assert scratch.run(hooks(project, "dbsession-check"), old__app_py=LEAK).returncode == 0


def test_the_check_hook_runs_once_for_all_files(scratch, project):
    files = {f"package_with_a_long_name_{n % 7}__module_with_a_long_name_{n}_py": CLEAN for n in range(400)}
    done = scratch.run(hooks(project, "dbsession-check"), "--verbose", **files)
    assert done.returncode == 0
    assert "No findings (400 files checked)" in done.stdout


def test_the_fix_hook_mends_and_then_passes(scratch, project):
    done = scratch.run(hooks(project, "dbsession-fix"), app_py=LEAK)
    assert done.returncode == 1
    assert "app.py:8:15: ORM101 fixed: " in done.stdout
    assert (scratch.root / "app.py").read_text() == MENDED
    assert scratch.run(hooks(project, "dbsession-fix", "dbsession-check")).returncode == 0


def test_the_pool_hook_looks_at_the_project(scratch, project):
    (scratch.root / "dbsession.toml").write_text("[pool]\nprocesses = 7\nmax-connections = 123\n")
    engine = 'from sqlalchemy import create_engine\n\nengine = create_engine("mysql://h/d")\n'
    done = scratch.run(hooks(project, "dbsession-pool"), "--verbose", app_py=engine)
    assert "dbsession pool" in done.stdout
    assert "123" in done.stdout
    (scratch.root / "dbsession.toml").write_text("[pool]\nproceses = 7\n")
    assert scratch.run(hooks(project, "dbsession-pool")).returncode == 1


def test_flake8_with_the_plugin_as_its_dependency(scratch, project):
    config = f"""\
repos:
  - repo: local
    hooks:
      - id: flake8
        name: flake8
        entry: flake8 --select=ORM
        language: python
        types: [python]
        require_serial: true
        additional_dependencies: ["{project}"]
"""
    done = scratch.run(config, app_py=LEAK, clean_py=CLEAN)
    assert done.returncode == 1
    assert "app.py:8:15: ORM101 " in done.stdout
