"""Tables of the user's own say what ours say, and what is wrong with them is said with file, key and nearest key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import tomli
from doors import dbsession, lay

from flake8_dbsession.analyze import analyze
from flake8_dbsession.known import DATA, Known, own
from flake8_dbsession.project.project import Project
from flake8_dbsession.settings.reading import ConfigError, from_table, load
from flake8_dbsession.source import Source

TABLES = """\
[calls."acme.Client"]
network = "send"
what = "the parcel service"
makes."acme.Receipt" = "send"

[calls."acme.Express"]
extends = "acme.Client"
network = "send"
timeout.send = "1:patience"

[calls."acme.Session"]
extends = "requests.Session"

[[entry]]
framework = "acme"
kind = "consumer"
runs = "thread"
decorators."acme.Client" = "on_parcel"
methods."acme.Handler" = "handle_*"
sets."acme.Client" = "on_return"
functions."parcel, depot" = "*_handler"
calls."acme.Client.subscribe" = { callable = "1:callback", rest = true }

[[convention]]
framework = "acme"
kind = "consumer"
receivers = "parcels"
attributes = "arrived"
"""
CODE = """\
import acme
from sqlalchemy import create_engine, select
from sqlalchemy.orm import scoped_session, sessionmaker

Session = sessionmaker(create_engine("sqlite://"))
registry = scoped_session(Session)
client = acme.Client()


def announce(order):
    with Session() as session:
        session.add(order)
        session.flush()
        client.send(order)


@client.on_parcel
def arrived(number):
    registry.execute(select(number)).all()
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lay(tmp_path, **{"shop.py": CODE, "tables.toml": TABLES, "dbsession.toml": 'known = ["tables.toml"]\n'})


def codes(config):
    return [report.code for report in analyze(Source.read("shop.py"), Project(config, "."))]


def test_own_tables_count_as_ours_do(project):
    assert not {"ORM202", "ORM103"} & set(codes(load(".", isolated=True)))
    assert {"ORM202", "ORM103"} <= set(codes(load(".")))
    done = dbsession("check", "--output-format=concise", "--select=ORM202", cwd=project)
    assert "shop.py:14:9: ORM202 " in done.stdout


def test_each_part_of_a_table_is_understood(project):
    known = Known(own=own.read(["tables.toml"]))
    assert (known.call("acme.Client.send").kind, known.call("acme.Client.send").makes) == ("network", "acme.Receipt")
    assert known.call("acme.Client.send").what == "the parcel service"
    assert known.call("acme.Express.send").timeout.keyword == "patience"
    assert known.call("acme.Session.get").what == "an HTTP request"
    assert known.decorator("acme.Client.on_parcel").kind == "consumer"
    assert known.method("acme.Handler", "handle_damage").runs == "thread"
    assert known.handover("acme.Client.subscribe").rest
    assert known.decorator_by_convention("parcels", "arrived").framework == "acme"
    assert known.call("requests.get").kind == "network"


def test_own_tables_have_the_last_word(project):
    (project / "tables.toml").write_text('[calls.requests]\nquiet = "get"\n')
    assert Known(own=own.read(["tables.toml"])).call("requests.get").kind == ""
    (project / "more.toml").write_text('[calls.requests]\nwait = "get"\n')
    assert Known(own=own.read(["tables.toml", "more.toml"])).call("requests.get").kind == "wait"


def test_files_are_named_from_where_they_are_named(project):
    lay(project, **{"shared/own.toml": TABLES, "shared/dbsession.toml": 'known = ["own.toml"]\n'})
    (project / "dbsession.toml").write_text('extend = "shared/dbsession.toml"\nknown = ["tables.toml"]\n')
    config = load(".")
    assert [os.path.relpath(path) for path in config.known] == ["shared/own.toml", "tables.toml"]
    assert len(tomli.loads(TABLES)["entry"]) * 2 == config.tables.count('"on_parcel"')


def test_a_change_of_a_table_is_noticed(project):
    for path in project.iterdir():
        os.utime(path, (1_600_000_000, 1_600_000_000))
    assert "ORM202" in dbsession("check", cwd=project).stdout
    (project / "tables.toml").write_text(TABLES.replace('network = "send"', 'quiet = "send"'))
    assert "ORM202" not in dbsession("check", cwd=project).stdout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[entri]]", "unknown key 'entri'; did you mean 'entry'?"),
        ("[entry]", "entry: expected a list of tables: two brackets around the name"),
        ('[[entry]]\nframework = "x"', "entry: number 1: 'kind' is missing"),
        ('[[entry]]\nframework = "x"\nkind = "consumers"', "entry: number 1: kind: expected 'request' or "),
        (
            '[[entry]]\nframework = "x"\nkind = "bot"\ndecorator."a.B" = "c"',
            "entry: number 1: unknown key 'decorator'; did you mean 'decorators'?",
        ),
        (
            '[[entry]]\nframework = "x"\nkind = "bot"\ndecorators.a.B = "c"',
            "entry: number 1: decorators: a: expected a string, not {'B': 'c'} (dotted names as keys stand in quotes)",
        ),
        (
            '[[entry]]\nframework = "x"\nkind = "bot"\ncalls."a.b" = { callable = "x y" }',
            "entry: number 1: calls: a.b: callable: expected an argument such as '1:timeout', '0' or 'timeout', not ",
        ),
        ('[calls.acme]\nnetwrk = "get"', "calls: acme: unknown key 'netwrk'; did you mean 'network'?"),
        ('[calls.acme]\ndeep = "yes"', "calls: acme: deep: expected true or false, not 'yes'"),
        ("[calls.acme]\ntimeout.get = 3", "calls: acme: timeout: get: expected a string, not 3"),
        ('[calls.acme]\nextends = "acme.Clint"', "calls: acme: extends: nothing is known of 'acme.Clint'"),
        (
            '[calls.a]\nextends = "b"\n[calls.b]\nextends = "a"',
            "calls: a: extends: a extends this one in turn",
        ),
        ("calls = 3", "calls: expected a table, not 3"),
        ("nonsense", "is not TOML: "),
    ],
)
def test_what_is_wrong_is_said_with_file_and_key(project, text, told):
    (project / "tables.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(".")
    assert str(raised.value).startswith(f"{project}/tables.toml: {told}")
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_an_error_of_the_command(project):
    (project / "tables.toml").unlink()
    done = dbsession("check", cwd=project)
    assert done.returncode == 2
    assert done.stderr == f"dbsession: {project}/tables.toml: cannot be read: No such file or directory\n"


def test_our_own_tables_have_the_shape_that_is_asked_for():
    entries = tomli.loads((DATA / "entries.toml").read_text("utf-8"))
    own.check({"entry": entries["entry"], "convention": entries["convention"]})
    for path in sorted((DATA / "calls").glob("*.toml")):
        own.check({"calls": tomli.loads(path.read_text("utf-8"))})


def test_the_examples_of_the_documentation_can_be_read(tmp_path):
    page = (Path(__file__).parents[1] / "docs" / "tables.md").read_text("utf-8")
    [setting, *tables] = [block.partition("```")[0] for block in page.split("```toml\n")[1:]]
    assert from_table(tomli.loads(setting)["tool"]["dbsession"], "here") == {"known": ("tables.toml",)}
    for number, table in enumerate(tables):
        (tmp_path / f"{number}.toml").write_text(table)
    known = Known(own=own.read([str(path) for path in sorted(tmp_path.iterdir())]))
    assert known.call("acme.AsyncClient.fetch").kind == "network"
    assert known.decorator("acme.Client.on_parcel").cleans_flask_sqlalchemy
