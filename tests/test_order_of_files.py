"""What is found in a file does not depend on which files were looked at before."""

from __future__ import annotations

import pathlib

import pytest

from flake8_dbsession.analyze import analyze
from flake8_dbsession.config import Config
from flake8_dbsession.project.project import Project
from flake8_dbsession.source import Source

MAIL = """
import time
from concurrent.futures import ThreadPoolExecutor


class Sender:
    def __init__(self):
        self.pool = None

    def enable(self):
        self.pool = ThreadPoolExecutor()

    def send(self):
        if not self.pool:
            self.post()

    def post(self):
        time.sleep(1)


sender = Sender()


def send():
    sender.send()
"""
DEEP = """
from mail import send
from sqlalchemy.orm import Session


def first(session: Session):
    session.connection()
    second()


def second():
    third()


def third():
    fourth()


def fourth():
    send()
"""
SHOP = """
from mail import send
from sqlalchemy.orm import Session


def sell(session: Session):
    session.connection()
    send()
"""


@pytest.mark.parametrize("before", [[], ["deep.py"], ["mail.py", "deep.py"]])
def test_a_value_found_far_down_is_the_same_for_all(tmp_path: pathlib.Path, before: list[str]) -> None:
    for name, text in (("mail.py", MAIL), ("deep.py", DEEP), ("shop.py", SHOP)):
        (tmp_path / name).write_text(text)
    project = Project(Config(), str(tmp_path))
    for name in before:
        codes(tmp_path / name, project)
    assert "ORM201" in codes(tmp_path / "shop.py", project)


def codes(path: pathlib.Path, project: Project) -> set[str]:
    return {each.code for each in analyze(Source.read(str(path)), project)}
