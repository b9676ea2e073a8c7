"""The page that ``dbsession check`` writes, put together from the findings and the connection budget."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from flake8_dbsession.cli import main

SHOP = pathlib.Path(__file__).parent.parent / "fixtures" / "ORM413" / "gunicorn"


@pytest.fixture
def project(tmp_path, monkeypatch):
    shutil.copytree(SHOP, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def page(capsys) -> str:
    main(["check", "--output-format", "html", "--no-cache", "."])
    return capsys.readouterr().out


def test_the_page_shows_what_the_pools_may_come_to(project, capsys):
    shown = page(capsys)
    budget = shown.partition("<h2>Connection budget</h2>")[2].partition("</svg>")[0]
    assert "<svg" in budget


def test_a_project_without_an_engine_has_no_such_picture(project, capsys):
    for file in project.rglob("*.py"):
        file.write_text("import sqlalchemy\n")
    assert "Connection budget" not in page(capsys)
