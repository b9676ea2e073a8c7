"""What is known of a module can be printed, written as JSON and read back, and says what the analysis goes by."""

from __future__ import annotations

import json

import pytest
from doors import lay
from test_fixtures import identify, project_of
from wants import fixture_files

from flake8_dbsession.cli import main
from flake8_dbsession.facts import packing, text
from flake8_dbsession.facts.gather import facts_of
from flake8_dbsession.source import Source
from flake8_dbsession.view import View

DATABASE = """\
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

engine = create_engine("sqlite://")
SessionLocal = sessionmaker(engine)
registry = scoped_session(SessionLocal)
app = Flask(__name__)


def open_session():
    return SessionLocal()


def finish(session: Session):
    session.close()


def tidy(thing):
    thing.rollback()


@contextmanager
def scope():
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()


@app.teardown_appcontext
def remove(error):
    registry.remove()


def unrelated(number):
    return number + 1
"""
SERVICE = """\
from threading import Thread

import requests
from database import open_session, registry


class Store:
    def __init__(self):
        self.session = open_session()

    def close(self):
        self.session.close()


def fetch(url):
    return requests.get(url, timeout=3)


def work(name):
    registry.execute(name)
    return fetch(name)


def start():
    Thread(target=work).start()
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lay(tmp_path, **{"database_py": DATABASE, "service_py": SERVICE, "requirements.txt": "sqlalchemy==2.0.30\n"})


def printed(capsys, *arguments):
    assert main(["facts", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("path", fixture_files(), ids=identify)
def test_facts_are_read_back_as_they_were_written(path):
    facts = facts_of(View(Source.read(str(path)), project_of(path)))
    written = json.dumps(packing.packed(facts))
    assert packing.unpacked(json.loads(written)) == facts
    assert text.told(facts) == text.told(packing.unpacked(json.loads(written)))


def test_what_functions_do_is_told_with_the_reason(project, capsys):
    said = printed(capsys, "database.py")
    assert "    sqlalchemy ==2.0.30 (requirements.txt)\n" in said
    assert "    SessionLocal, line 8: makes sessions: Session\n" in said
    assert "function open_session, line 13\n    returns a session (Session), opened here, without a connection" in said
    assert "function finish, line 17\n    leaves a session given for 'session' without a connection" in said
    assert "function tidy, line 21\n    leaves a session given for 'thing' without a connection" in said
    assert "generator scope, line 26\n    yields a session (Session), opened here" in said
    assert "    line 27: session opened: SessionLocal()\n" in said
    assert "    database.registry: removed by database.remove (database.py:35)\n" in said
    assert "    run by flask as teardown" in said
    assert "unrelated" not in said


def test_what_comes_from_other_modules_is_told_with_the_way(project, capsys):
    said = printed(capsys, "service.py")
    assert "    waits for the network 3 s: fetch() → requests.get at service.py:16\n" in said
    assert "    leaves the registry database.registry holding a connection" in said
    assert "    run by threading as thread (in a thread)\n" in said
    assert "hands over\n    service.work as thread (in a thread), by start\n" in said
    assert "class Store, line 7\n" in said
    assert " as self.session, from Store.__init__; given back by Store.close\n" in said


def test_one_name_is_told_alone_even_if_nothing_is_known_of_it(project, capsys):
    assert "function unrelated, line 39\n    nothing is known\n" in printed(capsys, "database.py", "unrelated")
    said = printed(capsys, "database.py", "database.finish")
    assert "finish" in said
    assert "open_session" not in said
    assert "class Store" in printed(capsys, "service.py", "Store")
    assert "function Store.close" in printed(capsys, "service.py", "close")


def test_json_is_for_programs(project, capsys):
    value = json.loads(printed(capsys, "service.py", "work", "--output-format=json"))
    [function] = value["functions"]
    assert (value["module"], function["name"], function["line"]) == ("service", "work", 19)
    assert function["entries"] == [{"is": "Entry", "framework": "threading", "kind": "thread", "runs": "thread"}]
    [[wait, *_]] = function["summary"]["waits"]
    assert (wait["kind"], wait["name"]) == ("network", "requests.get")
    assert [step["happening"] for step in function["steps"]] == ["taken", "waited"]
    assert packing.unpacked(value).functions[0].name == "work"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["database.py", "open_sesion"],
            "nothing is called 'open_sesion' in database.py; did you mean 'open_session'?",
        ),
        (["missing.py"], "missing.py: cannot be read: No such file or directory"),
        (["."], ".: cannot be read: Is a directory"),
        (["broken.py"], "broken.py:1:7: cannot be parsed: invalid syntax"),
    ],
)
def test_what_cannot_be_told_is_one_line(project, capsys, arguments, told):
    lay(project, broken_py="def f(:\n")
    assert main(["facts", *arguments]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"dbsession facts: {told}\n")
