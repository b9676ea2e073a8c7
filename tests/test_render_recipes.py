"""The recipes for CI are valid, and the commands in them do what the recipes need."""

from __future__ import annotations

import configparser
import json
import pathlib
import shlex

import pytest
import yaml
from lxml import etree
from schemas import problems, sarif_schema, vendored_schema
from test_render_services import CODE_QUALITY

from flake8_dbsession.cli import main

ROOT = pathlib.Path(__file__).resolve().parents[1]
CI = ROOT / "docs" / "ci"
LEAK = """\
from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite://"))


def price_of(article):
    session = SessionLocal()
    return session.scalar(select(article))
"""


def read(name):
    return yaml.safe_load((CI / name).read_text("utf-8"))


def scripts(value):
    """Every command line anywhere in a recipe."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from [inner] if key in ("run", "script") and isinstance(inner, str) else scripts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from [inner] if isinstance(inner, str) else scripts(inner)


def commands(name):
    """The arguments of our command, wherever a recipe calls it."""
    return [shlex.split(line)[1:] for line in scripts(read(name)) if line.startswith("dbsession ")]


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.dbsession]\n")
    (tmp_path / "shop.py").write_text(LEAK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("github-actions.yml", "github-workflows"),
        ("gitlab-ci.yml", "gitlab-ci"),
        ("azure-pipelines.yml", "azure-pipelines"),
    ],
)
def test_a_recipe_is_what_its_service_demands(name, schema):
    recipe = {str({True: "on"}.get(key, key)): value for key, value in read(name).items()}  # YAML 1.1 reads on as true
    assert problems(recipe, vendored_schema(schema)) == []


def test_the_github_workflow_uploads_what_it_writes_and_fails_on_findings(project):
    find, fail = commands("github-actions.yml")
    assert main(find) == 0
    steps = read("github-actions.yml")["jobs"]["dbsession"]["steps"]
    (uploaded,) = [step["with"]["sarif_file"] for step in steps if "upload-sarif" in step.get("uses", "")]
    log = json.loads((project / uploaded).read_text("utf-8"))
    assert problems(log, sarif_schema()) == []
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["ORM101"]
    assert main(fail) == 1


def test_the_gitlab_job_leaves_its_report_although_it_fails(project):
    (command,) = commands("gitlab-ci.yml")
    assert main(command) == 1
    artifacts = read("gitlab-ci.yml")["dbsession"]["artifacts"]
    issues = json.loads((project / artifacts["reports"]["codequality"]).read_text("utf-8"))
    assert problems(issues, CODE_QUALITY) == []
    assert [issue["check_name"] for issue in issues] == ["ORM101"]
    assert artifacts["when"] == "always"


def test_the_azure_pipeline_publishes_what_it_writes(project, capfd):
    find, fail = commands("azure-pipelines.yml")
    assert main(find) == 0
    (published,) = [s["inputs"]["testResultsFiles"] for s in read("azure-pipelines.yml")["steps"] if "task" in s]
    assert etree.parse(project / published).getroot().get("failures") == "1"
    assert main(fail) == 1
    assert capfd.readouterr().out.startswith("##vso[task.logissue type=error;")


def test_the_tox_environment_runs(project):
    parser = configparser.ConfigParser()
    parser.read(CI / "tox.ini")
    command = parser["testenv:dbsession"]["commands"].replace("{posargs:.}", ".")
    assert main(shlex.split(command)[1:]) == 1


def hooks():
    return {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}


def test_the_pre_commit_recipe_names_hooks_that_there_are():
    (repository,) = read("pre-commit-config.yaml")["repos"]
    assert {hook["id"] for hook in repository["hooks"]} == set(hooks())
