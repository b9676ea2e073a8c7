"""Code to measure on where no checkout is at hand: an application of models, helpers, views and workers."""

from __future__ import annotations

from pathlib import Path

_DATABASE = """\
from contextlib import contextmanager

from sqlalchemy import create_engine
from sqlalchemy.orm import declarative_base, sessionmaker

engine = create_engine("postgresql://db/shop", pool_pre_ping=True)
SessionLocal = sessionmaker(engine)
Base = declarative_base()


@contextmanager
def session_scope():
    session = SessionLocal()
    try:
        yield session
        session.commit()
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()
"""

_SERVICE = '''\
"""Orders of kind {number}."""

import logging
import time

import requests
from sqlalchemy import Column, Integer, String, select

from .database import Base, SessionLocal, session_scope

log = logging.getLogger(__name__)


class Order{number}(Base):
    __tablename__ = "orders_{number}"
    id = Column(Integer, primary_key=True)
    state = Column(String(20))


class Orders{number}:
    def __init__(self, session=None):
        self.session = session or SessionLocal()

    def find(self, state):
        query = self.session.query(Order{number}).filter(Order{number}.state == state)
        return [order for order in query if order.id > 0]

    def pay(self, order, amount):
        total = {{"amount": amount, "fee": round(amount * 0.03, 2)}}
        if total["fee"] > 100:
            log.warning("a large fee for %s", order.id)
        order.state = "paid"
        self.session.commit()
        return total


def load_{number}(key):
    with session_scope() as session:
        return session.get(Order{number}, key)


def send_{number}(orders):
    session = SessionLocal()
    for order in session.scalars(select(Order{number})):
        answer = requests.post("https://example.org/orders", json={{"id": order.id}}, timeout=5)
        if answer.status_code != 200:
            log.error("order %s: %s", order.id, answer.text)
            continue
        order.state = "sent"
    session.commit()


def work_{number}():
    while True:
        orders = load_{number}(1)
        send_{number}(orders)
        time.sleep(5)
'''

_PLAIN = '''\
"""Arithmetic {number}, which no database knows of."""

import math


class Matrix{number}:
    def __init__(self, rows):
        self.rows = [list(row) for row in rows]

    def scaled(self, factor):
        return Matrix{number}([[factor * value for value in row] for row in self.rows])

    def norm(self):
        return math.sqrt(sum(value * value for row in self.rows for value in row))


def powers(base, count):
    found = []
    for exponent in range(count):
        value = base**exponent
        if value % 2 and exponent > 3:
            found.append((exponent, value))
        else:
            found.append((exponent, -value))
    return dict(found)
'''


def application(folder: Path, files: int) -> Path:
    """Write about ``files`` modules into ``folder``: two in three know sessions, the others nothing of the kind."""
    package = folder / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "database.py").write_text(_DATABASE)
    for number in range(files):
        text = _PLAIN if number % 3 == 2 else _SERVICE
        (package / f"module_{number}.py").write_text(text.format(number=number))
    return folder


def long_function(statements: int = 2_000, tries: int = 200) -> str:
    """A module with one function of that many statements, spread over that many ``try`` blocks one after the other."""
    lines = ["from sqlalchemy.orm import Session", "", "", "def long(session: Session, values):"]
    each = statements // tries
    for block in range(tries):
        lines.append("    try:")
        lines += [f"        value_{block}_{n} = values.get({n})" for n in range(each - 4)]
        lines.append(f"        session.add(value_{block}_0)")
        lines += ["    except ValueError:", "        session.rollback()", "        values.clear()"]
    return "\n".join([*lines, "    session.commit()", ""])
