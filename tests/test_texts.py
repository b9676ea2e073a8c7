"""What is asked of the texts of all files is answered from the texts as they are now."""

from __future__ import annotations

import pathlib

import pytest

from flake8_dbsession.config import Config
from flake8_dbsession.files import texts as texts_module
from flake8_dbsession.files.questions import Question
from flake8_dbsession.files.sources import Sources
from flake8_dbsession.files.texts import Texts
from flake8_dbsession.project.project import Project
from flake8_dbsession.source import Source


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    (tmp_path / "seats.py").write_text("def reserve(): ...\n")
    (tmp_path / "rows.py").write_text("def close(): ...\n")
    return Project(Config(root=str(tmp_path)), str(tmp_path))


def holding(project: Project, word: bytes) -> list[str]:
    return sorted(pathlib.Path(project.root, module.path).stem for module in project.app.modules_with(word))


def answering(texts: Texts, words: tuple[bytes, ...], path: pathlib.Path) -> list[str]:
    return list(texts.answering(Question("holds", words), [str(path)], Sources()))


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
    assert answering(texts, (b"close",), seats) == []
    monkeypatch.setattr(texts_module, "bytes_of", lambda path: pytest.fail(f"{path} is read again"))
    for _ in range(2):
        assert answering(texts, (b"close", b"reserve"), seats) == [str(seats)]


def test_what_is_put_in_the_place_of_a_file_counts_until_it_is_lost(tmp_path: pathlib.Path) -> None:
    seats = tmp_path / "seats.py"
    seats.write_text("def reserve(): ...\n")
    texts = Texts()
    assert answering(texts, (b"reserve",), seats) == [str(seats)]
    texts.put(str(seats), b"def close(): ...\n")
    assert answering(texts, (b"reserve",), seats) == []
    texts.lose(str(seats))
    assert answering(texts, (b"reserve",), seats) == [str(seats)]
