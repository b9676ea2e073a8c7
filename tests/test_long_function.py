"""Code that is much larger than what people write."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

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
