"""``dbsession baseline`` on a small project, from the first day to a clean one."""

from __future__ import annotations

import json

import pytest

from flake8_dbsession.cli import main

HEAD = """\
from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite://"))
"""
LEAK = """

def {name}(article):
    session = SessionLocal()
    return session.scalar(select(article))
"""
CLEAN = """

def {name}(article):
    with SessionLocal() as session:
        return session.scalar(select(article))
"""


class Project:
    """A folder with a configuration, a module ``shop.py``, and the command run in it."""

    def __init__(self, root, capfd):
        self.root, self.capfd = root, capfd
        (root / "pyproject.toml").write_text('[tool.dbsession]\nselect = ["ORM101"]\n')
        self.baseline = root / "dbsession-baseline.json"

    def write(self, name="shop.py", **functions):
        body = "".join((LEAK if leaks else CLEAN).format(name=name) for name, leaks in functions.items())
        (self.root / name).write_text(HEAD + body)

    def run(self, *arguments):
        code = main(arguments)
        out, err = self.capfd.readouterr()
        return code, out, err

    def entries(self):
        return [(one["path"], one["function"]) for one in json.loads(self.baseline.read_text())["findings"]]


@pytest.fixture
def project(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path, capfd)


def test_from_the_first_day_to_a_clean_one(project):
    project.write(price=True, stock=True)
    code, _, err = project.run("baseline", "create")
    assert (code, err) == (0, f"2 findings in {project.baseline}\n")
    assert project.entries() == [("shop.py", "price"), ("shop.py", "stock")]
    assert project.run("baseline", "check")[0] == 0

    project.write(stock=False, price=True)
    code, out, err = project.run("baseline", "check")
    assert code == 1
    assert out == "shop.py: ORM101 in stock: stale: session = SessionLocal()\n"
    assert err.startswith("0 new, 1 known, 1 stale; ")

    code, _, err = project.run("baseline", "prune")
    assert (code, err) == (0, f"1 stale entry removed\n1 finding in {project.baseline}\n")
    assert project.entries() == [("shop.py", "price")]
    assert project.run("baseline", "check")[0] == 0


def test_it_does_not_grow_unless_forced(project):
    project.write(price=True)
    project.run("baseline", "create")
    before = project.baseline.read_bytes()
    project.write(price=True, stock=True)
    code, out, err = project.run("baseline", "create")
    assert code == 1
    assert "shop.py:13:" in out
    assert "shop.py:8:" not in out
    assert "would grow by 1 finding" in err
    assert project.baseline.read_bytes() == before
    assert project.run("baseline", "create", "--force")[0] == 0
    assert project.entries() == [("shop.py", "price"), ("shop.py", "stock")]


def test_creating_again_shrinks_it(project):
    project.write(price=True, stock=True)
    project.run("baseline", "create")
    project.write(price=True, stock=False)
    assert project.run("baseline", "create")[0] == 0
    assert project.entries() == [("shop.py", "price")]


def test_the_check_reports_only_what_is_new(project):
    project.write(price=True)
    project.run("baseline", "create")
    project.write(other=True, price=True)
    code, out, _ = project.run("check", "--output-format", "json", "--baseline", str(project.baseline))
    assert code == 1
    assert [found["function"] for found in json.loads(out)] == ["other"]


def test_a_copy_in_another_file_is_new_even_if_the_first_was_not_checked(project):
    project.write(price=True)
    project.run("baseline", "create")
    project.write("copy.py", price=True)
    code, out, _ = project.run("check", "copy.py", "--output-format", "json", "--baseline", str(project.baseline))
    assert code == 1
    assert [found["filename"] for found in json.loads(out)] == ["copy.py"]


def test_a_file_that_cannot_be_parsed_loses_no_entries(project):
    project.write(price=True)
    project.run("baseline", "create")
    (project.root / "shop.py").write_text("import sqlalchemy\ndef half(")
    code, _, err = project.run("baseline", "prune")
    assert code == 2
    assert "shop.py:2:" in err
    assert project.entries() == [("shop.py", "price")]


def test_a_part_of_the_project_is_pruned_alone(project):
    project.write(price=True)
    (project.root / "lib").mkdir()
    project.write("lib/other.py", price=True)
    project.run("baseline", "create")
    project.write("lib/other.py", price=False)
    project.write(price=False)
    assert project.run("baseline", "prune", "lib")[0] == 0
    assert project.entries() == [("shop.py", "price")]


def test_without_a_baseline_there_is_nothing_to_check(project):
    project.write(price=True)
    code, _, err = project.run("baseline", "check")
    assert code == 2
    assert err == f"dbsession baseline: {project.baseline}: cannot be read: No such file or directory\n"
