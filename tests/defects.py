"""Programs with defects in all shapes: sessions that leak, are held while waiting or go on after a failure."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

HEAD = """\
import os
import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import create_engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

engine = create_engine(os.environ["DATABASE_URL"])
SessionLocal = sessionmaker(bind=engine)


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)


def get_db():
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()


def traced(function):
    return function


"""
_SMALL = [
    "seen.append(session.scalar(select(func.count(Item.id))))",
    "seen.append(session.get(Item, 1).id)",
    "item = session.get(Item, 2)",
    "seen.append(str(item))",
    "session.add(Item(id=len(seen) + 100))",
    "session.commit()",
    "session.rollback()",
    "time.sleep(0.001)",
    "time.sleep(0.001)  # let others work",
    "seen.append(time.sleep(0.001))",
    "seen.append('plain')",
]
_OPENERS = ["session = SessionLocal()", "session: object = SessionLocal()", "session = next(get_db())"]
_HEADERS = ["if len(seen) < 3:", "for turn in range(2):", "with ThreadPoolExecutor(1):", "try:", "def inner():"]


@st.composite
def programs(draw: Any) -> str:
    """A module whose function ``work(seen)`` has one session, nested blocks and some defects."""
    is_async = draw(st.integers(0, 4)) == 0
    lines = ["    item = None\n"]
    indent = "    "
    way = draw(st.integers(0, 4))
    if way == 0:
        lines.append(f"{indent}with SessionLocal() as session:\n")
        indent += "    "
    elif way == 1:
        lines += [f"{indent}factory = sessionmaker(bind=engine)\n", f"{indent}session = factory()\n"]
    else:
        lines.append(f"{indent}{draw(st.sampled_from(_OPENERS))}\n")
    lines += draw(blocks(indent, 0))
    if draw(st.booleans()):
        lines.append(f"{indent}session.close()\n")
    if draw(st.booleans()):
        lines.append(f"{indent}return len(seen)\n")
    decorator = draw(st.sampled_from(["", "", "@traced\n"]))
    return HEAD + decorator + ("async " if is_async else "") + "def work(seen):\n" + "".join(lines)


@st.composite
def blocks(draw: Any, indent: str, depth: int) -> list[str]:
    """The lines of a block, nested at most three deep."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        if depth < 3 and draw(st.integers(0, 2)) == 0:
            lines += draw(compounds(indent, depth))
        else:
            lines.append(f"{indent}{draw(st.sampled_from(_SMALL))}\n")
    return lines


@st.composite
def compounds(draw: Any, indent: str, depth: int) -> list[str]:
    header = draw(st.sampled_from(_HEADERS))
    lines = [f"{indent}{header}\n", *draw(blocks(indent + "    ", depth + 1))]
    if header == "try:":
        lines += draw(tails(indent, depth))
    if header == "def inner():":
        lines.insert(1, f"{indent}    item = None\n")
        lines.append(f"{indent}inner()\n")
    return lines


@st.composite
def tails(draw: Any, indent: str, depth: int) -> list[str]:
    """What follows a ``try`` block: a failure that is caught, or a ``finally``."""
    inner = indent + "    "
    if draw(st.booleans()):
        return [f"{indent}finally:\n", *draw(blocks(inner, depth + 1))]
    failing = [f"{inner}session.add(Item(id=1))\n", f"{inner}session.commit()\n"] if draw(st.booleans()) else []
    return [*failing, f"{indent}except IntegrityError:\n", *draw(blocks(inner, depth + 1))]
