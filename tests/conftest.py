"""What all tests share: the option that writes golden files anew, and a collector that does its work between them."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="write the golden files of the fixtures anew")


@pytest.fixture(autouse=True)
def _collecting() -> Iterator[None]:
    """A run of the command collects seldom, since its process ends with it; that of the tests goes on."""
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()
