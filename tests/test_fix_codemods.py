"""The fixes as libcst codemods, as ``python -m libcst.tool codemod`` runs them."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import libcst as cst
import pytest
from libcst.codemod import CodemodContext

from flake8_dbsession.fix import codemods
from flake8_dbsession.fix.codemods import MendAll

LEAK = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

engine = create_engine("sqlite://")


def save(model):
    session = Session(engine)  # opened
    session.add(model)
    session.commit()
    session.close()
"""

MENDED = """\
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

engine = create_engine("sqlite://")


def save(model):
    with Session(engine) as session:  # opened
        session.add(model)
        session.commit()
"""


def commands() -> list[type[MendAll]]:
    return [c for c in vars(codemods).values() if isinstance(c, type) and issubclass(c, MendAll)]


def run(command: type[MendAll], text: str, path: pathlib.Path) -> tuple[str, list[str]]:
    context = CodemodContext(filename=str(path))
    return command(context).transform_module(cst.parse_module(text)).code, context.warnings


@pytest.mark.parametrize("command", commands())
def test_a_command_mends_what_it_is_for_and_nothing_else(command: type[MendAll], tmp_path: pathlib.Path) -> None:
    text, warnings = run(command, LEAK, tmp_path / "x.py")
    assert text == (MENDED if command in (codemods.MendAll, codemods.UseWith) else LEAK)
    assert warnings == []


def test_every_command_says_what_it_does_and_names_its_rules() -> None:
    for command in commands():
        assert command.DESCRIPTION.endswith(".")
        assert all(code in command.DESCRIPTION for code in command.CODES)


def test_noqa_and_configuration_hold_here_too(tmp_path: pathlib.Path) -> None:
    marked = LEAK.replace("# opened", "# noqa: ORM102")
    assert run(MendAll, marked, tmp_path / "x.py")[0] == marked
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text('[tool.dbsession]\nignore = ["ORM1"]\n')
    assert run(MendAll, LEAK, inner / "x.py")[0] == LEAK


def test_what_cannot_be_mended_is_a_warning(tmp_path: pathlib.Path) -> None:
    text, warnings = run(MendAll, LEAK.replace("session.close()", "session.close()  # bye"), tmp_path / "x.py")
    assert "# bye" in text
    (warning,) = warnings
    assert warning.endswith("is not mended: a comment would be lost with the statement (an unsafe fix may do that)")


def test_libcst_s_own_tool_runs_the_commands(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(LEAK.replace("\n", "\r\n").encode())
    name = "flake8_dbsession.fix.codemods.UseWith"
    command = [sys.executable, "-m", "libcst.tool", "codemod", "-x", name, "--no-format", "-j", "1", str(path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert path.read_bytes() == MENDED.replace("\n", "\r\n").encode()
