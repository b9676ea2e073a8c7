"""Code for a newer Python than the one that runs us is analysed all the same."""

from __future__ import annotations

import ast
import pathlib
import textwrap

import pytest

from flake8_dbsession.analyze import analyze
from flake8_dbsession.config import Config
from flake8_dbsession.newer import as_older
from flake8_dbsession.project.project import Project
from flake8_dbsession.source import Source, Unreadable

PAIRS = {
    "a type": ("type Id = int\nx = 1\n", "Id = int\nx = 1\n"),
    "a generic type": ("type Rows[T] = list[T]\n", "Rows = list[T]\n"),
    "a generic function": (
        "def first[T](rows: list[T]) -> T:\n    pass\n",
        "def first(rows: list[T]) -> T:\n    pass\n",
    ),
    "a generic coroutine": ("async def first[T: int](rows): pass\n", "async def first(rows): pass\n"),
    "a generic class": ("class Page[T, *Ts]:\n    type = 1\n", "class Page:\n    type = 1\n"),
    "on several lines": (
        "def first[\n    T: (int, str),  # either\n](rows):\n    pass\n",
        "def first(rows):\n    pass\n",
    ),
    "exceptions": ("try: pass\nexcept A, b.B: pass\n", "try: pass\nexcept (A, b.B): pass\n"),
    "quotes in a field": ("""x = f"{row["name"]} of {f"{rows}"}"\n""", """x = f"{row['name']} of {f'{rows}'}"\n"""),
    "both quotes in a field": ("""x = f"{name.replace("'", "''")}"\n""", """x = f"{name.replace(' ', '  ')}"\n"""),
    "a backslash in a field": ("""x = f"{'\\n'.join(rows)}"\n""", """x = f"{' n'.join(rows)}"\n"""),
    "a field of a field": (
        """x = f"of {', '.join(f'{row} ({", ".join(rows)})' for row in rows)}"\n""",
        """x = f"of {', '.join(f'{row} ({_.join(rows)})' for row in rows)}"\n""",
    ),
    "a field on several lines": ('x = f"of {\n    row}"\ny = 1\n', 'x = f"""of {\n    row}"""\ny = 1\n'),
    "other strings": (
        """type X = int\nx = f'{{"{a}"}}', r'\\', '# {', "it's"  # it's\n""",
        """X = int\nx = f'{{"{a}"}}', r'\\', '# {', "it's"  # it's\n""",
    ),
    "a name": ("type = 1\ntype.x = 2\n", "type = 1\ntype.x = 2\n"),
}


@pytest.mark.parametrize(("newer", "older"), PAIRS.values(), ids=PAIRS)
def test_newer_syntax_means_what_older_syntax_says(newer: str, older: str) -> None:
    assert ast.dump(ast.parse(as_older(newer))) == ast.dump(ast.parse(older))


@pytest.mark.parametrize("newer", [newer for newer, _ in PAIRS.values()], ids=PAIRS)
def test_lines_stay_where_they_are(newer: str) -> None:
    assert len(as_older(newer).splitlines()) == len(newer.splitlines())


def test_what_no_python_reads_stays_unreadable() -> None:
    with pytest.raises(Unreadable, match="cannot be parsed"):
        Source("x.py", b"type Id = = 1\n").tree  # noqa: B018


def test_a_session_behind_an_alias_of_python_3_12_is_one(tmp_path: pathlib.Path) -> None:
    text = """
        from typing import Annotated
        from time import sleep
        from sqlalchemy import select
        from sqlalchemy.orm import Session
        type OurSession = Annotated[Session, "ours"]
        def nap[T](session: OurSession, rows: list[T]):
            session.execute(select(1))
            sleep(1)
    """
    path = tmp_path / "shop" / "stock.py"
    path.parent.mkdir()
    path.write_text(textwrap.dedent(text))
    found = analyze(Source.read(str(path)), Project(Config(), str(tmp_path)))
    assert [(report.code, report.span.line) for report in found] == [("ORM201", 9)]
