"""What SQLAlchemy calls while a session writes or commits runs with its connection taken: the hooks that ORM202 speaks
of, and no others."""

import pathlib

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session, declarative_base
from sqlalchemy.pool import QueuePool
from sqlalchemy.schema import Column
from sqlalchemy.types import Integer

from flake8_dbsession.questions.writing_hooks import COMMIT, FLUSH

Base = declarative_base()


class Pebble(Base):
    __tablename__ = "pebbles"
    id = Column(Integer, primary_key=True)
    weight = Column(Integer, default=0)


def write(engine) -> None:
    with Session(engine) as session:
        pebble = Pebble(id=1)
        session.add(pebble)
        session.commit()
        pebble.weight = 2
        session.commit()
        session.delete(pebble)
        session.commit()


@pytest.mark.parametrize("name", sorted(FLUSH | COMMIT))
def test_a_hook_runs_with_the_connection_taken(tmp_path: pathlib.Path, name: str) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'pebbles.db'}", poolclass=QueuePool)
    Base.metadata.create_all(engine)
    taken: list[int] = []
    target = Pebble if name.endswith(("insert", "update", "delete")) else Session

    def hook(*_):
        taken.append(engine.pool.checkedout())

    event.listen(target, name, hook)
    try:
        write(engine)
    finally:
        event.remove(target, name, hook)
    assert taken and set(taken) == {1}
    assert engine.pool.checkedout() == 0
