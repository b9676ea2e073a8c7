"""Where a handler begins its unit of work, the transaction that it ends before a wait is its own: the fix is safe."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Callable
from typing import Any

import flask
import pytest
from fix_tools import carried
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, text

from flake8_dbsession.analyze import analyze
from flake8_dbsession.config import Config
from flake8_dbsession.model import Plan, Safety
from flake8_dbsession.project.project import Project
from flake8_dbsession.source import Source

FLASK = """\
import time
from functools import wraps
from flask import Flask, g
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
db = SQLAlchemy(app)

class Door(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    state = db.Column(db.String(9))

@app.before_request
def look_up():
    g.doors = db.session.query(Door).count()

@app.get("/doors/<int:door_id>")
def door(door_id):
    state = db.session.query(Door.state).filter_by(id=door_id).scalar()
    time.sleep(0.01)
    return state
"""
FASTAPI = """\
import time
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("postgresql://db/doors"))

def get_db():
    with SessionLocal() as db:
        yield db

def knock(db: Session = Depends(get_db)):
    return db.execute(text("SELECT 1")).scalar()

@app.get("/doors")
def doors(db: Session = Depends(get_db), knocks: int = Depends(knock)):
    number = db.execute(text("SELECT 2")).scalar()
    time.sleep(1)
    return number + knocks
"""
USERS = FLASK.replace("Flask, g", "Flask, g\nfrom flask_login import current_user").replace(
    "state = db", "current_user.visits\n    state = db"
)
COUNTED = """\
def counted(function):
    @wraps(function)
    def wrapper(*args):
        db.session.add(Door(state="asked"))
        return function(*args)
    return wrapper

"""


def plan_of(program: str, folder: pathlib.Path) -> Plan:
    """The plan of the one wait in a program that stands in a project of its own."""
    path = folder / "doors.py"
    path.write_text(program)
    source = Source(str(path), program.encode())
    found = [d for d in analyze(source, Project(Config(), str(folder))) if d.code == "ORM201"]
    assert len(found) == 1 and found[0].plan is not None, found
    return found[0].plan


UNASKED = FASTAPI.replace(", knocks: int = Depends(knock)", "").replace("number + knocks", "number")
GUARDED = UNASKED.replace('"/doors")', '"/doors", dependencies=[Depends(knock)])')
OTHERS = (
    FASTAPI
    + """
def paint(db: Session = Depends(get_db)):
    db.execute(text("UPDATE doors SET state = 1"))

@app.get("/paint", dependencies=[Depends(paint)])
def painted():
    return "fresh"
"""
)
LIBRARY = FASTAPI.replace("knocks: int = Depends(knock)", "knocks: int = Depends(scheme)").replace(
    "app = FastAPI()", "app = FastAPI()\nscheme = OAuth2PasswordBearer(tokenUrl='in')"
)
LIBRARY = "from fastapi.security import OAuth2PasswordBearer\n" + LIBRARY
NAMESAKE = (
    FASTAPI
    + """
class House:
    @staticmethod
    def doors():
        return 3

def count():
    return House.doors()
"""
)


@pytest.mark.parametrize(
    "program",
    [FLASK, USERS, FASTAPI, LIBRARY, GUARDED, OTHERS, NAMESAKE],
    ids=[
        "flask",
        "flask with users",
        "fastapi",
        "fastapi with a scheme of it",
        "a guard that reads",
        "a guard of another",
        "a call of another with its name",
    ],
)
def test_it_is_safe_where_all_that_runs_before_only_reads(program: str, tmp_path: pathlib.Path) -> None:
    assert plan_of(program, tmp_path).safety is Safety.SAFE


@pytest.mark.parametrize(
    ("program", "old", "new"),
    [
        (FLASK, "g.doors = db.session.query(Door).count()", 'db.session.add(Door(state="asked"))'),
        (FLASK, '@app.get("/doors/<int:door_id>")\n', f'{COUNTED}@app.get("/doors/<int:door_id>")\n@counted\n'),
        (FLASK, "@app.before_request", '@app.get("/all")\ndef every():\n    return door(1)\n\n@app.before_request'),
        (FLASK, "return state", "return g.doors"),
        (USERS, "return state", "return current_user.name"),
        (USERS, "return state", "return name()\n\ndef name():\n    return current_user.name"),
        (FASTAPI, 'return db.execute(text("SELECT 1")).scalar()', 'db.execute(text("UPDATE doors SET state = 1"))'),
        (FASTAPI, "app = FastAPI()", "app = FastAPI(dependencies=[Depends(print)])"),
        (FASTAPI, "    with SessionLocal() as db:\n        yield db", "    yield app.state.db"),
        (FASTAPI, "knocks: int =", "knocks ="),
        (FASTAPI, "knocks: int = Depends(knock)", "knocks: int = Depends(Knocker(3))"),
        (GUARDED, 'return db.execute(text("SELECT 1")).scalar()', 'db.execute(text("UPDATE doors SET state = 1"))'),
        (GUARDED, "[Depends(knock)]", "[Depends(print)]"),
        (GUARDED, "[Depends(knock)]", "guards"),
        (NAMESAKE, "def count():", "def count(House):"),
        (OTHERS, "app = FastAPI()", "app = FastAPI()\nrouter = APIRouter(dependencies=[Depends(print)])"),
    ],
    ids=[
        *("hook", "decorator", "caller", "row of a hook", "user", "user read by another"),
        *("dependency", "dependency of the app", "provider"),
        *(
            "row of a dependency",
            "unseen dependency",
            "guard that changes",
            "unknown guard",
            "unknown guards",
            "unknown namesake",
            "guard of a router",
        ),
    ],
)
def test_it_is_unsafe_where_anybody_else_may_have_changed_something(
    program: str, old: str, new: str, tmp_path: pathlib.Path
) -> None:
    assert old in program
    plan = plan_of(program.replace(old, new), tmp_path)
    assert plan.safety is Safety.UNSAFE and plan.reason


def test_the_request_gives_the_same_answer_and_holds_nothing_meanwhile(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixed = carried(FLASK, *plan_of(FLASK, tmp_path).steps)
    assert answers(FLASK, tmp_path / "before.db", monkeypatch) == ("open", [1])
    assert answers(fixed, tmp_path / "after.db", monkeypatch) == ("open", [0])


def test_a_row_of_a_hook_is_read_anew_after_the_release(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = FLASK.replace("g.doors = db.session.query(Door).count()", "g.door = db.session.get(Door, 1)")
    program = program.replace("return state", "return g.door.state")
    fixed = carried(program, *plan_of(program, tmp_path).steps)
    assert answers(program, tmp_path / "before.db", monkeypatch, shut) == ("open", [1])
    assert answers(fixed, tmp_path / "after.db", monkeypatch, shut) == ("shut", [0])


def nothing(_engine: Engine) -> None:
    """Nobody does anything meanwhile."""


def shut(engine: Engine) -> None:
    """Somebody else shuts all doors."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE door SET state = 'shut'"))


def answers(
    program: str,
    database: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: Callable[[Engine], None] = nothing,
) -> tuple[str, list[int]]:
    """What a request gets, and how many connections are out at each sleep; ``meanwhile`` happens in each of them."""
    asleep: list[int] = []
    names: dict[str, Any] = {"__name__": "doors"}
    configured = f'app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///{database}"\ndb = SQLAlchemy(app)'
    exec(program.replace("db = SQLAlchemy(app)", configured), names)
    app, db = names["app"], names["db"]
    assert isinstance(app, flask.Flask) and isinstance(db, SQLAlchemy)
    with app.app_context():
        db.create_all()
        db.session.add(names["Door"](id=1, state="open"))
        db.session.commit()
        engine = db.engine

    def sleep(_seconds: float) -> None:
        asleep.append(engine.pool.checkedout())  # type: ignore[attr-defined]
        meanwhile(engine)

    monkeypatch.setattr(time, "sleep", sleep)
    return app.test_client().get("/doors/1").text, asleep
