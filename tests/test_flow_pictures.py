"""The graph of every kind of statement, as text: ``tests/golden/flow.txt``.

``pytest tests/test_flow_pictures.py --bless`` draws the graphs of the programs in that file anew, as far as the
running Python can read them; look at the difference before you commit it.
"""

from __future__ import annotations

import ast
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest

from flake8_dbsession.flow.graph import Kind, build
from flake8_dbsession.flow.show import show

GOLDEN = Path(__file__).parent / "golden" / "flow.txt"


class Section(NamedTuple):
    """A program and its graph; ``since`` is the Python that can read it."""

    title: str
    since: tuple[int, ...]
    program: str
    graph: str

    def __str__(self) -> str:
        since = ".".join(map(str, self.since))
        return f"### {self.title} ({since})\n\n{self.program}\n{self.graph}"

    def drawn(self) -> str:
        return textwrap.indent(show(build(ast.parse(self.program).body)), "    | ")


def sections() -> list[Section]:
    found = []
    for part in GOLDEN.read_text("utf-8").split("### ")[1:]:
        heading, _, rest = part.partition("\n\n")
        title, _, since = heading.rpartition(" (")
        lines = rest.splitlines(keepends=True)
        graph = "".join(line for line in lines if line.startswith("    | "))
        program = "".join(line for line in lines if not line.startswith("    | ")).strip("\n") + "\n"
        found.append(Section(title, tuple(map(int, since.rstrip(")").split("."))), program, graph))
    return found


SECTIONS = sections()


@pytest.fixture(scope="module", autouse=True)
def _bless(request):
    if request.config.getoption("--bless"):
        new = (one._replace(graph=one.drawn()) if sys.version_info >= one.since else one for one in SECTIONS)
        GOLDEN.write_text("\n".join(map(str, new)), "utf-8")


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_a_graph_is_as_it_was_drawn(section, request):
    if sys.version_info < section.since:
        pytest.skip(f"needs Python {section.since}")
    if not request.config.getoption("--bless"):
        assert section.drawn() == section.graph


def test_every_kind_of_statement_is_drawn():
    readable = [ast.parse(section.program) for section in SECTIONS if sys.version_info >= section.since]
    drawn = {type(node) for tree in readable for node in ast.walk(tree) if isinstance(node, ast.stmt)}
    kinds = {kind for kind in vars(ast).values() if isinstance(kind, type) and kind.__base__ is ast.stmt}
    assert {kind.__name__ for kind in kinds - drawn} == set()


def test_every_kind_of_node_is_drawn():
    words = GOLDEN.read_text("utf-8")
    apart = {Kind.STATEMENT}
    assert [kind for kind in Kind if kind not in apart and f" {kind.value}" not in words] == []


@pytest.mark.skipif(sys.version_info < (3, 14), reason="needs Python 3.14")
def test_a_template_string_is_part_of_its_statement():
    graph = build(ast.parse("x = t'{a()} and {b()}'\n").body)
    assert [node.kind for node in graph.nodes if node.syntax is not None] == [Kind.STATEMENT]
