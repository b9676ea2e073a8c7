"""The JSON Schema for editors says the same as the reader."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import tomli

from flake8_dbsession.config import Config, Pool
from flake8_dbsession.settings.reading import ConfigError, from_table
from flake8_dbsession.settings.schema import as_toml, json_schema

SCHEMA = Path(__file__).parents[1] / "docs" / "dbsession.schema.json"
TABLES = [
    "",
    'select = ["ORM1", "ALL"]',
    'select = ["E1"]',
    'select = "ORM1"',
    "nonsense = 1",
    'per-file-ignores = { "a" = ["ORM1"] }',
    'per-file-ignores = { "a" = ["x"] }',
    "respect-gitignore = true",
    'respect-gitignore = "yes"',
    'output-format = "json"',
    'output-format = "xml"',
    "unsafe-fixes = 0",
    '[pool]\nprocesses = 3\nworkers = { web = 2 }\nserver = "mysql"',
    "[pool]\nprocesses = -3",
    "[pool]\nnonsense = 3",
]


def test_the_schema_in_the_docs_is_the_one_of_the_code():
    assert json.loads(SCHEMA.read_text()) == json_schema(), "run: dbsession schema > docs/dbsession.schema.json"


@pytest.mark.parametrize("text", TABLES)
def test_schema_and_reader_agree(text):
    table = tomli.loads(text)
    try:
        from_table(table, "here")
        is_read = True
    except ConfigError:
        is_read = False
    validator = jsonschema.Draft7Validator(json_schema())
    assert validator.is_valid(table) is is_read


def test_shown_settings_can_be_read_again():
    config = Config(
        select=("ORM1",),
        per_file_ignores=(("a/*", ("ORM1", "ORM2")),),
        blocking_calls=('a."b" -> c',),
        pool=Pool(server="mysql", workers=(("web", 2),)),
    )
    assert Config(**from_table(tomli.loads(as_toml(config)), "here")) == config
    assert Config(**from_table(tomli.loads(as_toml(Config())), "here")) == Config()
