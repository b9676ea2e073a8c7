"""The configuration: what it answers, how files are found and read, and what is said of a wrong one."""

from __future__ import annotations

import pytest

from flake8_dbsession.config import Config, inside
from flake8_dbsession.settings.reading import KEYS, POOL_KEYS, ConfigError, find, from_file, from_table, load


def config(**fields):
    return Config(root="/project", **fields)


@pytest.mark.parametrize(
    ("fields", "code", "selected"),
    [
        ({}, "ORM101", True),
        ({}, "ORM901", False),
        ({"select": ("ALL",)}, "ORM901", True),
        ({"select": ("ORM9",)}, "ORM101", False),
        ({"extend_select": ("ORM901",)}, "ORM901", True),
        ({"extend_select": ("ORM901",)}, "ORM902", False),
        ({"extend_select": ("ORM901",)}, "ORM101", True),
        ({"ignore": ("ORM",)}, "ORM101", False),
        ({"ignore": ("ORM4",)}, "ORM401", False),
        ({"ignore": ("ORM402",)}, "ORM901", False),
        ({"select": ("ORM1",), "ignore": ("ORM101",)}, "ORM101", False),
        ({"select": ("ORM101",), "ignore": ("ORM1",)}, "ORM101", True),
        ({"select": ("ORM1",), "ignore": ("ORM1",)}, "ORM101", False),
        ({"select": ("ORM1",), "extend_ignore": ("ORM10",), "extend_select": ("ORM102",)}, "ORM102", True),
    ],
)
def test_the_longest_prefix_decides_and_opinions_are_off(fields, code, selected):
    assert config(**fields).selects(code, "/project/app.py") is selected


def test_flake8_decides_about_opinions_itself():
    assert config().selects("ORM901", "app.py", opinions=True)
    assert not config(select=("ORM1",)).selects("ORM901", "app.py", opinions=True)


@pytest.mark.parametrize(
    ("path", "is_test"),
    [
        ("/project/tests/helper.py", True),
        ("/project/app/tests/deep/helper.py", True),
        ("/project/test_app.py", True),
        ("/project/app/conftest.py", True),
        ("/project/app/app_test.py", True),
        ("/project/app/contest.py", False),
        ("/project/latests/app.py", False),
        ("/elsewhere/tests/app.py", False),
        ("/elsewhere/test_app.py", True),
    ],
)
def test_life_cycle_rules_keep_silent_in_test_code(path, is_test):
    assert config().is_test(path) is is_test
    assert config().selects("ORM101", path) is not is_test
    assert config().selects("ORM401", path)


def test_the_place_of_the_project_itself_does_not_count_as_test_code():
    assert not Config(root="/home/tests/project").is_test("/home/tests/project/app.py")


def test_per_file_ignores_hold_whatever_is_selected():
    fields = {"per_file_ignores": (("scripts/", ("ORM1",)), ("*.gen.py", ("ALL",))), "select": ("ORM101", "ORM201")}
    assert not config(**fields).selects("ORM101", "/project/scripts/load.py")
    assert config(**fields).selects("ORM201", "/project/scripts/load.py")
    assert not config(**fields).selects("ORM201", "/project/app/models.gen.py")
    assert config(**fields).selects("ORM101", "/project/app/models.py")


def test_entries_match_dotted_names():
    settings = config(blocking_calls=("shop.mail.send -> use a queue", "vendor.*", "slow_call"))
    assert settings.advice("blocking_calls", "shop.mail.send") == "use a queue"
    assert settings.advice("blocking_calls", "vendor.api.get") == ""
    assert settings.advice("blocking_calls", "any.where.slow_call") == ""
    assert settings.advice("blocking_calls", "slow_call") == ""
    assert settings.advice("blocking_calls", "not_so_slow_call") is None
    assert settings.advice("blocking_calls", "shop.mail.send_later") is None
    assert not settings.matches("closers", "shop.mail.send")


def test_inside_is_relative_to_the_root_and_keeps_the_slash_of_a_folder():
    assert inside("/project/a/b.py", "/project") == "a/b.py"
    assert inside("/project/a/", "/project") == "a/"
    assert inside("/other/a/b.py", "/project") == "b.py"


def test_every_key_is_a_field_and_every_field_has_a_key():
    assert {key.field for key in KEYS} | {"root", "pool", "tables"} == set(Config._fields)
    assert {key.field for key in POOL_KEYS} == set(Config().pool._fields)


# -- files


def test_the_nearest_file_with_settings_of_ours_is_used(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.dbsession]\nselect = ["ORM1"]\n')
    inner = tmp_path / "package"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[tool.black]\n# not for dbsession\n")
    loaded = load(str(inner))
    assert loaded.select == ("ORM1",)
    assert loaded.root == str(tmp_path)
    (inner / "dbsession.toml").write_text('select = ["ORM2"]\n')
    assert load(str(inner)).select == ("ORM2",)
    assert load(str(inner)).root == str(inner)


def test_the_search_ends_at_the_top_of_a_repository(tmp_path):
    (tmp_path / "dbsession.toml").write_text('select = ["ORM1"]\n')
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    assert find(str(repository)) == ""
    assert load(str(repository)).root == str(repository)


def test_isolated_reads_nothing_and_config_names_a_file(tmp_path):
    (tmp_path / "dbsession.toml").write_text('select = ["ORM1"]\n')
    other = tmp_path / "other.toml"
    other.write_text('select = ["ORM3"]\n')
    assert load(str(tmp_path), isolated=True).select == ()
    assert load(str(tmp_path), path=str(other)).select == ("ORM3",)


def test_a_file_adds_to_the_one_that_it_extends(tmp_path):
    base = tmp_path / "base.toml"
    base.write_text('select = ["ORM1"]\nextend-select = ["ORM901"]\nclosers = ["a.close"]\nengines = ["a.engine"]\n')
    (tmp_path / "dbsession.toml").write_text(
        'extend = "base.toml"\nselect = ["ORM2"]\nextend-select = ["ORM902"]\nclosers = ["b.close"]\n'
    )
    loaded = load(str(tmp_path))
    assert loaded.select == ("ORM2",)
    assert loaded.extend_select == ("ORM901", "ORM902")
    assert loaded.closers == ("b.close",)
    assert loaded.engines == ("a.engine",)


def test_files_that_extend_each_other_are_an_error(tmp_path):
    (tmp_path / "dbsession.toml").write_text('extend = "base.toml"\n')
    (tmp_path / "base.toml").write_text('extend = "dbsession.toml"\n')
    with pytest.raises(ConfigError, match=r"base\.toml: extend: .* extends this file in turn"):
        load(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('sesion-factories = ["a"]', "unknown key 'sesion-factories'; did you mean 'session-factories'?"),
        ('session_factories = ["a"]', "did you mean 'session-factories'?"),
        ("nonsense = 1", "unknown key 'nonsense'; there are"),
        ('select = "ORM1"', "select: expected a list of strings, not 'ORM1'"),
        ('select = ["E501"]', "select: expected codes such as 'ORM101', 'ORM2' or 'ALL', not 'E501'"),
        ('per-file-ignores = ["a"]', "per-file-ignores: expected a table"),
        ('per-file-ignores = { "a" = ["x"] }', "per-file-ignores: expected codes"),
        ("respect-gitignore = 1", "respect-gitignore: expected true or false, not 1"),
        ("baseline = 3", "baseline: expected a string, not 3"),
        ('output-format = "xml"', "output-format: expected 'full' or"),
        ("pool = 3", "pool: expected a table"),
        ("[pool]\nprocesses = -1", "pool: processes: expected a whole number, not -1"),
        ("[pool]\nprocesses = true", "pool: processes: expected a whole number, not True"),
        ("[pool]\nworkers = { web = 'x' }", "pool: workers: expected a whole number, not 'x'"),
        ('[pool]\nserver = "oracle"', "pool: server: expected 'mysql' or 'postgresql', not 'oracle'"),
        ("[pool]\nmax_connections = 3", "pool: unknown key 'max_connections'; did you mean 'max-connections'?"),
        ("extend = 3", "extend: expected a path"),
        ('extend = "missing.toml"', "missing.toml: cannot be read: No such file or directory"),
        ("select = [", "is not TOML"),
    ],
)
def test_a_mistake_is_one_line_with_file_and_key(tmp_path, text, words):
    path = tmp_path / "dbsession.toml"
    path.write_text(text + "\n")
    with pytest.raises(ConfigError) as error:
        from_file(str(path))
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_a_table_that_is_none_is_an_error(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text("[tool]\ndbsession = 3\n")
    with pytest.raises(ConfigError, match="expected a table"):
        load(str(tmp_path))


def test_a_broken_pyproject_is_an_error_only_where_it_may_hold_our_settings(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[broken\n")
    assert load(str(tmp_path)).select == ()
    (tmp_path / "pyproject.toml").write_text("[tool.dbsession]\nselect = [\n")
    with pytest.raises(ConfigError, match="is not TOML"):
        load(str(tmp_path))


def test_all_values_arrive():
    fields = from_table(
        {
            "per-file-ignores": {"a/*": ["ORM1"]},
            "blocking-calls": ["a.b -> c"],
            "respect-gitignore": False,
            "pool": {"processes": 4, "workers": {"celery": 2}, "server": "mysql"},
        },
        "here",
    )
    made = Config(**fields)
    assert made.per_file_ignores == (("a/*", ("ORM1",)),)
    assert made.blocking_calls == ("a.b -> c",)
    assert made.respect_gitignore is False
    assert (made.pool.processes, made.pool.workers, made.pool.server) == (4, (("celery", 2),), "mysql")
