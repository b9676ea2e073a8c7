"""What only commands import, in small projects of three or four files."""

import pathlib

import pytest

from flake8_dbsession.config import Config
from flake8_dbsession.files.imports import Imported, absolute, imported_in
from flake8_dbsession.project.runs.importers import only_commands_import
from flake8_dbsession.run import project
from flake8_dbsession.source import Source

COMMAND = "import click\nfrom .reports import Daily\n"
WEB = "from fastapi import FastAPI\nfrom . import reports\napp = FastAPI()\n"
LOOP = "from shop.reports import Daily\nwhile True:\n    Daily()\n"
LOADER = "import importlib\nimportlib.import_module(NAME)\n"


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"console": COMMAND}, True),
        ({}, False),
        ({"service": "from .reports import Daily\n"}, False),
        ({"console": COMMAND, "service": "from .reports import Daily\n"}, False),
        (
            {
                "console": COMMAND,
                "service": "from .reports import Daily\n",
                "other": "import click\nimport shop.service",
            },
            True,
        ),
        ({"console": COMMAND, "web": WEB}, False),
        ({"console": COMMAND, "watch": LOOP}, False),
        ({"console": f"{COMMAND}from . import queue\n", "queue": "import pika\n"}, False),
        ({"console": f"{COMMAND}from . import queue\n", "queue": "import queue\n"}, True),
        ({"console": COMMAND, "loader": LOADER}, False),
        ({"console": COMMAND, "web": WEB.replace("reports", "orders"), "orders": ""}, True),
        (
            {"console": COMMAND, "web": WEB.replace("reports", "orders"), "orders": "from .reports import Daily\n"},
            False,
        ),
        ({"console": COMMAND, "__init__": "from .reports import Daily\n", "web": WEB.replace("reports", "db")}, False),
    ],
)
def test_what_nothing_but_commands_imports(tmp_path: pathlib.Path, others: dict[str, str], expected: bool) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (tmp_path / "pyproject.toml").write_text("")
    for name, text in {"__init__": "", "reports": "class Daily: ...\n", "db": "", **others}.items():
        (package / f"{name}.py").write_text(text)
    found = project(Config(root=str(tmp_path)))
    module = found.modules.of_file(Source.read(str(package / "reports.py")))
    assert only_commands_import(found, module) is expected


def test_imports_are_read_by_their_bytes() -> None:
    data = b"import a, b.c as d\nfrom ..e import (f,\n    g as h)\n    from . import i  # as it is\nx = 'import j'\n"
    names = [absolute(each, "shop.books.store", is_package=False) for each in imported_in(data)]
    assert names == ["a", "b.c", "shop.e", "shop.e.f", "shop.e.g", "shop.books.i"]
    assert absolute(Imported(1, b"i"), "shop.books", is_package=True) == "shop.books.i"


def test_names_in_brackets_are_read_past_comments() -> None:
    data = (
        b"from shop import (  # all of them\n    till,  # the old one\n    shelf as board,\n)\nfrom shop import (broken"
    )
    names = (b"shop", b"shop.till", b"shop.shelf", b"shop")
    assert list(imported_in(data)) == [Imported(0, name) for name in names]
