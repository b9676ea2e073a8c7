"""While files are checked the interpreter looks for no garbage; afterwards it does what it did before."""

from __future__ import annotations

import ast
import gc
import weakref

import pytest

from flake8_dbsession.config import Config
from flake8_dbsession.plugin import Plugin
from flake8_dbsession.run import check_text, no_collections

TEXT = "from sqlalchemy.orm import Session\n\ndef all(engine):\n    return Session(engine).execute('SELECT 1')\n"


class Ring:
    """Refers to itself: only a collection frees it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def collector():
    was_enabled = gc.isenabled()
    yield
    (gc.enable if was_enabled else gc.disable)()
    gc.unfreeze()


@pytest.mark.parametrize("change", [gc.enable, gc.disable])
def test_the_collector_is_left_as_it_was(collector, change):
    change()
    before = gc.isenabled()
    with pytest.raises(ValueError, match="broken"), no_collections():
        assert not gc.isenabled()
        raise ValueError("broken")
    assert gc.isenabled() is before


def test_what_was_made_meanwhile_is_freed_by_a_full_collection_only(collector):
    gc.enable()
    with no_collections():
        ring = weakref.ref(Ring())
        assert check_text("shop.py", TEXT.encode(), Config()).diagnostics
    gc.collect(1)
    assert ring() is not None
    gc.collect()
    assert ring() is None


def test_the_plugin_leaves_nothing_to_look_through_until_the_end_of_flake8(collector):
    gc.enable()
    assert list(Plugin(ast.parse(TEXT), "shop.py", TEXT.splitlines(keepends=True)).run())
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
