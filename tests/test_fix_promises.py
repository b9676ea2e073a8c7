"""What a fix promises, on programs of all shapes: it compiles, the finding is gone, none is new, and that is all.

Safe fixes keep one more: the program does what it did, and holds no more connections.
"""

from __future__ import annotations

import pathlib
import tempfile
from collections import Counter
from typing import Any

from defects import programs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proofs.bench import bench
from proofs.lab import garbage_left_alone, load
from sqlalchemy import create_engine, insert, text

from flake8_dbsession.analyze import analyze
from flake8_dbsession.config import Config
from flake8_dbsession.fix.loop import Fate, fix
from flake8_dbsession.model import Diagnostic
from flake8_dbsession.project.project import Project
from flake8_dbsession.source import Source

SHAPES = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
RUNS = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


ALONE = tempfile.mkdtemp()
"""The root of a project that is nothing but the program: what is asked of all files is asked of no fixture."""


def reports(data: bytes, path: str) -> list[Diagnostic]:
    found = analyze(Source(path, data), Project(Config(root=ALONE), ALONE))
    return [diagnostic for diagnostic in found if not diagnostic.code.startswith(("ORM41", "ORM9"))]


@given(programs(), st.booleans())
@SHAPES
def test_a_fix_keeps_its_promises_whatever_the_shape(program: str, unsafe: bool) -> None:
    before = reports(program.encode(), "work.py")
    result = fix(program.encode(), "work.py", reports, unsafe=unsafe)
    after = reports(result.data, "work.py")
    compile(result.data, "work.py", "exec")
    fixed = Counter(v.diagnostic.code for v in result.verdicts if v.fate is Fate.FIXED)
    assert Counter(d.code for d in after) == Counter(d.code for d in before) - fixed
    assert fix(result.data, "work.py", reports, unsafe=unsafe).data == result.data
    assert [v for v in result.verdicts if v.fate is not Fate.FIXED and not v.reason] == []


@given(programs())
@RUNS
def test_a_safe_fix_changes_nothing_that_a_program_does(program: str) -> None:
    result = fix(program.encode(), "work.py", reports, unsafe=False)
    if result.data == program.encode() or "async def" in program:
        return
    (answer, seen, rows, held), (fixed_answer, *same, fixed_held) = outcome(program.encode()), outcome(result.data)
    if answer == "PendingRollbackError":
        return  # that is the defect
    assert (fixed_answer, *same) == (answer, seen, rows)
    assert fixed_held <= held


def outcome(program: bytes) -> tuple[Any, list[Any], list[Any], int]:
    """What one call gives, what it has seen, what is in the table then, and how many connections are out."""
    with tempfile.TemporaryDirectory() as folder, bench(size=10) as lab:
        path = pathlib.Path(folder, "work.py")
        path.write_bytes(program)
        example = load(path)
        example.Base.metadata.create_all(example.engine)
        with example.engine.begin() as connection:
            connection.execute(insert(example.Item), [{"id": 1}, {"id": 2}])
        with garbage_left_alone():
            seen: list[Any] = []
            answer = lab.attempt(example.work, seen)
            held = lab.connections_out()
        for engine in lab.watch.engines:
            engine.dispose()
        with create_engine(str(example.engine.url)).connect() as connection:
            rows = list(connection.execute(text("SELECT id FROM items ORDER BY id")).scalars())
        return answer, [str(each).replace(example.__name__, "").partition(" at 0x")[0] for each in seen], rows, held
