"""Which file an import means, where several folders of a project have packages of the same name."""

from __future__ import annotations

import itertools
import os
import pathlib
import textwrap

import pytest

from flake8_dbsession.analyze import analyze
from flake8_dbsession.config import Config
from flake8_dbsession.files.folders import Folders
from flake8_dbsession.project.functions.flows import Flows
from flake8_dbsession.project.project import Project
from flake8_dbsession.source import Source

SYNC = """
    from sqlalchemy import create_engine
    from sqlalchemy.orm import sessionmaker

    Session = sessionmaker(create_engine("mysql://"))
"""
ELSEWHERE = """
    from requests import Session
"""
USE = """
    from app.store import Session

    def ask(number):
        session = Session()
        return session.get(Parcel, number).weight
"""
WANTED = {"one": ["ORM101"], "other": []}


@pytest.fixture
def services(tmp_path, monkeypatch):
    """Two services side by side, each with a package ``app``."""
    for service, store in (("one", SYNC), ("other", ELSEWHERE)):
        folder = tmp_path / f"service-{service}" / "app"
        folder.mkdir(parents=True)
        for name, text in (("__init__", ""), ("store", store), ("use", USE)):
            (folder / f"{name}.py").write_text(textwrap.dedent(text))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("order", list(itertools.permutations(["one", "other", "one"])))
def test_each_file_gets_the_package_beside_it(services, order):
    project = Project(Config())
    for service in order:
        found = analyze(Source.read(f"service-{service}/app/use.py"), project)
        assert [d.code for d in found if d.code < "ORM41"] == WANTED[service]


def test_a_file_is_found_by_its_path_where_another_has_its_name(services):
    project = Project(Config())
    analyze(Source.read("service-one/app/use.py"), project)
    module = project.modules.at(str(services / "service-other" / "app" / "store.py"))
    assert module is not None
    assert module.source.data.startswith(b"\nfrom requests")


def test_a_folder_is_looked_at_once_and_one_that_is_not_there_never(tmp_path: pathlib.Path, monkeypatch) -> None:
    (tmp_path / "app" / "models").mkdir(parents=True)
    (tmp_path / "app" / "models" / "user.py").touch()
    looked_at: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: looked_at.append(str(folder)) or scandir(folder))
    folders = Folders()
    assert not folders.has_file(str(tmp_path / "user.py"))
    for _ in range(2):
        assert folders.has_file(str(tmp_path / "app" / "models" / "user.py"))
        assert not folders.has_file(str(tmp_path / "app" / "views" / "user.py"))
        assert not folders.has_file(str(tmp_path / "lib" / "deep" / "user.py"))
    assert looked_at == [str(tmp_path), str(tmp_path / "app" / "models"), str(tmp_path / "app" / "views")]


@pytest.mark.parametrize("beside", ["main", "json"])
def test_a_script_with_the_name_of_another_leaves_what_is_known_of_the_package_they_use(tmp_path, monkeypatch, beside):
    """So does a module beside it, which is named like one that the package imports for something else."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "mail.py").write_text(
        "import json\nimport requests\n\ndef tell(text):\n    requests.post('https://mail', data=text)\n"
        "\ndef pack(text):\n    return json.dumps(text)\n"
    )
    script = """
        from shop.mail import pack, tell
        from sqlalchemy.orm import Session

        def ask(session: Session, number):
            tell(pack(session.get(Parcel, number).address))
    """
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "main.py").write_text(textwrap.dedent(script))
    (tmp_path / "other" / f"{beside}.py").touch()
    monkeypatch.chdir(tmp_path)
    followed: list[str] = []
    flow = Flows.flow

    def follow(self, module, body, *rest, **how):
        followed.append(body.name)
        return flow(self, module, body, *rest, **how)

    monkeypatch.setattr(Flows, "flow", follow)
    project = Project(Config())
    for folder in ("one", "other"):
        found = analyze(Source.read(f"{folder}/main.py"), project)
        assert [d.code for d in found] == ["ORM202"]
    assert followed.count("tell") == 1


@pytest.mark.parametrize("before", [[], ["server/main.py"]])
def test_a_file_is_called_the_same_whichever_was_analysed_before(tmp_path, monkeypatch, before):
    """The imports of one program show where they start from; a script further inside has none that do."""
    for path, text in {
        "server/core/store.py": "",
        "server/main.py": "from core.store import Parcel\n",
        "server/tools/tidy.py": "",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.chdir(tmp_path)
    modules = Project(Config()).modules
    names = [modules.of_file(Source.read(path)).name for path in [*before, "server/tools/tidy.py"]]
    assert names[-1] == "server.tools.tidy"


@pytest.mark.parametrize("before", [[], ["shop/main.py"]])
def test_a_file_that_another_program_knows_by_another_name_is_found_by_its_own(tmp_path, monkeypatch, before):
    """``main`` is run in its folder, and so calls ``upkeep`` by a shorter name than what ``upkeep`` imports shows."""
    for path, text in {
        "shop/store.py": SYNC,
        "shop/main.py": """
            from jobs.upkeep import tidy
            from sqlalchemy.orm import Session

            def run(session: Session):
                return tidy(session.get(Parcel, 1).number)
        """,
        "shop/jobs/upkeep.py": """
            from shop.store import Session

            def taken(number):
                return Session()

            def tidy(number):
                session = taken(number)
                return session.get(Parcel, number).weight
        """,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(textwrap.dedent(text))
    monkeypatch.chdir(tmp_path)
    project = Project(Config())
    found = [analyze(Source.read(path), project) for path in [*before, "shop/jobs/upkeep.py"]]
    assert [d.code for d in found[-1]] == ["ORM101"]


@pytest.mark.parametrize("before", [[], ["server/app/cli.py"]])
def test_a_package_is_called_as_it_is_imported_whichever_file_was_analysed_before(tmp_path, monkeypatch, before):
    """The packages of a project inside a repository begin where its imports start, and not at the repository's root."""
    for path, text in {
        "server/app/__init__.py": "",
        "server/app/store.py": "",
        "server/app/jobs.py": "from app.store import Parcel\n\ndef tidy(session):\n    session.query(Parcel)\n",
        "server/app/cli.py": """
            from app.jobs import tidy
            from sqlalchemy.orm import Session

            def run(session: Session):
                tidy(session)
        """,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(textwrap.dedent(text))
    monkeypatch.chdir(tmp_path)
    project = Project(Config())
    for path in before:
        analyze(Source.read(path), project)
    assert project.modules.of_file(Source.read("server/app/jobs.py")).name == "app.jobs"


@pytest.mark.parametrize("before", [[], ["backend/server/routes.py"]])
@pytest.mark.parametrize("source", ["backend/", "backend/src/"])
def test_a_file_that_shows_no_start_is_called_from_the_project_around_it(tmp_path, monkeypatch, before, source):
    """Others import it from there, and what is injected is known by its name alone."""
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend/pyproject.toml").write_text('[project]\nname = "parcels"\nversion = "1"\n')
    for path, text in {
        "server/database.py": "import sqlalchemy\n\ndef get_db(): ...\n",
        "server/routes.py": "from server.database import get_db\nfrom sqlalchemy.orm import Session\n",
    }.items():
        (tmp_path / source / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / source / path).write_text(text)
    monkeypatch.chdir(tmp_path)
    project = Project(Config())
    for path in before:
        analyze(Source.read(path.replace("backend/", source)), project)
    assert project.modules.of_file(Source.read(f"{source}server/database.py")).name == "server.database"


def test_a_file_that_imports_nothing_is_called_as_the_others_of_its_package_call_each_other(tmp_path, monkeypatch):
    """The package stands in a folder that is not marked as one, and its name comes up further on in their imports."""
    for path, text in {
        "shop/oven/__init__.py": "",
        "shop/oven/store.py": "",
        "shop/oven/use.py": "from shop.oven import store\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.chdir(tmp_path)
    assert Project(Config()).modules.of_file(Source.read("shop/oven/store.py")).name == "shop.oven.store"


@pytest.mark.parametrize(("marked", "is_found"), [("shop/__init__.py", False), ("beside/__init__.py", True)])
def test_imports_start_from_the_folder_of_a_script_but_not_from_one_inside_a_package(
    tmp_path, monkeypatch, marked, is_found
):
    for path in (marked, "shop/clients/types.py", "shop/clients/use.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    monkeypatch.chdir(tmp_path)
    modules = Project(Config()).modules
    assert modules.of_file(Source.read("shop/clients/use.py")).name == "shop.clients.use"
    assert (modules.find("types") is not None) == is_found


@pytest.mark.parametrize("before", [[], ["src/start.py"]])
def test_a_package_inside_another_is_called_as_most_files_there_call_it(tmp_path, monkeypatch, before):
    """A program that is started inside of ``src``, which is marked as a package all the same."""
    write(
        tmp_path,
        {
            "src/__init__.py": "",
            "src/start.py": "from shop.oven import use\n",
            "src/shop/__init__.py": "",
            "src/shop/oven/__init__.py": "",
            "src/shop/oven/store.py": "",
            "src/shop/oven/use.py": "from shop.oven import store\n",
            "src/shop/oven/other.py": "from src.shop.oven import store\n",
            "src/shop/oven/more.py": "import shop.oven.store\n",
        },
    )
    monkeypatch.chdir(tmp_path)
    project = Project(Config())
    for path in before:
        analyze(Source.read(path), project)
    modules = project.modules
    assert modules.of_file(Source.read("src/shop/oven/store.py")).name == "shop.oven.store"
    assert modules.of_file(Source.read("src/shop/oven/use.py")).name == "shop.oven.use"
    assert modules.of_file(Source.read("src/shop/__init__.py")).name == "shop"
    assert modules.find("shop.oven.store") is not None


def test_a_package_with_the_name_of_a_library_is_called_by_its_place(tmp_path, monkeypatch):
    write(
        tmp_path,
        {
            "shop/__init__.py": "",
            "shop/email/__init__.py": "",
            "shop/email/outbox.py": "",
            "shop/email/letters.py": "from email.message import EmailMessage\nfrom email.mime.text import MIMEText\n",
            "shop/use.py": "from shop.email import outbox\n",
        },
    )
    monkeypatch.chdir(tmp_path)
    modules = Project(Config()).modules
    assert modules.of_file(Source.read("shop/email/outbox.py")).name == "shop.email.outbox"
    assert modules.of_file(Source.read("shop/email/letters.py")).name == "shop.email.letters"


def write(folder: pathlib.Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
