"""A text of a file is judged by what differs from the first one, and as if it had been looked at as a whole."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest
from wants import FIXTURES, case_of

from flake8_dbsession.analyze import analyze
from flake8_dbsession.cli.attempts import Attempts
from flake8_dbsession.config import Config
from flake8_dbsession.fix.affected import affected
from flake8_dbsession.fix.changed import changed, units
from flake8_dbsession.model import Diagnostic
from flake8_dbsession.project.project import Project
from flake8_dbsession.run import project
from flake8_dbsession.source import Source
from flake8_dbsession.suppress import suppress

GOLDEN = sorted(path for path in FIXTURES.rglob("*.fixed.py"))
FILE = """
import time
from shop import SessionLocal

LIMIT = 3


class Store:
    def __init__(self):
        self.session = SessionLocal()

    def __enter__(self):
        return self

    @property
    def size(self):
        return 1


def load(key):
    return work(key)


def work(key):
    time.sleep(LIMIT)
    return key


def other():
    with Store() as store:
        return store


work(1)
"""


def whole(data: bytes, path: str) -> list[Diagnostic]:
    """What a check finds that knows nothing."""
    source = Source(path, data)
    found = [d for d in analyze(source, Project(Config(), ".")) if Config().selects(d.code, path)]
    return suppress(source, found).kept


def differs(before: str, after: str) -> frozenset[str] | None:
    found = changed(Source("a.py", before.encode()), Source("a.py", after.encode()))
    return found.functions if found is not None else None


def reached(*functions: str, through: frozenset[str] = frozenset()) -> frozenset[str]:
    return affected(Source("a.py", FILE.encode()).tree, frozenset(functions), through)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_fixed_file_is_judged_as_if_nothing_had_been_known(golden: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case_of(golden))
    path = os.path.relpath(golden).replace(".fixed.py", ".py")
    before, after = Path(path).read_bytes(), golden.read_bytes()
    project.cache_clear()  # another test may have begun it in another folder
    attempts = Attempts(Config())
    attempts.begin(path, before, whole(before, path))
    assert attempts.analyse(after, path) == whole(after, path)
    attempts.finish(path)


def test_a_function_differs_by_its_text_alone() -> None:
    assert differs(FILE, FILE.replace("time.sleep(LIMIT)", "time.sleep(LIMIT)\n    time.sleep(1)")) == {"work"}
    assert differs(FILE, FILE.replace("return self", "return None")) == {"Store.__enter__"}


def test_what_only_runs_outside_of_functions_may_differ() -> None:
    assert differs(FILE, FILE.replace("\nwork(1)", "\nwork(2)")) == {""}


def test_imports_may_be_added_and_none_left_out() -> None:
    assert differs(FILE, FILE.replace("import time", "import time\nfrom contextlib import closing")) == frozenset()
    assert differs(FILE, FILE.replace("import SessionLocal", "import SessionLocal, engine")) == frozenset()
    assert differs(FILE, FILE.replace("import time\n", "")) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("def load(key)", "def load(key, much)"),
        ("def load(key)", "def loaded(key)"),
        ("self.session = SessionLocal()", "self.session = None"),
        ("class Store:", "class Store(dict):"),
        ("    @property\n", ""),
    ],
)
def test_more_than_that_is_another_file(old: str, new: str) -> None:
    assert old in FILE
    assert differs(FILE, FILE.replace(old, new)) is None


def test_lines_that_stay_are_known_at_their_new_place() -> None:
    before, after = (
        Source("a.py", FILE.encode()),
        Source("a.py", FILE.replace("return 1", "x = 1\n        return x").encode()),
    )
    found = changed(before, after)
    line = {unit.name: unit.first for unit in units(before.tree)}
    assert found is not None and found.moved[line["Store.__init__"]] == line["Store.__init__"]
    assert found.moved[line["load"]] == line["load"] + 1
    assert line["Store.size"] not in found.moved


def test_a_function_matters_to_all_that_mention_it_directly_or_not() -> None:
    assert reached("work") == {"work", "load", ""}
    assert reached("Store.size") == {"Store.size", "Store.__init__"}
    assert reached("other") == {"other"}


def test_a_special_method_matters_to_all_that_mention_its_class() -> None:
    assert {"other", "Store.size", "Store.__init__"} <= reached("Store.__enter__")


def test_names_from_modules_that_lead_back_count_as_changed() -> None:
    assert {"Store.__init__", "other"} <= reached(through=frozenset({"SessionLocal"}))


def test_nothing_is_known_of_a_file_that_was_not_begun_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = textwrap.dedent(
        """
        import time
        from sqlalchemy.orm import sessionmaker
        make = sessionmaker()
        def work():
            session = make()
            session.get(dict, 1)
            time.sleep(1)
        """
    ).encode()
    attempts = Attempts(Config())
    attempts.begin("work.py", text, None)
    assert [d.code for d in attempts.analyse(text, "work.py")] == [d.code for d in whole(text, "work.py")] != []
