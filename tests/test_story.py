"""What the notes of a report tell: each function on the way, with the line where it goes on."""

from __future__ import annotations

from flake8_dbsession.analyze import analyze
from flake8_dbsession.config import Config
from flake8_dbsession.project.project import Project
from flake8_dbsession.source import Source

SENDING = """\
import requests


class Client:
    def __init__(self, url):
        self.token = requests.post(url).text


def send(text):
    client = Client("https://example.org")
    return client.token, text
"""

RECORDING = """\
from db import SessionLocal


def record(text):
    with SessionLocal() as session:
        session.execute(text)


def audit(text):
    line = text.strip()
    record(line)
"""

WORKING = """\
import audits
from db import SessionLocal
from sending import send


def work(text):
    with SessionLocal() as session:
        session.execute(text)
        send(text)
        audits.audit(text)
"""

SESSIONS = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker(create_engine("postgresql://"))
"""


def told(tmp_path, code):
    """The report with the code in ``work.py``: its message, and its notes as file, line and words."""
    for name, text in (("sending", SENDING), ("audits", RECORDING), ("work", WORKING), ("db", SESSIONS)):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    source = Source.read(str(tmp_path / "work.py"))
    found = analyze(source, Project(Config(), str(tmp_path)))
    (report,) = (one for one in found if one.code == code)
    return report.message, [(note.path, note.span.line, note.sentence) for note in report.notes]


def test_a_wait_is_told_call_by_call(tmp_path):
    message, notes = told(tmp_path, "ORM202")
    assert message.startswith("send() → Client() → requests.post waits")
    assert [(path.rpartition("/")[2], line, words) for path, line, words in notes[1:]] == [
        ("sending.py", 10, "send() calls Client() here, which waits"),
        ("sending.py", 6, "Client() waits here: requests.post"),
    ]


def test_a_second_connection_is_told_call_by_call(tmp_path):
    message, notes = told(tmp_path, "ORM206")
    assert message.startswith("'audit()' takes a second connection")
    assert [(path.rpartition("/")[2], line, words) for path, line, words in notes[1:]] == [
        ("audits.py", 11, "audit() calls record() here, which takes it"),
        ("audits.py", 6, "record() takes a second connection here"),
    ]
