"""Short programs that once broke the analysis, or could: each is analysed without a fault of ours."""

from __future__ import annotations

import sys

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
    "a commit fails in a group of exceptions": """\
def count(session, article):
    while session.get(SessionLocal, 1):
        try:
            session.commit()
        except* ValueError:
            session.execute(select(article))
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
    if "except*" in PROGRAMS[name] and sys.version_info < (3, 11):
        pytest.skip("Python 3.10 has no except*")
    outcome = check_text("odd.py", (START + PROGRAMS[name]).encode(), Config(), debug=True)
    assert outcome.problem is None


@pytest.mark.parametrize(("method", "code"), [("close", "ORM102"), ("flush", "ORM101")])
def test_what_a_function_does_to_a_session_in_a_dict_is_known(method, code):
    program = START + PROGRAMS["a dict with a session is passed to a function of the project"]
    outcome = check_text(f"{method}.py", program.replace("close", method).encode(), Config(select=("ORM1",)))
    assert [d.code for d in outcome.diagnostics] == [code]


FROM_ITSELF = (
    "{x} = str({x})",
    "{x} = make_url({x})",
    "{x} = {x}.replace('a', 'b')",
    "{x} = {x} if {x} else 1",
    "{x} = {x} or make_url({x})",
    "{x} = os.environ.get('X', {x})",
    "{x} = made({x})",
    "{x} = dict(**{x})",
    "{x} = {{**{x}, 'pool_size': 3}}",
    "{x} = {x} * {x}",
    "{x} = f'{{{x}}}'",
    "{x} = sessionmaker({x})",
    "{x} = create_engine({x})",
    "{x} = {x}.bind",
    "{x} = {x}()",
)
WAYS_TO_USE_IT = (
    "create_engine({x})",
    "create_engine('postgresql://h/d', pool_size={x}, max_overflow={x}, connect_args={x})",
    "create_engine('postgresql://h/d', **{x})",
    "sessionmaker({x})()",
    "app.config['SQLALCHEMY_DATABASE_URI'] = {x}",
    "app.config['SQLALCHEMY_ENGINE_OPTIONS'] = {x}",
)
PLACES = {
    "a module": "{change}\n{use}\n",
    "a function": "def run(x=None):\n    {change}\n    {use}\n",
    "two names": "def run(x=None):\n    y = dict(**x) or x\n    {change}\n    x = y\n    x = dict(**y)\n    {use}\n",
    "an object": "class It:\n    def take(self):\n        {change}\n    def run(self):\n        {use}\n",
}
MAKING = """\
import os
from flask import Flask
from sqlalchemy import create_engine, make_url
from sqlalchemy.orm import sessionmaker

app = Flask(__name__)


def made(x):
    x = made(x)
    return x


"""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("change", FROM_ITSELF)
def test_what_is_made_from_itself_is_followed_to_an_end(change, place):
    x = "self.x" if place == "an object" else "x"
    for use in WAYS_TO_USE_IT:
        program = MAKING + PLACES[place].format(change=change.format(x=x), use=use.format(x=x))
        outcome = check_text("odd.py", program.encode(), Config(select=("ALL",)))
        assert outcome.problem is None, (change, use)
