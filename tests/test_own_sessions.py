"""Session classes of a project that roll back by themselves where a commit of theirs fails."""

from __future__ import annotations

import textwrap

import pytest

from flake8_dbsession.analyze import analyze
from flake8_dbsession.config import Config
from flake8_dbsession.project.project import Project
from flake8_dbsession.source import Source

STORE = """
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session, sessionmaker

    class OwnSession(Session):
        def commit(self):
            try:
                super().commit()
            except Exception:
                {answer}
                raise

    SessionLocal = sessionmaker(create_engine("mysql://"), class_=OwnSession)
"""
USE = """
    from sqlalchemy.exc import IntegrityError
    from sqlalchemy.orm import Session

    def add_all(session: Session, parcels):
        for parcel in parcels:
            try:
                session.add(parcel)
                session.{write}()
            except IntegrityError:
                print("there already", parcel)
        return session.query(Parcel).count()
"""


def reported(folder, answer: str, write: str, package: str = "app") -> list[str]:
    """The codes of the missing rollbacks in a package beside the session class of ``app``."""
    for name in dict.fromkeys(("app", package)):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("")
    (folder / "app" / "store.py").write_text(textwrap.dedent(STORE.format(answer=answer)))
    (folder / package / "use.py").write_text(textwrap.dedent(USE.format(write=write)))
    found = analyze(Source.read(f"{package}/use.py"), Project(Config()))
    return [d.code for d in found if d.code == "ORM104"]


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.chdir(tmp_path)


def test_a_commit_that_fails_and_rolls_back_leaves_nothing_to_roll_back(tmp_path):
    assert reported(tmp_path, "self.rollback()", "commit") == []


def test_a_flush_that_fails_does(tmp_path):
    assert reported(tmp_path, "self.rollback()", "flush") == ["ORM104"]


def test_so_does_a_commit_whose_class_only_tells_of_it(tmp_path):
    assert reported(tmp_path, "print('failed')", "commit") == ["ORM104"]


def test_so_does_a_commit_in_another_package(tmp_path):
    assert reported(tmp_path, "self.rollback()", "commit", package="tools") == ["ORM104"]
