"""How many processes a project starts, and what its server allows, each with the file and line that say so."""

from __future__ import annotations

import pathlib
import textwrap

import pytest

from flake8_dbsession.config import Pool
from flake8_dbsession.files.declared import declared_in
from flake8_dbsession.pool.factors import How
from flake8_dbsession.pool.shell import commands, expand, option
from flake8_dbsession.pool.survey import Survey


class Project:
    """A folder that files are written into."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> Project:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return self

    def survey(self, **pool: object) -> Survey:
        return Survey(str(self.folder), str(self.folder), Pool(**pool))  # type: ignore[arg-type]

    def processes(self) -> list[tuple[str, str, int | None, str, int]]:
        """Service, program, workers, and the file and line of the number."""
        return [
            (p.service, p.program, p.number, str(pathlib.Path(p.workers.path).relative_to(self.folder)), p.workers.line)
            for p in self.survey().deployment.processes
        ]


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    return Project(tmp_path)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("gunicorn -w 4 app", [["gunicorn", "-w", "4", "app"]]),
        ("exec gunicorn app", [["gunicorn", "app"]]),
        ("A=1 B=2 env C=3 gunicorn app", [["gunicorn", "app"]]),
        (
            "alembic upgrade head && gunicorn app; celery x",
            [["alembic", "upgrade", "head"], ["gunicorn", "app"], ["celery", "x"]],
        ),
        (["sh", "-c", "wait && exec /usr/bin/gunicorn app"], [["wait"], ["gunicorn", "app"]]),
        ("python -m gunicorn app", [["gunicorn", "app"]]),
        ("uv run gunicorn app", [["gunicorn", "app"]]),
        ("gunicorn 'unclosed", [["gunicorn", "'unclosed"]]),
        ("", []),
    ],
)
def test_a_command_line_is_taken_apart(command: str | list[str], words: list[list[str]]) -> None:
    assert list(commands(command, {})) == words


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("-w $N", "-w 4"),
        ("-w ${N}", "-w 4"),
        ("-w ${N:-2}", "-w 4"),
        ("-w ${M:-2}", "-w 2"),
        ("-w ${M-2}", "-w 2"),
        ("-w $M", "-w $M"),
        ("-w ${M:?not set}", "-w ${M:?not set}"),
        ("-w $$N", "-w 4"),
    ],
)
def test_variables_are_filled_in(text: str, expanded: str) -> None:
    assert expand(text, {"N": "4"}) == expanded


@pytest.mark.parametrize("text", ["-w 4", "-w4", "--workers 4", "--workers=4", "--workers 2 -w 4"])
def test_an_option_is_found_in_every_spelling(text: str) -> None:
    assert option(text.split(), ["-w", "--workers"]) == "4"


@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("gunicorn app", 1),
        ("gunicorn --workers 3 app", 3),
        ("uvicorn app:app --workers 4", 4),
        ("fastapi run --workers 4", 4),
        ("hypercorn -w 2 app", 2),
        ("granian --workers 5 app", 5),
        ("uwsgi --http :80 --processes 6", 6),
        ("celery -A shop worker -c 8", 8),
        ("celery -A shop worker --concurrency=8 -P gevent", 1),
        ("celery -A shop worker --autoscale=10,3", 10),
        ("celery -A shop worker", None),
        ("dramatiq --processes 2 shop", 2),
        ("dramatiq shop", None),
        ("rq worker high", 1),
        ("taskiq worker shop:broker", 2),
    ],
)
def test_each_program_says_in_its_own_words_how_many_processes_it_starts(
    project: Project, command: str, number: int | None
) -> None:
    project.write("Procfile", f"web: {command}\n")
    assert [row[2] for row in project.processes()] == [number]


@pytest.mark.parametrize("command", ["celery -A shop beat", "celery -A shop flower", "fastapi dev", "python manage.py"])
def test_a_program_that_takes_no_part_is_left_out(project: Project, command: str) -> None:
    project.write("Procfile", f"other: {command}\n")
    assert project.processes() == []


def test_a_number_has_the_line_of_the_file_that_says_it(project: Project) -> None:
    project.write(
        "Procfile", "release: alembic upgrade head\nweb: gunicorn -w 4 app\nworker: celery -A shop worker -c 2\n"
    )
    assert project.processes() == [
        ("web", "gunicorn", 4, "Procfile", 2),
        ("worker", "celery", 2, "Procfile", 3),
    ]


def test_gunicorn_reads_its_settings_file(project: Project) -> None:
    project.write("Procfile", "web: gunicorn app\n")
    project.write("gunicorn.conf.py", "import os\n\nworkers = int(os.getenv('GUNICORN_WORKERS', 4))\n")
    assert project.processes() == [("web", "gunicorn", 4, "gunicorn.conf.py", 3)]
    [one] = project.survey().deployment.processes
    assert (one.workers.how, one.workers.remark) == (How.VARIABLE, "GUNICORN_WORKERS replaces it")


def test_the_environment_replaces_what_the_settings_file_has_as_default(project: Project) -> None:
    project.write("Procfile", "web: gunicorn -c etc/gunicorn.py app\n")
    project.write("etc/gunicorn.py", "import os\nworkers = int(os.getenv('GUNICORN_WORKERS', 4))\n")
    project.write(".env", "# web server\nGUNICORN_WORKERS=2\n")
    assert project.processes() == [("web", "gunicorn", 2, ".env", 2)]


def test_a_number_that_depends_on_the_machine_is_unknown(project: Project) -> None:
    project.write("Procfile", "web: gunicorn app\n")
    project.write("gunicorn.conf.py", "import multiprocessing\nworkers = multiprocessing.cpu_count() * 2 + 1\n")
    [one] = project.survey().deployment.processes
    assert (one.number, one.workers.how) == (None, How.UNKNOWN)
    assert "cpu_count" in one.workers.remark


def test_celery_reads_its_settings_file(project: Project) -> None:
    project.write("Procfile", "worker: celery -A shop worker\n").write("celeryconfig.py", "worker_concurrency = 3\n")
    assert project.processes() == [("worker", "celery", 3, "celeryconfig.py", 1)]


def test_arguments_of_the_command_line_win_over_the_variable_and_the_file(project: Project) -> None:
    project.write("gunicorn.conf.py", "workers = 9\n").write(
        ".env", "GUNICORN_CMD_ARGS=--workers 3\nWEB_CONCURRENCY=7\n"
    )
    project.write("Procfile", "web: gunicorn app\n")
    assert [row[2:] for row in project.processes()] == [(3, ".env", 1)]
    project.write("Procfile", "web: gunicorn -w 5 app\n")
    assert [row[2:] for row in project.processes()] == [(5, "Procfile", 1)]


def test_services_of_a_compose_file(project: Project) -> None:
    project.write(
        "docker-compose.yml",
        """
        x-common: &common
          environment:
            WORKERS: 3
        services:
          web:
            <<: *common
            image: shop
            command: gunicorn -w ${WORKERS:-2} app
            deploy:
              replicas: 2
          worker:
            image: shop
            command: ["celery", "-A", "shop", "worker", "-c", "4"]
            environment:
              - LEVEL=info
          built:
            build: ./api
          db:
            image: postgres:16
            command: postgres -c max_connections=50
        """,
    )
    project.write("api/Dockerfile", "FROM python\nENV WEB_CONCURRENCY=6\nCMD gunicorn \\\n  app\n")
    assert project.processes() == [
        ("web", "gunicorn", 4, "docker-compose.yml", 8),
        ("worker", "celery", 4, "docker-compose.yml", 13),
        ("built", "gunicorn", 6, "api/Dockerfile", 2),
    ]
    limits = project.survey().limits("postgresql")
    assert (limits.connections.number, limits.connections.line, limits.usable) == (50, 20, 47)


def test_a_file_for_production_is_laid_over_the_common_one(project: Project) -> None:
    project.write("compose.yaml", "services:\n  web:\n    image: shop\n    command: gunicorn app\n")
    project.write("compose.prod.yaml", "services:\n  web:\n    command: gunicorn -w 4 app\n")
    project.write("compose.override.yaml", "services:\n  web:\n    command: gunicorn -w 9 app\n")
    project.write("dev/compose.yaml", "services:\n  web:\n    command: gunicorn -w 9 app\n")
    assert [row[2] for row in project.processes()] == [4]


def test_one_kind_of_file_is_believed_and_the_others_are_named(project: Project) -> None:
    project.write("compose.yaml", "services:\n  web:\n    image: shop\n    command: gunicorn -w 4 app\n")
    project.write("Procfile", "web: gunicorn -w 2 app\n").write("Dockerfile", 'CMD ["gunicorn", "-w", "3", "app"]\n')
    found = project.survey().deployment
    assert (found.kind, [p.number for p in found.processes], found.others) == (
        "compose",
        [4],
        ("Procfile", "Dockerfile"),
    )


def test_units_of_systemd_and_programs_of_supervisor(project: Project) -> None:
    project.write(
        "etc/shop.service",
        """
        [Service]
        Environment=WEB_CONCURRENCY=3
        ExecStart=/opt/shop/bin/gunicorn \\
            app
        """,
    )
    assert [row[:3] for row in project.processes()] == [("shop", "gunicorn", 3)]
    (project.folder / "etc/shop.service").unlink()
    project.write("supervisord.conf", "[program:web]\ncommand = gunicorn -w 2 app\nnumprocs = 3\n")
    assert [row[:3] for row in project.processes()] == [("web", "gunicorn", 6)]


def test_entrypoint_and_command_are_one_line_for_docker(project: Project) -> None:
    project.write("Dockerfile", 'ENTRYPOINT ["gunicorn"]\nCMD ["-w", "4", "app"]\n')
    assert [row[1:3] for row in project.processes()] == [("gunicorn", 4)]


def test_a_start_script_is_opened_unless_it_chooses(project: Project) -> None:
    project.write("Dockerfile", 'CMD ["./start.sh"]\n').write("start.sh", "#!/bin/sh\nset -e\nexec gunicorn -w 4 app\n")
    assert [row[1:] for row in project.processes()] == [("gunicorn", 4, "start.sh", 3)]
    project.write("start.sh", '#!/bin/sh\ncase "$1" in web) gunicorn -w 4 app;; esac\n')
    assert project.processes() == []


def test_an_ini_file_of_uwsgi(project: Project) -> None:
    project.write("Procfile", "web: uwsgi uwsgi.ini\n").write("uwsgi.ini", "[uwsgi]\nmaster = true\nprocesses = 5\n")
    assert project.processes() == [("web", "uwsgi", 5, "uwsgi.ini", 3)]


@pytest.mark.parametrize(
    "text",
    [
        "services: [",
        "services:\n  web: 5\n",
        "",
        "- a\n",
        "services:\n  web:\n    command: {}\n",
        "services:\n  web: &w\n    <<: *w\n",
    ],
)
def test_a_compose_file_that_cannot_be_used_says_nothing(project: Project, text: str) -> None:
    project.write("compose.yaml", text)
    assert project.processes() == []


@pytest.mark.parametrize(
    ("files", "dialect", "connections", "how", "usable"),
    [
        ({}, "mysql", 151, How.ASSUMED, 151),
        ({}, "postgresql", 100, How.ASSUMED, 97),
        ({}, "", None, How.UNKNOWN, None),
        ({"my.cnf": "[mysqld]\nmax_connections = 80 # small\n"}, "mysql", 80, How.WRITTEN, 80),
        ({"postgresql.conf": "max_connections = 40\n"}, "postgresql", 40, How.WRITTEN, 37),
        ({"compose.yaml": "services:\n  db:\n    image: mysql:8\n"}, "mysql", 151, How.WRITTEN, 151),
        ({"compose.yaml": "services:\n  db:\n    image: bitnami/postgresql:16\n"}, "postgresql", 100, How.WRITTEN, 97),
        (
            {"compose.yaml": "services:\n  db:\n    image: mariadb\n    command: --max-connections=9\n"},
            "mysql",
            9,
            How.WRITTEN,
            9,
        ),
        (
            {"compose.yaml": "services:\n  db:\n    image: mysql\n    volumes: [./my.cnf:/etc/mysql/conf.d/my.cnf]\n"},
            "mysql",
            151,
            How.ASSUMED,
            151,
        ),
    ],
)
def test_what_the_server_allows(
    project: Project, files: dict[str, str], dialect: str, connections: int | None, how: How, usable: int | None
) -> None:
    for name, text in files.items():
        project.write(name, text)
    limits = project.survey().limits(dialect)
    assert (limits.connections.number, limits.connections.how, limits.usable) == (connections, how, usable)


def test_the_user_knows_better(project: Project) -> None:
    project.write("my.cnf", "[mysqld]\nmax_connections = 80\nwait_timeout = 60\n")
    limits = project.survey(max_connections=30, reserved=5, wait_timeout=600).limits("mysql")
    assert (limits.usable, limits.connections.how, limits.idle.number) == (25, How.CONFIGURED, 600)


@pytest.mark.parametrize(
    ("files", "dialect", "driver"),
    [
        ({"requirements.txt": "PyMySQL==1.1\n"}, "mysql", "pymysql"),
        ({"requirements.txt": "psycopg2-binary\nPyMySQL\n"}, "", ""),
        ({"requirements.txt": "psycopg[binary]\nasyncpg\n"}, "postgresql", ""),
        ({"requirements-dev.txt": "pymysql\n"}, "", ""),
        (
            {".env": "DATABASE_URL=postgresql+asyncpg://u:p@db/shop\n", "requirements.txt": "pymysql\n"},
            "postgresql",
            "asyncpg",
        ),
        ({"alembic.ini": "[alembic]\nsqlalchemy.url = mysql+pymysql://u:p@db/shop\n"}, "mysql", "pymysql"),
        ({"alembic.ini": "[alembic]\nsqlalchemy.url = driver://user:pass@localhost/dbname\n"}, "", ""),
        ({"compose.yaml": "services:\n  db:\n    image: mariadb:11\n"}, "mariadb", ""),
        ({"pyproject.toml": "[tool.poetry.dependencies]\nasyncmy = '^0.2'\n"}, "mysql", "asyncmy"),
        ({"setup.cfg": "[options]\ninstall_requires =\n    pg8000\n"}, "postgresql", "pg8000"),
        ({"setup.py": "from setuptools import setup\nsetup(install_requires=['pymysql'])\n"}, "mysql", "pymysql"),
        ({"Pipfile": "[packages]\npymysql = '*'\n"}, "mysql", "pymysql"),
    ],
)
def test_which_server_the_evidence_agrees_on(
    project: Project, files: dict[str, str], dialect: str, driver: str
) -> None:
    for name, text in files.items():
        project.write(name, text)
    url = project.survey().server_url(str(project.folder / "database.py"))
    assert (url.dialect, url.driver) == (dialect, driver)


@pytest.mark.parametrize(
    ("line", "major"),
    [
        ("flask-sqlalchemy==3.0.3", 3),
        ("Flask_SQLAlchemy >= 3.1", 3),
        ("flask-sqlalchemy<3", 2),
        ("flask-sqlalchemy~=2.5", 2),
        ("flask-sqlalchemy==2.*", 2),
        ("flask-sqlalchemy", 0),
        ("flask-sqlalchemy>=2.4", 0),
        ("sqlalchemy", 0),
    ],
)
def test_which_major_release_a_requirement_leaves_open(project: Project, line: str, major: int) -> None:
    project.write("requirements.txt", f"-r base.txt\n# comment\n{line}  # why\n")
    assert declared_in(str(project.folder)).major("flask-sqlalchemy", ("2.5.1", "3.1.1")) == major


def test_a_lock_file_pins_the_release(project: Project) -> None:
    project.write("pyproject.toml", '[project]\ndependencies = ["flask-sqlalchemy"]\n')
    project.write("poetry.lock", '[[package]]\nname = "flask-sqlalchemy"\nversion = "3.1.1"\n')
    assert declared_in(str(project.folder)).major("flask-sqlalchemy", ("2.5.1", "3.1.1")) == 3


def test_poetry_writes_carets(project: Project) -> None:
    project.write(
        "pyproject.toml",
        '[tool.poetry.dependencies]\nflask-sqlalchemy = "^2.5"\ncelery = {version = "5", optional = true}\n',
    )
    declared = declared_in(str(project.folder))
    assert declared.major("flask-sqlalchemy", ("2.5.1", "3.1.1")) == 2
    assert not declared.has("celery")


def test_a_caret_keeps_the_first_number_that_is_not_zero(project: Project) -> None:
    project.write("pyproject.toml", '[tool.poetry.dependencies]\nfastapi = "^0.115.6"\nsqlmodel = "^0.0.8"\n')
    needs = declared_in(str(project.folder)).needs
    assert {name: str(need.allows) for name, need in needs.items()} == {
        "fastapi": "<0.116,>=0.115.6",
        "sqlmodel": "<0.0.9,>=0.0.8",
    }


@pytest.mark.parametrize(
    ("line", "release"),
    [
        ("fastapi==0.95.2", "0.95.2"),
        ("fastapi[all]==0.105.*", "0.105"),
        ("fastapi~=0.110.1", "0.110.1"),
        ("fastapi>=0.110,<0.118", "0.110"),
        ("fastapi<0.118", "0.106"),
        ("fastapi>=0.100", "0.118"),
        ("fastapi>=0.121", "0.121"),
        ("fastapi", "0.118"),
        ("starlette", ""),
    ],
)
def test_the_newest_release_that_a_requirement_allows(project: Project, line: str, release: str) -> None:
    project.write("requirements.txt", f"{line}\n")
    assert declared_in(str(project.folder)).newest("fastapi", ("0", "0.106", "0.118")) == release


def test_a_lock_file_says_which_release_is_installed(project: Project) -> None:
    project.write("pyproject.toml", '[project]\ndependencies = ["fastapi>=0.100"]\n')
    project.write("uv.lock", '[[package]]\nname = "fastapi"\nversion = "0.111.0"\n')
    assert declared_in(str(project.folder)).newest("fastapi", ("0", "0.106", "0.118")) == "0.111.0"


def test_files_that_cannot_be_read_say_nothing(project: Project) -> None:
    for name in (".env", "compose.yaml", "Procfile", "my.cnf", "requirements.txt", "alembic.ini", "gunicorn.conf.py"):
        (project.folder / name).symlink_to(project.folder / "nowhere")
    survey = project.survey()
    assert survey.deployment.processes == ()
    assert survey.server_url(str(project.folder / "database.py")).dialect == ""
    assert survey.limits("mysql").connections.how is How.ASSUMED
