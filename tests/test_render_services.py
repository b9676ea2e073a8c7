"""What GitHub, GitLab, Azure and readers of JUnit XML are told."""

from __future__ import annotations

import io
import json
import re

import pytest
from lxml import etree
from reports import BROKEN, FILE, LEAK, PATH, WAIT, sample
from schemas import problems

from flake8_dbsession.model import Span
from flake8_dbsession.render import renderer

CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": r"^(?!\./|/)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {name: {"type": "integer", "minimum": 1} for name in ("begin", "end")},
                    },
                },
            },
        },
    },
}
"""The fields that GitLab's documentation names, with its severities."""


def written(name, report):
    return renderer(name)(report)


def workflow_command(line):
    """A GitHub workflow command as the runner reads it: level, properties, message."""
    level, listed, message = re.fullmatch(r"::(\w+) (.*?)::(.*)", line).groups()
    properties = dict(item.split("=", 1) for item in listed.split(","))
    unescape = {"%3A": ":", "%2C": ",", "%0D": "\r", "%0A": "\n", "%25": "%"}
    for escaped, plain in unescape.items():
        properties = {name: value.replace(escaped, plain) for name, value in properties.items()}
    return level, properties, message.replace("%0A", "\n").replace("%25", "%")


def test_github_gets_one_annotation_a_finding():
    broken, wait, leak = map(workflow_command, written("github", sample(errors=[BROKEN])).splitlines())
    assert broken == ("error", {"title": "dbsession", "file": "shop/broken.py", "line": "3"}, str(BROKEN))
    level, properties, message = wait
    assert level == "error"
    assert properties == {
        "title": "dbsession (ORM202)",
        "file": PATH,
        "line": "8",
        "endLine": "8",
        "col": "12",
        "endColumn": "53",
    }
    first, *story = message.splitlines()
    assert first == f"{PATH}:8:12: ORM202 {WAIT.message}"
    assert story[1] == "  line 7: the connection is taken here"
    assert leak[2].splitlines()[1] == "  shop/database.py line 3: the factory is made here"


def test_github_columns_only_within_one_line():
    _, properties, _ = workflow_command(written("github", sample([LEAK._replace(span=Span(13, 4, 14, 0))])).rstrip())
    assert "col" not in properties
    assert properties["endLine"] == "14"


def test_github_separators_in_names_and_messages_are_escaped():
    odd = LEAK._replace(path="a,b:c.py", message="100% lost\nfor ever::", notes=())
    (line,) = written("github", sample([odd])).splitlines()
    assert workflow_command(line)[1]["file"] == "a,b:c.py"
    assert workflow_command(line)[2].endswith("ORM101 100% lost\nfor ever::")


def test_gitlab_gets_the_fields_that_it_demands():
    issues = json.loads(written("gitlab", sample(errors=[BROKEN])))
    assert problems(issues, CODE_QUALITY) == []
    assert [issue["check_name"] for issue in issues] == ["unreadable", "ORM202", "ORM101"]
    assert issues[1]["location"] == {"path": PATH, "lines": {"begin": 8, "end": 8}}
    assert len({issue["fingerprint"] for issue in issues}) == 3


def test_gitlab_paths_start_from_the_root():
    (issue,) = json.loads(written("gitlab", sample([LEAK._replace(path="/work/shop/prices.py")])))
    assert issue["location"]["path"] == PATH


def test_gitlab_fingerprints_do_not_count_lines():
    def prints(found, text):
        return [issue["fingerprint"] for issue in json.loads(written("gitlab", sample(found, text=text)))]

    moved = LEAK._replace(span=Span(15, 4, 15, 73))
    assert prints([LEAK], FILE) == prints([moved], "\n\n" + FILE)
    assert prints([LEAK], FILE) != prints([LEAK._replace(function="other")], FILE)
    assert len(set(prints([LEAK, LEAK], FILE))) == 2


def test_junit_counts_what_it_holds():
    root = etree.parse(io.BytesIO(written("junit", sample(errors=[BROKEN])).encode())).getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "2", "1")
    wait, leak = root.findall("testsuite[1]/testcase")
    assert (wait.get("file"), wait.get("line"), wait.get("classname")) == (PATH, "8", "shop.prices")
    assert leak.find("failure").get("message") == LEAK.message
    assert "shop/prices.py:7: the connection is taken here" in wait.find("failure").text
    assert root.find("testsuite[2]/testcase/error").get("message") == BROKEN.message


def test_junit_holds_a_passing_case_when_all_is_clean():
    root = etree.fromstring(written("junit", sample([], checked=12)).encode())
    assert (root.get("tests"), root.get("failures")) == ("1", "0")
    assert root.find("testsuite/testcase").get("name") == "12 files are clean"


@pytest.mark.parametrize("odd", ["\x00\x1b[31m", '<&">', "\ud800", "\ufffe"])
def test_junit_stays_well_formed(odd):
    text = written("junit", sample([LEAK._replace(message=f"name {odd} here", path=f"{odd}.py")]))
    root = etree.fromstring(text.encode())
    assert root.find("testsuite/testcase/failure").get("message").startswith("name ")


def test_azure_gets_one_issue_a_finding():
    broken, wait, _ = written("azure", sample(errors=[BROKEN])).splitlines()
    assert broken == (
        "##vso[task.logissue type=error;sourcepath=/work/shop/broken.py;linenumber=3;columnnumber=5;]" + BROKEN.message
    )
    place = "type=error;sourcepath=/work/shop/prices.py;linenumber=8;columnnumber=12;code=ORM202;"
    assert wait == f"##vso[task.logissue {place}]{WAIT.message}"


def test_azure_separators_are_escaped():
    line = written("azure", sample([LEAK._replace(path="a;b].py", message="50%\nmore")]))
    assert "sourcepath=/work/a%3Bb%5D.py;" in line
    assert line.endswith("]50%AZP25%0Amore\n")
