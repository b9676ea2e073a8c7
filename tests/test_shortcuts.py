"""What is left out to be fast changes nothing: functions that are not followed, steps that are carried out once."""

from __future__ import annotations

import ast
import pathlib

import pytest
from test_fixtures import FILES, identify, reports

from flake8_dbsession import analyze
from flake8_dbsession.config import Config
from flake8_dbsession.flow.graph import Via
from flake8_dbsession.model import Diagnostic
from flake8_dbsession.project.project import Project
from flake8_dbsession.project.reach import Reach
from flake8_dbsession.session.body import Body
from flake8_dbsession.session.memory import Memory
from flake8_dbsession.source import Source
from flake8_dbsession.view import View


@pytest.mark.parametrize("path", FILES, ids=identify)
def test_reports_are_the_same_without_shortcuts(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = path.read_bytes()
    found = reports(path, data)
    monkeypatch.setattr(Reach, "touches", lambda *_: True)
    monkeypatch.setattr(Memory, "key", lambda *_: None)
    assert reports(path, data) == found


@pytest.mark.parametrize("path", FILES, ids=identify)
def test_test_code_says_the_same_whether_it_is_looked_at_or_not(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reported() -> list[Diagnostic]:
        return analyze.analyze(Source(str(path), path.read_bytes()), Project(Config(test_paths=("*",))))

    found = reported()
    monkeypatch.setattr(analyze, "can_be_reported", lambda view: True)
    assert reported() == found


def test_test_code_that_makes_no_engine_is_not_parsed() -> None:
    source = Source("tests/test_shop.py", b"def test(session):\n    session.execute(1)\n")
    assert analyze.analyze(source, Project(Config())) == []
    assert "tree" not in vars(source)


# -- what a function can reach

SHOP = """
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite://"))


def counted(names):
    return sorted({name.lower() for name in names})


def opened():
    return SessionLocal()


def by_a_helper(row):
    return opened().merge(row)


def by_its_parameter(db: Session):
    return db


def by_what_it_asks(session, Row):
    return session.query(Row).all()


def with_one_inside(rows):
    def save():
        opened().add_all(rows)

    return save


class Counter:
    def total(self):
        return self.one() + self.other()

    def one(self):
        return 1

    def other(self):
        return 2


class Store:
    def __init__(self):
        self.factory = SessionLocal

    def title(self):
        return self.name()

    def name(self):
        return "store"

    def load(self):
        return self.begun()

    def begun(self):
        return self.factory()


def by_a_class():
    return Store()


def without_one():
    return Counter()
"""


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("counted", False),
        ("opened", True),
        ("by_a_helper", True),
        ("by_its_parameter", True),
        ("by_what_it_asks", True),
        ("with_one_inside", True),
        ("with_one_inside.<locals>.save", True),
        ("Counter.total", False),
        ("Store.title", False),
        ("Store.load", True),
        ("by_a_class", True),
        ("without_one", False),
    ],
)
def test_a_function_reaches_what_its_words_lead_to(function: str, expected: bool) -> None:
    view = View(Source("shop.py", SHOP.encode()), Project(Config()))
    assert view.project.reach.touches(view.module, view.module.bodies[function]) is expected


# -- which names are left behind


def left_behind(program: str, line: int) -> dict[Via, set[str]]:
    """The names that nobody asks for any more, for each way out of the step on a line of the program."""
    body = Body("m", "", None, ast.parse(program).body)
    node = next(node for node in body.graph.nodes if node.line == line)
    return {via: set(names) for via, names in body.steps[node.index].left.items()}


def test_a_name_is_kept_until_its_last_use():
    program = "a = f()\nb = a\nprint(b)\nprint(1)"
    assert left_behind(program, 1)[Via.NEXT] == {"f"}
    assert left_behind(program, 2)[Via.NEXT] == {"a"}
    assert left_behind(program, 3)[Via.NEXT] == {"b"}
    assert left_behind(program, 4)[Via.NEXT] == {"print"}


def test_binding_a_name_anew_ends_the_wish_for_the_old_value():
    assert "a" in left_behind("a = f()\na = g()\nprint(a)", 1)[Via.NEXT]
    assert "a" not in left_behind("a = f()\na = g(a)\nprint(a)", 1)[Via.NEXT]
    assert "a" not in left_behind("a = f()\na += 1\nprint(a)", 1)[Via.NEXT]


def test_a_handler_asks_for_what_was_bound_before_the_failure():
    program = "a = f()\ntry:\n    a = g()\nexcept E:\n    print(a)"
    assert "a" not in left_behind(program, 3)[Via.RAISE]
    assert "a" not in left_behind(program, 1)[Via.NEXT]


def test_a_loop_asks_for_names_of_its_next_turn():
    program = "a = f()\nwhile t():\n    print(a)\n    a = g()"
    assert "a" not in left_behind(program, 4)[Via.NEXT]


def test_what_a_nested_function_uses_is_never_left_behind():
    program = "def inner():\n    return a\na = f()\nreturn inner"
    assert "a" not in left_behind(program, 3)[Via.NEXT]


def test_imports_and_definitions_that_nobody_asks_for_are_left_behind():
    program = "import os.path, sys as system\ndef inner():\n    pass\nreturn 1"
    assert left_behind(program, 1)[Via.NEXT] == {"os", "system"}
    assert left_behind(program, 2)[Via.NEXT] == {"inner"}
