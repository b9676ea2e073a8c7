"""The arithmetic of connections: what it adds up, what it leaves open, what it proposes, and how it is printed."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ElementTree

import pytest

from flake8_dbsession.config import Config, Pool
from flake8_dbsession.model import Diagnostic, Safety
from flake8_dbsession.pool import report
from flake8_dbsession.pool.budget import UNLIMITED, Budget, budgets, fitting
from flake8_dbsession.pool.command import main
from flake8_dbsession.pool.picture import picture
from flake8_dbsession.pool.survey import Survey
from flake8_dbsession.project.project import Project
from flake8_dbsession.rules.orm413_pool_over_budget import RULE
from flake8_dbsession.source import Source
from flake8_dbsession.view import View


class Folder:
    """A project that is written file by file."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> Folder:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return self

    def engine(self, options: str, url: str = "mysql+pymysql://db/shop", name: str = "database") -> Folder:
        code = f"""
            import os
            from sqlalchemy import create_engine
            from sqlalchemy.pool import NullPool, StaticPool
            class Database:
                def __init__(self, url=None, size=None):
                    self.engine = create_engine("{url}", {options})
        """
        return self.write(f"{name}.py", code)

    def budgets(self, **pool: object) -> list[Budget]:
        return budgets(Survey(str(self.path), str(self.path), Pool(**pool)))  # type: ignore[arg-type]

    def budget(self, **pool: object) -> Budget:
        [one] = self.budgets(**pool)
        return one

    def reports(self, name: str = "database.py", **pool: object) -> list[Diagnostic]:
        config = Config(pool=Pool(**pool))  # type: ignore[arg-type]
        return list(RULE.check(View(Source.read(str(self.path / name)), Project(config, str(self.path)))))


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize(("workers", "total"), [(2, 6), (4, 12), (6, 18)])
def test_small_medium_and_large_servers_with_a_pool_of_one_and_two(folder: Folder, workers: int, total: int) -> None:
    folder.engine("pool_size=1, max_overflow=2").write("Procfile", f"web: gunicorn -w {workers} app\n")
    assert folder.budget().total == total


@pytest.mark.parametrize(
    ("usable", "processes", "size", "overflow", "total"),
    [
        (15, 4, 1, 2, 12),
        (6, 2, 1, 2, 6),
        (12, 4, 1, 2, 12),
        (18, 6, 1, 2, 18),
        (4, 4, 1, 0, 4),
        (8, 4, 1, 1, 8),
        (151, 4, 12, 25, 148),
    ],
)
def test_what_fits(usable: int, processes: int, size: int, overflow: int, total: int) -> None:
    fit = fitting(usable, processes)
    assert fit is not None
    assert (fit.size, fit.overflow, fit.total) == (size, overflow, total)
    assert fit.total <= usable


def test_nothing_fits_where_there_are_more_processes_than_connections() -> None:
    assert fitting(3, 4) is None


def test_four_workers_on_a_server_for_fifteen(folder: Folder) -> None:
    folder.engine("pool_size=int(os.getenv('SIZE', 2)), max_overflow=3")
    folder.write(
        "compose.yaml",
        """
        services:
          web:
            image: shop
            command: gunicorn -w 4 app
          db:
            image: mysql:8
            command: --max_connections=15
        """,
    )
    one = folder.budget()
    assert (one.total, one.limits.usable, one.verdict, one.is_proven) == (20, 15, "over", True)
    assert one.fit() == fitting(15, 4)


def test_processes_engines_and_services_are_added_up(folder: Folder) -> None:
    folder.engine("pool_size=1, max_overflow=1").engine("pool_size=2, max_overflow=2", name="reports")
    folder.write("Procfile", "web: gunicorn -w 3 app\nworker: celery -A shop worker -c 2\n")
    one = folder.budget()
    assert (one.process_count, one.parts[0].capacity, one.total) == (5, 6, 30)


def test_engines_on_different_servers_have_budgets_of_their_own(folder: Folder) -> None:
    folder.engine("pool_size=1").engine("pool_size=2", url="postgresql+psycopg://db/shop", name="reports")
    assert [(b.limits.kind, b.parts[0].capacity) for b in folder.budgets()] == [("mysql", 11), ("postgresql", 12)]


@pytest.mark.parametrize(
    ("options", "url"),
    [("poolclass=NullPool", "mysql+pymysql://db/shop"), ("", "sqlite://"), ("poolclass=StaticPool", "sqlite://")],
)
def test_an_engine_that_pools_nothing_takes_no_part(folder: Folder, options: str, url: str) -> None:
    assert folder.engine(options, url).budget().shares == ()


def test_branches_of_one_function_count_once(folder: Folder) -> None:
    folder.write(
        "database.py",
        """
        from sqlalchemy import create_engine
        def make(kind):
            if kind == "large":
                return create_engine("mysql+pymysql://db/shop", pool_size=20, max_overflow=0)
            else:
                return create_engine("mysql+pymysql://db/shop", pool_size=5, max_overflow=0)
        """,
    )
    assert folder.budget().parts[0].capacity == 20


def test_tests_scripts_and_migrations_take_no_part(folder: Folder) -> None:
    for name in ("tests/test_shop", "scripts/fill", "migrations/env", "conftest"):
        folder.engine("pool_size=5", name=name)
    assert folder.budget().shares == ()


def test_an_unknown_number_of_processes_is_one_at_least(folder: Folder) -> None:
    folder.engine("pool_size=5, max_overflow=0").write(
        "Procfile", "web: gunicorn -w 2 app\nworker: celery -A shop worker\n"
    )
    one = folder.budget(max_connections=100)
    assert (one.total, one.at_least, one.verdict) == (None, 15, "unknown")
    assert [f.remark for f in one.missing] == ["celery starts one process for each CPU"]
    assert folder.budget(max_connections=14).verdict == "over"


def test_an_unknown_size_leaves_the_verdict_open(folder: Folder) -> None:
    one = folder.engine("pool_size=size").budget(max_connections=100, processes=2)
    assert (one.total, one.verdict, [f.title for f in one.missing]) == (None, "unknown", ["pool_size"])


@pytest.mark.parametrize("options", ["max_overflow=-1", "pool_size=0"])
def test_a_pool_without_a_limit_fits_nowhere(folder: Folder, options: str) -> None:
    one = folder.engine(options).budget(max_connections=100, processes=1)
    assert (one.total, one.verdict) == (UNLIMITED, "over")


def test_the_environment_of_the_deployment_replaces_defaults(folder: Folder) -> None:
    folder.engine("pool_size=int(os.getenv('POOL_SIZE', 2)), max_overflow=0").write(".env", "A=1\nPOOL_SIZE=7\n")
    [share] = folder.budget().shares
    assert (share.size.number, pathlib.Path(share.size.path).name, share.size.line) == (7, ".env", 2)


def test_what_the_user_says_about_processes_wins(folder: Folder) -> None:
    folder.engine("pool_size=1, max_overflow=0").write("Procfile", "web: gunicorn -w 3 app\n")
    assert folder.budget(processes=10).total == 10
    assert folder.budget(workers=(("web", 4), ("jobs", 2))).total == 6


def test_flask_sqlalchemy_has_the_options_of_production_and_an_engine_for_each_bind(folder: Folder) -> None:
    folder.write("requirements.txt", "flask-sqlalchemy>=3.1\npymysql\n")
    folder.write("extensions.py", "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n")
    folder.write(
        "config.py",
        """
        class Config:
            SQLALCHEMY_ENGINE_OPTIONS = {"pool_size": 1}
        class TestingConfig(Config):
            SQLALCHEMY_ENGINE_OPTIONS = {"pool_size": 100}
        class ProductionConfig(Config):
            SQLALCHEMY_ENGINE_OPTIONS = {"pool_size": 4, "max_overflow": 2}
            SQLALCHEMY_BINDS = {"reports": "mysql+pymysql://reports/shop"}
        """,
    )
    one = folder.budget(processes=2)
    assert (len(one.shares), one.parts[0].capacity, one.total) == (2, 12, 24)


def test_the_defaults_of_flask_sqlalchemy_2_on_mysql_are_larger(folder: Folder) -> None:
    folder.write("requirements.txt", "flask-sqlalchemy<3\npymysql\n")
    folder.write("extensions.py", "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n")
    assert folder.budget().parts[0].capacity == 20


# -- the rule


def test_the_rule_names_every_factor_with_its_place(folder: Folder) -> None:
    folder.engine("pool_size=20, max_overflow=50").write("Procfile", "web: gunicorn -w 4 app\n")
    folder.write("my.cnf", "[mysqld]\nmax_connections = 200\n")
    [one] = folder.reports()
    assert one.message == "4 processes × (20 + 50) = 280 connections, MySQL takes 200 (max_connections 200)"
    assert [(n.path, n.span.line) for n in one.notes] == [("Procfile", 1), ("my.cnf", 2)]
    assert one.plan is not None
    assert one.plan.safety is Safety.DISPLAY
    assert "pool_size=16, max_overflow=34" in one.plan.title


@pytest.mark.parametrize(
    ("options", "pool", "reported"),
    [
        ("pool_size=50, max_overflow=101", {}, False),
        ("pool_size=50, max_overflow=102", {}, True),
        ("pool_size=20", {"processes": 4}, False),
        ("pool_size=30, max_overflow=20", {"processes": 4}, False),
        ("pool_size=30, max_overflow=20", {"processes": 4, "max_connections": 151}, True),
        ("pool_size=size", {"processes": 400, "max_connections": 10}, False),
        ("pool_size=10, max_overflow=0", {"processes": 4, "max_connections": 40}, False),
        ("pool_size=10, max_overflow=0", {"processes": 4, "max_connections": 40, "reserved": 1}, True),
        ("**url", {"processes": 400, "max_connections": 10}, False),
    ],
)
def test_the_rule_is_silent_where_it_would_have_to_guess(
    folder: Folder, options: str, pool: dict[str, object], reported: bool
) -> None:
    assert bool(folder.engine(options).reports(**pool)) == reported


# -- what is printed


@pytest.fixture
def over(folder: Folder) -> Folder:
    folder.engine("pool_size=int(os.getenv('SIZE', 2)), max_overflow=3").write("Procfile", "web: gunicorn -w 4 app\n")
    return folder.write("pyproject.toml", '[tool.dbsession.pool]\nserver = "mysql"\nmax-connections = 15\n')


def test_the_command_prints_the_derivation_the_verdict_and_what_fits(
    over: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(over.path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines[4:9]] == [
        "processes of web (gunicorn)",
        "pool_size at database.py:6",
        "+ max_overflow at database.py:6",
        "max_connections",
        "− reserved",
    ]
    [size] = [line for line in lines if line.startswith("pool_size")]
    assert size.split() == [
        "pool_size",
        "at",
        "database.py:6",
        "2",
        "database.py:6",
        "unless",
        "SIZE",
        "says",
        "otherwise",
    ]
    assert "4 processes × 5 connections each = 20" in lines
    assert "It does not fit: the server will refuse connections." in lines
    assert "  pool_size=1, max_overflow=2: 4 processes × (1 + 2) = 12 connections" in lines
    assert [line.split() for line in lines[-3:]] == [
        ["2", "2", "5", "14"],
        ["4", "1", "2", "12"],
        ["6", "1", "1", "12"],
    ]


def test_the_command_prints_the_same_for_scripts(over: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(over.path), "--output-format", "json"]) == 1
    [one] = json.loads(capsys.readouterr().out)
    assert (one["verdict"], one["total"], one["usable"]) == ("over", 20, 15)
    assert one["fits"] == {"pool_size": 1, "max_overflow": 2, "connections": 12}
    assert one["processes"][0]["workers"] == {
        "number": 4,
        "filename": "Procfile",
        "row": 1,
        "how": "written",
        "remark": "",
    }
    assert one["engines"][0]["pool_size"]["how"] == "variable"
    assert one["max_connections"]["how"] == "configured"


def test_the_command_says_what_it_does_not_know(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.engine("pool_size=size").write("Procfile", "worker: celery -A shop worker\n")
    assert main([str(folder.path)]) == 0
    out = capsys.readouterr().out
    assert "Cannot be said: a number that decides is unknown." in out
    assert "  workers: celery starts one process for each CPU" in out
    assert "max_connections is MySQL's default: set max-connections in [tool.dbsession.pool]" in out


def test_a_project_without_engines_has_an_empty_budget(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder.path)]) == 0
    assert "1 or more processes × 0 connections each" in capsys.readouterr().out


@pytest.mark.parametrize("path", ["nowhere", "pyproject.toml"])
def test_the_command_refuses_what_is_no_folder(over: Folder, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(over.path / path)]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_the_command_refuses_a_configuration_that_cannot_be_used(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write("pyproject.toml", "[tool.dbsession.pool]\nmax-connection = 15\n")
    assert main([str(folder.path)]) == 2
    assert "max-connection" in capsys.readouterr().err


def test_the_picture_is_an_image_that_says_in_words_what_it_shows(over: Folder) -> None:
    [one] = over.budgets(max_connections=15)
    svg = ElementTree.fromstring(picture(one))
    assert svg.attrib["aria-label"] == "20 of 15 connections"
    bars = [r for r in svg.iter("{http://www.w3.org/2000/svg}rect") if r.attrib["height"] == "22"]
    widths = [float(bar.attrib["width"]) for bar in bars]
    assert widths[:2] == widths[2:]  # one service, and the sum of all
    assert widths[0] / widths[1] == pytest.approx(2 / 3, rel=0.01)
    assert len(list(svg.iter("{http://www.w3.org/2000/svg}line"))) == 1


def test_there_is_no_picture_without_an_engine(folder: Folder) -> None:
    assert picture(folder.budget()) == ""


def test_the_names_in_a_picture_are_escaped(folder: Folder) -> None:
    folder.engine("pool_size=1").write(
        "compose.yaml", 'services:\n  "a<b>&c":\n    image: x\n    command: gunicorn app\n'
    )
    ElementTree.fromstring(picture(folder.budget()))


def test_the_report_is_the_same_from_one_run_to_the_next(over: Folder) -> None:
    first = report.text(over.budgets(max_connections=15), str(over.path))
    assert first == report.text(over.budgets(max_connections=15), str(over.path))


def test_the_rules_load_nothing_heavy() -> None:
    code = "import sys, flake8_dbsession.rules.orm413_pool_over_budget; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"yaml", "packaging", "configparser", "libcst", "argparse"} & set(loaded) == set()
