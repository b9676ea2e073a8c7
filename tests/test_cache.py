"""What is remembered between runs changes how long they take, and nothing else."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import time
from pathlib import Path

import pytest
from doors import HELPER, LEAK, USER, dbsession, lay, run

from flake8_dbsession.cache.packing import packed, unpacked
from flake8_dbsession.cache.state import State
from flake8_dbsession.cli import main
from flake8_dbsession.files.sources import RestsOn
from flake8_dbsession.run import Outcome, check_file
from flake8_dbsession.settings.reading import load

FIXTURES = Path(__file__).parent.parent / "fixtures"
EXAMPLE = FIXTURES / "apps"
FACTORY = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite://"))
"""
REGISTRY = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import scoped_session, sessionmaker

Session = scoped_session(sessionmaker(create_engine("sqlite://")))
"""
WEB = """\
from flask import Flask
from sqlalchemy import text
from shop.db import Session

app = Flask(__name__)


@app.route("/")
def index():
    return str(Session.execute(text("select 1")).scalar())
"""
TEARDOWN = """\
from shop.db import Session
from shop.web import app


@app.teardown_appcontext
def end(error):
    Session.remove()
"""


@pytest.fixture
def project(tmp_path):
    lay(tmp_path, app_py=LEAK)
    return settled(tmp_path)


def settled(root: Path) -> Path:
    """Let the files be older than what may still be changing; each call makes them a little younger."""
    for path in root.rglob("*.*"):
        stamp = path.stat().st_mtime_ns - 10_000_000_000
        os.utime(path, ns=(stamp, stamp))
    return root


def check(*arguments, cwd):
    """A run in a process of its own: code, output, errors."""
    done = dbsession("check", "--output-format=concise", "-q", *arguments, cwd=cwd)
    return done.returncode, done.stdout, done.stderr


def of_factory(text: str) -> str:
    """A module with the factory of another one in place of its own."""
    body = text.partition('SessionLocal = sessionmaker(create_engine("sqlite://"))\n')[2]
    imports = "from helper import finish\n" if "finish" in text else ""
    return f"{imports}from db import SessionLocal\nfrom sqlalchemy import select\n{body}"


def followed(root: Path) -> list[str]:
    """The files that the next run checks, others being remembered; it says the same as one that remembers nothing."""
    program = (
        "import flake8_dbsession.run as run\n"
        "was = run.check_file\n"
        "run.check_file = lambda path, **more: print('checked', path) or was(path, **more)\n"
        "from flake8_dbsession.cli import main\n"
        "main(['check', '-q', '--jobs=1'])\n"
    )
    uncached = check("--no-cache", cwd=root)
    lines = run(sys.executable, "-c", program, cwd=root).stdout.splitlines()
    assert check(cwd=root) == uncached
    return [line.split()[1] for line in lines if line.startswith("checked")]


def remembered(root: Path) -> dict:
    return json.loads((root / ".dbsession_cache" / "outcomes.json").read_text())["outcomes"]


def test_a_second_run_says_the_same(project):
    first = check(cwd=project)
    assert first[0] == 1
    assert list(remembered(project)) == ["app.py"]
    assert check(cwd=project) == first == check("--no-cache", cwd=project)


def test_a_second_run_neither_parses_nor_imports_the_analysis(project):
    check(cwd=project)
    program = "import sys; from flake8_dbsession.cli import main; main(['check', '-q']); print(sorted(sys.modules))"
    done = run(sys.executable, "-c", program, cwd=project)
    shown = done.stdout.splitlines()[-1]
    assert "ORM101" in done.stdout
    assert not [
        name for name in ("analyze", "project", "view", "session", "rules") if f"flake8_dbsession.{name}'" in shown
    ]


def test_a_change_of_another_module_counts(project):
    lay(project, app_py=USER, helper_py=HELPER.format(method="flush"))
    settled(project)
    assert check(cwd=project)[0] == 1
    lay(project, helper_py=HELPER.format(method="close"))
    settled(project)
    assert check(cwd=project)[0] == check("--no-cache", cwd=project)[0] == 0


def test_a_new_module_counts(project):
    lay(project, app_py=USER)
    settled(project)
    before = check(cwd=project)
    lay(project, helper_py=HELPER.format(method="flush"))
    settled(project)
    after = check(cwd=project)
    assert after != before
    assert after == check("--no-cache", cwd=project)


def test_other_options_are_other_runs(project):
    assert check(cwd=project)[0] == 1
    assert check("--ignore=ORM101", cwd=project)[0] == 0
    assert check(cwd=project)[0] == 1


def asking_what_nobody_knows(content: dict, changed: str) -> str:
    """What is remembered, resting on a question of no known kind, after a change of a file."""
    outcomes = {path: [*kept[:3], [0], False] for path, kept in content["outcomes"].items()}
    files = {**content["files"], changed: [0, 0, ""]}
    return json.dumps({**content, "files": files, "outcomes": outcomes, "questions": [["none", [], [], []]]})


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"stamp": 1}', "half", "wrong", "kinds"])
def test_a_damaged_file_is_as_good_as_none(project, damage):
    first = check(cwd=project)
    file = project / ".dbsession_cache" / "outcomes.json"
    text = file.read_text()
    damaged = {
        "half": text[: len(text) // 2],
        "wrong": text.replace('"Outcome"', '"Nothing"').replace("Span", "Safety"),
        "kinds": asking_what_nobody_knows(json.loads(text), str(project / "app.py")),
    }
    file.write_text(damaged.get(damage, damage))
    assert check(cwd=project) == first


def test_nothing_is_remembered_where_that_is_not_wanted(project):
    check("--no-cache", cwd=project)
    assert not (project / ".dbsession_cache").exists()


def test_what_could_not_be_checked_is_tried_again(project):
    lay(project, app_py="import sqlalchemy\ndef f(:\n")
    settled(project)
    assert [check(cwd=project)[0] for _ in range(2)] == [2, 2]
    assert remembered(project) == {}


def test_a_file_that_is_named_is_parsed_even_if_it_was_passed_over_before(project):
    lay(project, other_py="def f(:\n")
    settled(project)
    assert check(cwd=project)[0] == 1
    assert "other.py" in remembered(project)
    assert check("other.py", cwd=project)[0] == 2


def test_a_change_that_its_time_does_not_show_counts(project):
    """A file that is changed twice within a tick of the clock has one time and size, and two contents."""
    lay(project, app_py=USER, helper_py=HELPER.format(method="flush"))
    soon = (project / "helper.py").stat().st_mtime_ns + 3_600_000_000_000
    os.utime(project / "helper.py", ns=(soon, soon))
    assert check(cwd=project)[0] == 1
    lay(project, helper_py=HELPER.format(method="close"))
    os.utime(project / "helper.py", ns=(soon, soon))
    assert check(cwd=project)[0] == 0


def test_what_a_file_holds_counts_and_not_its_time(project):
    check(cwd=project)
    now = time.time_ns() - 5_000_000_000
    os.utime(project / "app.py", ns=(now, now))
    assert followed(project) == []


def test_only_what_rests_on_a_change_is_checked_again(project):
    lay(project, db_py=FACTORY, app_py=of_factory(USER), helper_py=HELPER.format(method="flush"))
    lay(project, other_py=of_factory(LEAK))
    assert followed(project) == ["app.py", "db.py", "helper.py", "other.py"]
    lay(project, helper_py=HELPER.format(method="close"))
    assert followed(project) == ["app.py", "db.py", "helper.py"]  # an engine's pool rests on all that is there
    lay(project, other_py=of_factory(LEAK) + "\n")
    assert followed(project) == ["db.py", "other.py"]


def test_a_file_that_answers_a_question_to_all_files_counts(project):
    """Who removes a registry is looked for everywhere."""
    lay(project, shop__db_py=REGISTRY, shop__web_py=WEB, shop__end_py="")
    assert "ORM107" in check(cwd=project)[1]
    lay(project, shop__end_py=TEARDOWN)
    assert check(cwd=project) == check("--no-cache", cwd=project)
    assert "ORM107" not in check(cwd=project)[1]
    lay(project, shop__end_py="")
    assert "ORM107" in check(cwd=project)[1]


def test_a_module_that_comes_into_a_package_counts(project):
    user = of_factory(USER).replace("from helper", "from shop.helper")
    lay(project, db_py=FACTORY, app_py=of_factory(LEAK), shop__app_py=user)
    (project / "shop" / "__init__.py").touch()
    before = check(cwd=project)
    lay(project, shop__helper_py=HELPER.format(method="flush"))
    assert followed(project) == ["db.py", "shop/app.py", "shop/helper.py"]
    after = check(cwd=project)
    assert after != before
    assert after == check("--no-cache", cwd=project)
    (project / "shop" / "helper.py").unlink()
    assert check(cwd=project) == before


def test_a_module_that_could_not_be_read_counts(project):
    lay(project, db_py=FACTORY, app_py=of_factory(USER), helper_py="def finish(session:\n")
    before = check("app.py", cwd=project)
    lay(project, helper_py=HELPER.format(method="flush"))
    assert check("app.py", cwd=project) == check("app.py", "--no-cache", cwd=project) != before


def test_a_declaration_counts_for_all(project):
    lay(project, db_py=FACTORY, app_py=of_factory(LEAK))
    check(cwd=project)
    (project / "requirements.txt").write_text("sqlalchemy==1.4\n")
    assert followed(project) == ["app.py", "db.py"]


@pytest.mark.parametrize("seed", range(4))
def test_results_never_depend_on_what_is_remembered(tmp_path, seed):
    """Files of one application change into one another, come and go; a check that remembers says what one says that
    does not."""
    rng = random.Random(seed)
    files = sorted(path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*.py"))
    shutil.copytree(EXAMPLE, tmp_path / "shop")
    for _ in range(4):
        for path in rng.sample(files, 2):
            text = (EXAMPLE / rng.choice(files)).read_text()
            changed = rng.choice([text, "", text.replace("close", "flush"), text.replace("with ", "if ")])
            (tmp_path / "shop" / path).write_text(changed)
        assert check(cwd=tmp_path) == check("--no-cache", cwd=tmp_path)


def test_a_linked_package_is_not_vouched_for(project, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (project / "lent").symlink_to(elsewhere, target_is_directory=True)
    assert check(cwd=project)[0] == 1
    assert not (project / ".dbsession_cache").exists()


def test_a_link_inside_the_project_is_looked_through_where_it_leads(project):
    for name in ("first", "second"):
        (project / name).mkdir()
        (project / name / "db.py").write_text("import time\n")
    (project / "lent").symlink_to("first", target_is_directory=True)
    os.utime(project / "lent", (0, 0), follow_symlinks=False)
    settled(project)
    assert check(cwd=project)[0] == 1
    first = State.of(load(str(project)), {})
    assert "app.py" in remembered(project)
    (project / "lent").unlink()
    (project / "lent").symlink_to("second", target_is_directory=True)
    changes = State.of(load(str(project)), first.files).changes(first.files)
    assert changes.may_change_everything


def test_a_folder_that_cannot_be_written_is_no_trouble(project):
    (project / ".dbsession_cache").write_text("in the way")
    assert check(cwd=project)[0] == 1


def test_git_leaves_it_alone_and_nothing_else_stays(project):
    for _ in range(2):
        dbsession("check", cwd=project)
    assert sorted(path.name for path in (project / ".dbsession_cache").iterdir()) == [".gitignore", "outcomes.json"]
    assert (project / ".dbsession_cache" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("rule", ["ORM101", "ORM201", "ORM304", "ORM411"])
def test_reports_with_their_plans_come_back_as_they_were(rule):
    config = load(str(FIXTURES), isolated=True)._replace(select=("ALL",), test_paths=())
    outcomes = [check_file(str(path), config) for path in sorted((FIXTURES / rule).rglob("*.py"))]
    assert any(outcome.diagnostics for outcome in outcomes)
    plain = [outcome._replace(rests_on=RestsOn()) for outcome in outcomes]
    assert [unpacked(json.loads(json.dumps(packed(outcome)))) for outcome in plain] == plain
    assert all(isinstance(outcome, Outcome) for outcome in outcomes)


# -- dbsession clean


def test_clean_removes_what_was_remembered(project):
    check(cwd=project)
    assert (project / ".dbsession_cache").exists()
    done = dbsession("clean", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ".dbsession_cache removed\n")
    assert not (project / ".dbsession_cache").exists()
    done = dbsession("clean", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_clean_leaves_what_is_not_ours(project):
    lay(project, pyproject="", src__kept_py="")
    (project / "dbsession.toml").write_text('cache-dir = "src"\n')
    settled(project)
    check(cwd=project)
    assert (project / "src" / "outcomes.json").exists()
    run(sys.executable, "-m", "flake8", cwd=project)
    assert (project / "src" / "outcomes.flake8.json").exists()
    assert dbsession("clean", cwd=project).returncode == 0
    assert sorted(path.name for path in (project / "src").iterdir()) == [".gitignore", "kept.py"]


def test_clean_says_what_it_cannot_do(project, monkeypatch, capfd):
    check(cwd=project)
    monkeypatch.chdir(project)
    monkeypatch.setattr(os, "unlink", lambda path: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    assert main(["clean"]) == 2
    assert capfd.readouterr().err.endswith("/.dbsession_cache: cannot be removed: Permission denied\n")
