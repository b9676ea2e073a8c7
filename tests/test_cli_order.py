"""What is reported for a file does not depend on the door, on the other files of the run, or on their order."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest
from doors import dbsession, run

from flake8_dbsession.run import check_files, project
from flake8_dbsession.settings.reading import load

FIXTURES = Path(__file__).parents[1] / "fixtures"
REFERENCE = FIXTURES / "reference"


def test_flake8_and_the_command_say_the_same():
    told = run(
        sys.executable, "-m", "flake8", "--isolated", "--select=ORM1,ORM2,ORM3,ORM4", "-j1", cwd=REFERENCE
    ).stdout.splitlines()
    ours = dbsession("check", "--output-format=concise", "-j1", cwd=REFERENCE).stdout.splitlines()
    assert len(ours) > 10
    assert sorted(line.removeprefix("./") for line in told) == sorted(ours)


@pytest.mark.parametrize("folder", ["reference", "ORM302", "modules/makers_of_repositories"])
def test_how_the_interpreter_orders_sets_changes_nothing(folder):
    told = [
        dbsession(
            "check", "--no-cache", "--output-format=json", "-j1", cwd=FIXTURES / folder, PYTHONHASHSEED=seed
        ).stdout
        for seed in ("1", "3")
    ]
    assert len(told[0]) > 1000
    assert told[0] == told[1]


WAIT = """\
{imports}
from sqlalchemy import select
from sqlalchemy.orm import Session


def wait{number}():
    {wait}


def use(db: Session):
    db.scalar(select(1))
    wait{number}()
    db.commit()
"""


def chain(root: Path, length: int) -> list[str]:
    """Modules in each of which a function waits by calling the one of the next module; the last one sleeps."""
    paths = []
    for number in range(length):
        last = number == length - 1
        following = f"from m{number + 1} import wait{number + 1}"
        text = WAIT.format(
            number=number,
            imports="import time" if last else following,
            wait="time.sleep(5)" if last else f"wait{number + 1}()",
        )
        paths.append(root / f"m{number}.py")
        paths[-1].write_text(text)
    return [path.name for path in paths]


def reports(paths: list[str]) -> set[tuple[str, int, str, str]]:
    project.cache_clear()
    outcomes = check_files(paths, load("."), jobs=1)
    return {(d.path, d.span.line, d.code, d.message) for outcome in outcomes for d in outcome.diagnostics}


def test_the_order_of_the_files_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = chain(tmp_path, 3)
    assert len(reports(paths)) == 3
    assert reports(paths) == reports(paths[::-1])


def test_the_order_of_the_files_changes_nothing_beyond_the_depth_that_is_followed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = chain(tmp_path, 8)
    assert reports(paths) == reports(paths[::-1])


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
def test_a_value_found_far_down_is_the_same_for_all(tmp_path, monkeypatch, before):
    monkeypatch.chdir(tmp_path)
    for name, text in (("mail.py", MAIL), ("deep.py", DEEP), ("shop.py", SHOP)):
        (tmp_path / name).write_text(text)
    assert "ORM201" in {code for path, _, code, _ in reports([*before, "shop.py"]) if path == "shop.py"}


PING = """
import time

import requests
from pong import pong
from sqlalchemy.orm import Session


def ping(left: int):
    WAIT
    if left:
        pong(left - 1)


def serve(session: Session):
    session.connection()
    ping(3)
"""
PONG = """
import time

import ping
import requests
from sqlalchemy.orm import Session


def pong(left: int):
    WAIT
    if left:
        ping.ping(left - 1)


def receive(session: Session):
    session.connection()
    pong(3)
"""


@pytest.mark.parametrize("order", [["ping.py", "pong.py"], ["pong.py", "ping.py"]])
@pytest.mark.parametrize("sleeps", ["ping.py", "pong.py"])
def test_functions_that_call_each_other_wait_for_both_whoever_is_asked_first(tmp_path, monkeypatch, order, sleeps):
    monkeypatch.chdir(tmp_path)
    ask, pause = 'requests.post("https://pong.example.com", timeout=5)', "time.sleep(1)"
    for path, text in (("ping.py", PING), ("pong.py", PONG)):
        (tmp_path / path).write_text(text.replace("WAIT", pause if path == sleeps else ask))
    found = {(path, code) for path, _, code, _ in reports(order)}
    assert found == {(path, "ORM202") for path in order}  # the one that sleeps hears of the other's call


DATABASE = """
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

begin = sessionmaker(create_engine("sqlite://"))
"""
PROGRAM = """
from database import begin
from sqlalchemy import select


def ask():
    session = begin()
    return session.scalar(select(1))
"""


@pytest.mark.parametrize("folders", itertools.permutations(("mails", "orders", "shop")))
def test_what_a_program_beside_imports_is_none_of_a_program_without_it(tmp_path, monkeypatch, folders):
    """Two programs have a module for the database; a third one names it and has none."""
    monkeypatch.chdir(tmp_path)
    paths = []
    for folder in folders:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "main.py").write_text(PROGRAM)
        paths.append(f"{folder}/main.py")
    (tmp_path / "mails" / "database.py").write_text(DATABASE)
    (tmp_path / "orders" / "database.py").write_text(DATABASE)
    assert {(path, code) for path, _, code, _ in reports(paths)} == {
        ("mails/main.py", "ORM101"),
        ("orders/main.py", "ORM101"),
    }
