"""Which file an import means, where several folders of a project have packages of the same name."""

from __future__ import annotations

import itertools
import os
import pathlib
import textwrap

import pytest

from flake8_dbsession.analyze import analyze
from flake8_dbsession.config import Config
from flake8_dbsession.files.folders import Folders
from flake8_dbsession.project.project import Project
from flake8_dbsession.source import Source

SYNC = """
    from sqlalchemy import create_engine
    from sqlalchemy.orm import sessionmaker

    Session = sessionmaker(create_engine("mysql://"))
"""
ELSEWHERE = """
    from requests import Session
"""
USE = """
    from app.store import Session

    def ask(number):
        session = Session()
        return session.get(Parcel, number).weight
"""
WANTED = {"one": ["ORM101"], "other": []}


@pytest.fixture
def services(tmp_path, monkeypatch):
    """Two services side by side, each with a package ``app``."""
    for service, store in (("one", SYNC), ("other", ELSEWHERE)):
        folder = tmp_path / f"service-{service}" / "app"
        folder.mkdir(parents=True)
        for name, text in (("__init__", ""), ("store", store), ("use", USE)):
            (folder / f"{name}.py").write_text(textwrap.dedent(text))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("order", list(itertools.permutations(["one", "other", "one"])))
def test_each_file_gets_the_package_beside_it(services, order):
    project = Project(Config())
    for service in order:
        found = analyze(Source.read(f"service-{service}/app/use.py"), project)
        assert [d.code for d in found if d.code < "ORM41"] == WANTED[service]


def test_a_file_is_found_by_its_path_where_another_has_its_name(services):
    project = Project(Config())
    analyze(Source.read("service-one/app/use.py"), project)
    module = project.modules.at(str(services / "service-other" / "app" / "store.py"))
    assert module is not None
    assert module.source.data.startswith(b"\nfrom requests")


def test_a_folder_is_looked_at_once_and_one_that_is_not_there_never(tmp_path: pathlib.Path, monkeypatch) -> None:
    (tmp_path / "app" / "models").mkdir(parents=True)
    (tmp_path / "app" / "models" / "user.py").touch()
    looked_at: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: looked_at.append(str(folder)) or scandir(folder))
    folders = Folders()
    assert not folders.has_file(str(tmp_path / "user.py"))
    for _ in range(2):
        assert folders.has_file(str(tmp_path / "app" / "models" / "user.py"))
        assert not folders.has_file(str(tmp_path / "app" / "views" / "user.py"))
        assert not folders.has_file(str(tmp_path / "lib" / "deep" / "user.py"))
    assert looked_at == [str(tmp_path), str(tmp_path / "app" / "models"), str(tmp_path / "app" / "views")]
