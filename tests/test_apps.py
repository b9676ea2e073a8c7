"""The small applications of ``fixtures/apps``: one is put under load here, ``tests/prove.py`` does it with all."""

from __future__ import annotations

import json
import os
import pathlib

import pytest
from pool_servers import NoServer
from proofs.apps import page
from proofs.apps.app import apps, lay_out, unfixed
from proofs.apps.figures import Moment, figures, moments
from proofs.apps.looking import Connection, Look
from proofs.apps.run import ERRORS, PoolLook, Run, run

DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"
APPS = {app.name: app for app in apps()}


def test_a_worker_that_leaks_sessions_holds_no_idle_connection_after_the_fix(tmp_path: pathlib.Path) -> None:
    app = APPS["dialogs"]
    before, after, fixed = lay_out(app, tmp_path)
    try:
        as_written, as_fixed = run(app, before), run(app, after)
    except NoServer as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no server answers: {reason}")
    assert {finding["code"] for finding in fixed.findings} == {"ORM102", "ORM301"}
    assert fixed.left == []
    assert as_written.first_answer == as_fixed.first_answer
    bad, good = figures(as_written), figures(as_fixed)
    assert bad["held idle, mean"] > 2
    assert good["held idle, mean"] <= bad["held idle, mean"] / 10
    assert good["longest idle hold"] < 5
    assert good["done"] == good["jobs"]
    assert good["pool timeouts"] == good["wrong rows"] == 0


def test_a_connection_is_held_idle_when_it_sleeps_in_a_transaction_or_out_of_its_pool() -> None:
    connections = [
        Connection(1, True, 7.0, True),  # in a transaction
        Connection(2, True, 3.0, False),  # out of its pool
        Connection(3, True, 9.0, False),  # waits in its pool
        Connection(4, True, 0.1, True),  # between two statements
        Connection(5, False, 5.0, True),  # a long statement
    ]
    pools = [PoolLook(77, 100.1, 4, frozenset({1, 2, 4, 5})), PoolLook(78, 90.0, 9, frozenset({3}))]
    seen = _run([Look(100.2, connections), Look(200.0, connections)], pools)
    assert moments(seen) == [Moment(0.2, 5, 4, 2, 7.0)]


def test_what_the_fix_says_it_has_not_fixed_is_read() -> None:
    log = "a.py:1:2: ORM202 requests.get waits\n    not fixed: display-only: why\nb.py:3:4: ORM101 fixed: open it\n"
    assert unfixed(log) == [("a.py:1:2", "ORM202", "display-only: why")]


def test_the_figures_of_a_run() -> None:
    looks = [Look(100.0 + tenth / 10, [Connection(1, True, tenth / 10, True)]) for tenth in range(10)]
    found = figures(_run(looks, []))
    assert found["held idle, mean"] == 0.7
    assert found["longest idle hold"] == 0.9
    assert found["jobs per second"] == 4
    assert found["wrong rows"] == 3
    assert found.keys() >= ERRORS.keys()


def test_the_page_says_what_the_figures_say(tmp_path: pathlib.Path) -> None:
    figures = json.loads((DOCS / "proofs.json").read_text())
    assert figures["apps"].keys() == APPS.keys()
    (tmp_path / "proofs.md").write_text((DOCS / "proofs.md").read_text())
    page.write(figures, tmp_path)
    assert page.as_json(figures) == (DOCS / "proofs.json").read_text()
    for file in tmp_path.iterdir():
        assert file.read_text() == (DOCS / file.name).read_text(), "run: python tests/prove.py --write"


def _run(looks: list[Look], pools: list[PoolLook]) -> Run:
    errors = dict.fromkeys(ERRORS, 0)
    return Run({}, {"jobs": 9, "done": 8, "seconds": 2.0}, [], 3, looks, pools, errors, (100.0, 150.0))
