"""The command looks for no garbage in its short life; a process that stays does what it did before."""

from __future__ import annotations

import ast
import gc
import sys

import pytest

from flake8_dbsession import __main__, cli
from flake8_dbsession.config import Config
from flake8_dbsession.flow.graph import Graph
from flake8_dbsession.plugin import Plugin
from flake8_dbsession.run import check_files, few_collections, project
from flake8_dbsession.session.flow import Flow
from flake8_dbsession.session.state import State
from flake8_dbsession.view import View

TEXT = "from sqlalchemy.orm import Session\n\ndef all(engine):\n    return Session(engine).execute('SELECT 1')\n"
OFTEN = (700, 10, 10)


@pytest.fixture(autouse=True)
def _collector():
    was_enabled, threshold = gc.isenabled(), gc.get_threshold()
    gc.enable()
    gc.set_threshold(*OFTEN)
    yield
    gc.set_threshold(*threshold)
    (gc.enable if was_enabled else gc.disable)()
    gc.unfreeze()
    project.cache_clear()


@pytest.mark.parametrize(("subcommand", "is_enabled"), [("check", False), ("fix", False), ("server", True)])
def test_only_what_stays_collects(monkeypatch, subcommand, is_enabled):
    seen = []
    monkeypatch.setattr(sys, "argv", ["dbsession", subcommand])
    monkeypatch.setattr(cli, "main", lambda: seen.append(gc.isenabled()) or 7)
    assert __main__.main() == 7
    assert seen == [is_enabled]
    assert gc.get_freeze_count() > 0


def test_the_collector_is_left_as_it_was():
    with pytest.raises(ValueError, match="broken"), few_collections():
        assert gc.get_threshold() > OFTEN
        raise ValueError("broken")
    assert gc.get_threshold() == OFTEN
    assert gc.isenabled()


def test_nothing_that_refers_to_itself_is_left_of_a_file_that_was_checked(tmp_path):
    (tmp_path / "shop.py").write_text(TEXT)
    gc.collect()
    gc.disable()
    before = {id(each) for each in gc.get_objects()}
    [outcome] = check_files([str(tmp_path / "shop.py")], Config(root=str(tmp_path)), jobs=1)
    new = (each for each in gc.get_objects() if id(each) not in before)
    assert outcome.diagnostics
    assert [type(each) for each in new if isinstance(each, (View, Flow, Graph, State))] == []


def test_the_plugin_leaves_nothing_to_look_through_until_the_end_of_flake8():
    assert list(Plugin(ast.parse(TEXT), "shop.py", TEXT.splitlines(keepends=True)).run())
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
