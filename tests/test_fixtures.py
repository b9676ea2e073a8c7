"""Every fixture is reported exactly where it says so, and fixed exactly as its golden file shows."""

from __future__ import annotations

import ast
import pathlib

import pytest
from flake8_dbsession.source import Source
from wants import FIXTURES, Want, fixture_files, wants, without_wants

FILES = fixture_files()


def identify(path: pathlib.Path) -> str:
    return str(path.relative_to(FIXTURES).with_suffix(""))


@pytest.mark.parametrize("path", FILES, ids=identify)
def test_what_a_fixture_expects_can_be_read(path: pathlib.Path) -> None:
    source = Source.read(str(path))
    expected = wants(source)
    assert [want.line for want in expected] == sorted(want.line for want in expected)
    assert len(ast.parse(without_wants(source)).body) == len(source.tree.body)
    assert ast.get_docstring(source.tree), "the first line of a fixture says what it is about"
