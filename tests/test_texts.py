"""What is asked of the texts of all files is answered from the texts as they are now."""

from __future__ import annotations

import pathlib

import pytest

from flake8_dbsession.config import Config
from flake8_dbsession.files import texts as texts_module
from flake8_dbsession.files.texts import Texts
from flake8_dbsession.project.project import Project
from flake8_dbsession.source import Source


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    (tmp_path / "seats.py").write_text("def reserve(): ...\n")
    (tmp_path / "rows.py").write_text("def close(): ...\n")
    return Project(Config(root=str(tmp_path)), str(tmp_path))


def holding(project: Project, word: bytes) -> list[str]:
    return sorted(pathlib.Path(project.root, module.path).stem for module, _ in project.app.modules_with(word))


def test_a_file_that_is_analysed_with_another_text_is_asked_with_that(project: Project) -> None:
    assert holding(project, b"close") == ["rows"]
    seats = str(pathlib.Path(project.root, "seats.py"))
    project.modules.of_file(Source(seats, b"def close(): ...\n"))
    assert holding(project, b"close") == ["rows", "seats"]


def test_a_file_that_was_written_anew_is_asked_as_it_is_on_the_disk(project: Project) -> None:
    seats = pathlib.Path(project.root, "seats.py")
    assert holding(project, b"close") == ["rows"]
    project.modules.of_file(Source.read(str(seats)))
    seats.write_text("def close(): ...\n")
    project.lose(str(seats))
    assert holding(project, b"close") == ["rows", "seats"]


def test_a_file_is_read_once_for_all_questions(tmp_path: pathlib.Path, monkeypatch) -> None:
    seats = tmp_path / "seats.py"
    seats.write_text("def reserve(): ...\n")
    texts = Texts()
    assert list(texts.holding((b"close",), [str(seats)])) == []
    monkeypatch.setattr(texts_module, "bytes_of", lambda path: pytest.fail(f"{path} is read again"))
    for _ in range(2):
        assert list(texts.holding((b"close", b"reserve"), [str(seats)])) == [(str(seats), seats.read_bytes())]


def test_what_is_put_in_the_place_of_a_file_counts_until_it_is_lost(tmp_path: pathlib.Path) -> None:
    seats = tmp_path / "seats.py"
    seats.write_text("def reserve(): ...\n")
    texts = Texts()
    assert len(list(texts.holding((b"reserve",), [str(seats)]))) == 1
    texts.put(str(seats), b"def close(): ...\n")
    assert list(texts.holding((b"reserve",), [str(seats)])) == []
    texts.lose(str(seats))
    assert len(list(texts.holding((b"reserve",), [str(seats)]))) == 1
