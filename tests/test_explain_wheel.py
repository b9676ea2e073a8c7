"""The wheel carries what the command reads at run time."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_every_file_of_the_package_is_in_it(names):
    command = ["git", "ls-files", "src/flake8_dbsession"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode or not listed.stdout:
        pytest.skip("not a checkout")
    assert {line.removeprefix("src/") for line in listed.stdout.splitlines()} <= names


def test_the_examples_are_in_it_and_nothing_else_of_the_fixtures(names):
    examples = {name for name in names if name.startswith("flake8_dbsession/examples/")}
    assert {pathlib.PurePosixPath(name).parent.name for name in examples} == {
        path.name for path in (ROOT / "fixtures").glob("ORM*")
    }
    assert {pathlib.PurePosixPath(name).name.partition(".")[0] for name in examples} == {"example"}
