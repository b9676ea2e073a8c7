"""The README says what is so: its commands, settings, hooks and pictures."""

from __future__ import annotations

import argparse
import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import tomli
import yaml

from flake8_dbsession import __version__
from flake8_dbsession.cli import SUBCOMMANDS, check, fix
from flake8_dbsession.render import FORMATS
from flake8_dbsession.settings.reading import KEYS, POOL_KEYS, from_table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = sorted(
    {
        command.split("#")[0].strip()
        for language, text in BLOCKS
        if language == "sh"
        for line in text.splitlines()
        for command in line.replace("&&", "|").split("|")
        if re.match(r"\s*(\.venv/bin/)?dbsession ", command)
    }
)


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def test_there_are_commands():
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_understood(command):
    _, name, *arguments = shlex.split(command)
    assert name in SUBCOMMANDS
    parsers = {"check": check.parser, "fix": fix.parser}
    if name in parsers:
        assert isinstance(parsers[name]().parse_args(arguments), argparse.Namespace)


def test_every_named_option_exists():
    known = check.parser().format_help() + fix.parser().format_help()
    named = [option for option in re.findall(r"`(--[\w-]+)`", README) if not option.startswith("--dbsession-")]
    assert named
    assert [option for option in named if option not in known] == []


def test_the_configuration_can_be_read():
    tables = [tomli.loads(text)["tool"] for text in blocks("toml")]
    ours = [table["dbsession"] for table in tables if "dbsession" in table]
    assert len(ours) == 1
    assert from_table(ours[0], "README.md")


@pytest.mark.parametrize("key", [*KEYS, *POOL_KEYS], ids=lambda key: key.name)
def test_every_key_is_explained_as_in_the_code(key):
    assert f"| `{key.name}` | {key.help} |" in README


def test_every_format_is_named():
    [line] = re.findall(r"Formats: (.*?)\.", README)
    assert re.findall(r"`([\w-]+)`", line) == list(FORMATS)


def test_the_hooks_exist():
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    named = [hook["id"] for text in blocks("yaml") for repo in yaml.safe_load(text)["repos"] for hook in repo["hooks"]]
    assert set(named) - {"flake8"} == hooks


def test_the_version_is_the_same_everywhere():
    assert f"rev: v{__version__}" in README
    assert f"## {__version__}\n" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/ci/README.md"])
def test_links_lead_somewhere(name):
    page = ROOT / name
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8"))
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert missing == []


def test_the_picture_is_of_a_run_as_it_is_now():
    path = ROOT / "docs" / "make_terminal_svg.py"
    spec = importlib.util.spec_from_file_location("make_terminal_svg", path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert made.drawn() == made.PICTURE.read_text("utf-8"), "run: python docs/make_terminal_svg.py"
