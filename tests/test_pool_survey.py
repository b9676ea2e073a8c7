"""What is asked of the whole project around an engine."""

from __future__ import annotations

import pathlib
from collections import Counter

import pytest

from flake8_dbsession.config import Pool
from flake8_dbsession.pool import survey
from flake8_dbsession.pool.survey import Survey

PACKAGES = ("books", "films", "songs")


@pytest.fixture
def surveyed(tmp_path: pathlib.Path) -> Survey:
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
        (tmp_path / package / "database.py").write_text("engine = None\n")
    for number, package in enumerate(PACKAGES[:2]):
        (tmp_path / f"views_{number}.py").write_text(
            f"from {package} import database\nfrom {package}.database import *\n"
        )
    (tmp_path / "manual.py").write_text('"""The songs are in a database."""\n')
    return Survey(str(tmp_path), str(tmp_path), Pool())


def test_a_module_is_imported_where_another_file_binds_it_or_something_of_it(surveyed: Survey) -> None:
    found = {
        package: surveyed.imports(f"{package}.database", f"{surveyed.home}/{package}/database.py")
        for package in PACKAGES
    }
    assert found == {"books": True, "films": True, "songs": False}


def test_a_file_is_parsed_once_however_many_modules_are_asked_for(surveyed: Survey, monkeypatch) -> None:
    parsed: Counter[str] = Counter()
    source = survey._source

    def counted(path, tokens):
        result = source(path, tokens)
        parsed[path] += result is not None
        return result

    monkeypatch.setattr(survey, "_source", counted)
    for package in PACKAGES:
        surveyed.imports(f"{package}.database", f"{surveyed.home}/{package}/database.py")
    assert set(parsed.values()) <= {0, 1}
    assert parsed[f"{surveyed.home}/views_1.py"] == 1
