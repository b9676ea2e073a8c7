"""Short programs that once broke the analysis, or could: each is analysed without a fault of ours."""

from __future__ import annotations

import pytest

from flake8_dbsession.config import Config
from flake8_dbsession.run import check_text

START = """\
from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite://"))


def finish(context):
    context["session"].close()


"""
PROGRAMS = {
    "a dict with a session is passed to a function of the project": """\
def count(article):
    session = SessionLocal()
    session.execute(select(article))
    finish({"session": session, "of": article})
""",
    "a dict in a dict": """\
def count(article):
    session = SessionLocal()
    session.execute(select(article))
    finish({"session": session, "more": {"session": session, **article}})
""",
    "a dict is iterated": """\
def count(article):
    for key in {"session": SessionLocal()}:
        key.close()
""",
    "a dict is unpacked": """\
def count(article):
    first, second = {"one": SessionLocal(), "two": SessionLocal()}
    first.close()
""",
    "a dict or a tuple is returned": """\
def make(article):
    if article:
        return SessionLocal(), 1
    return {"session": SessionLocal(), "of": 1}


def count(article):
    session, _ = make(article)
    session.close()
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_odd_program_is_analysed(name):
    outcome = check_text("odd.py", (START + PROGRAMS[name]).encode(), Config(), debug=True)
    assert outcome.problem is None


@pytest.mark.parametrize(("method", "code"), [("close", "ORM102"), ("flush", "ORM101")])
def test_what_a_function_does_to_a_session_in_a_dict_is_known(method, code):
    program = START + PROGRAMS["a dict with a session is passed to a function of the project"]
    outcome = check_text(f"{method}.py", program.replace("close", method).encode(), Config(select=("ORM1",)))
    assert [d.code for d in outcome.diagnostics] == [code]
