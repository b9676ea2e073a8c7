"""Code that is much larger than what people write."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import pytest

from flake8_dbsession.config import Config
from flake8_dbsession.run import check_text

CORPUS = runpy.run_path(str(Path(__file__).parent.parent / "benchmarks" / "corpus.py"))


def test_a_function_of_two_thousand_statements_is_solved():
    text = CORPUS["long_function"]()
    function = ast.parse(text).body[-1]
    assert len([node for node in ast.walk(function) if isinstance(node, ast.stmt)]) > 2_000
    assert len([node for node in ast.walk(function) if isinstance(node, ast.Try)]) == 200
    leaking = text.replace("session: Session, values", "values").replace(
        "    try:\n", "    session = Session()\n    try:\n", 1
    )
    assert check_text("long.py", text.encode(), Config()).problem is None
    assert [d.code for d in check_text("long.py", leaking.encode(), Config()).diagnostics] == ["ORM102"]


def test_the_generated_application_is_clean_python_with_findings(tmp_path):
    folder = CORPUS["application"](tmp_path, 3)
    outcomes = [check_text(str(path), path.read_bytes(), Config(root=str(folder))) for path in folder.rglob("*.py")]
    assert [outcome.problem for outcome in outcomes] == [None] * 5
    assert {d.code for outcome in outcomes for d in outcome.diagnostics} == {"ORM101", "ORM102", "ORM202"}


def test_an_object_made_of_the_one_before_twice_is_remembered_as_far_as_possible():
    """Forty of them are made of a million million values; the session of the last is known all the same."""
    pairs = "    pair = Pair(session, pair, pair)\n" * 40
    text = (
        "import time\n\nfrom sqlalchemy.orm import Session\n\n\n"
        "class Pair:\n    def __init__(self, session, left, right):\n"
        "        self.left, self.right, self.session = left, right, session\n\n"
        "    def load(self):\n        return self.session.get(object, 1)\n\n\n"
        f"def wait(session: Session):\n    pair = None\n{pairs}    pair.load()\n    time.sleep(5)\n"
    )
    assert [d.code for d in check_text("pairs.py", text.encode(), Config()).diagnostics] == ["ORM201"]


@pytest.mark.parametrize(
    ("first", "more"),
    [
        ("(session,)", "(pair, pair)"),
        ("[session]", "[pair, pair]"),
        ("{'one': session}", "{'one': pair, 'other': pair}"),
        ("partial(print, session)", "partial(print, pair, pair)"),
        ("[session]", "list(zip(pair, pair))"),
        ("[session]", "pair + pair"),
        ("tell(session, session)", "tell(pair, pair)"),
    ],
)
def test_what_holds_the_one_before_twice_is_followed_as_far_as_possible(first, more):
    """Forty of them are made of a million million values, and nobody knows what becomes of the session in them."""
    text = (
        "from functools import partial\n\nfrom sqlalchemy.orm import Session\n\n\nasync def tell(one, other): ...\n\n\n"
        f"def pile(engine):\n    session = Session(engine)\n    pair = {first}\n" + f"    pair = {more}\n" * 40
    )
    outcome = check_text("piled.py", text.encode(), Config())
    assert (outcome.problem, outcome.diagnostics) == (None, ())
