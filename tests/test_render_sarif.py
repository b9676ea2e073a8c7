"""Code scanning gets a valid log whose alerts keep their identity when lines move."""

from __future__ import annotations

import json

import pytest
from reports import BROKEN, FILE, LEAK, RULES, WAIT, sample
from schemas import problems, sarif_schema

from flake8_dbsession.model import Rule, Safety
from flake8_dbsession.render import links, renderer
from flake8_dbsession.render.line_hashes import line_hashes


def log(report):
    return json.loads(renderer("sarif")(report))


def results(report):
    return log(report)["runs"][0]["results"]


@pytest.fixture(scope="module")
def schema():
    return sarif_schema()


def test_the_log_is_what_the_standard_demands(schema):
    assert problems(log(sample(errors=[BROKEN])._replace(rules=RULES)), schema) == []
    assert problems(log(sample([])), schema) == []


def test_the_schema_is_one_that_refuses(schema):
    value = log(sample())
    value["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert problems(value, schema)


def test_a_region_holds_just_what_is_reported():
    region = results(sample())[0]["locations"][0]["physicalLocation"]["region"]
    line = FILE.splitlines()[region["startLine"] - 1]
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == 'requests.get("https://rates.example/eur")'


def test_the_story_is_a_code_flow_in_order():
    wait, leak = results(sample())
    (flow,) = wait["codeFlows"]
    (thread,) = flow["threadFlows"]
    steps = [step["location"] for step in thread["locations"]]
    assert [step["message"]["text"] for step in steps] == [note.sentence for note in WAIT.notes]
    assert [step["physicalLocation"]["region"]["startLine"] for step in steps] == [6, 7, 8, 9]
    assert [place["id"] for place in wait["relatedLocations"]] == [1, 2, 3, 4]
    other = leak["relatedLocations"][0]["physicalLocation"]["artifactLocation"]
    assert other == {"uri": "shop/database.py", "uriBaseId": "SRCROOT"}


def test_a_fix_replaces_regions_and_says_what_it_risks():
    wait, leak = results(sample())
    (fix,) = wait["fixes"]
    assert fix["description"]["text"] == "Commit before the call (unsafe: rows read before are loaded again)"
    first = fix["artifactChanges"][0]["replacements"][0]
    assert first["insertedContent"]["text"] == "    session.commit()\n"
    assert first["deletedRegion"] == {"startLine": 8, "startColumn": 1, "endLine": 8, "endColumn": 1}
    assert "fixes" not in leak
    shown = WAIT._replace(plan=WAIT.plan._replace(safety=Safety.DISPLAY))
    assert "fixes" not in results(sample([shown]))[0]


def test_a_rule_brings_its_page(monkeypatch):
    monkeypatch.setattr("flake8_dbsession.render.precision.measured", dict)
    monkeypatch.setattr(
        "reports.__doc__", "Waiting.\n\nWhat it does\n    Reports waits.\n\n    Twice.\nSources\n    None."
    )
    run = log(sample()._replace(rules=(*RULES, Rule("ORM901", "query-in-loop", "Opinion", RULES[0].check))))["runs"][0]
    precision = "## Measured precision\n\nNot measured yet: nobody has read a sample of its reports on real code."
    leak, wait, opinion = run["tool"]["driver"]["rules"]
    assert [run["results"][n]["ruleIndex"] for n in (0, 1)] == [1, 0]
    assert (wait["id"], wait["name"]) == ("ORM202", "NetworkCallWhileConnected")
    assert leak["fullDescription"]["text"] == "Reports waits.\n\nTwice."
    assert (
        leak["help"]["markdown"] == f"## What it does\n\nReports waits.\n\nTwice.\n\n{precision}\n\n## Sources\n\nNone."
    )
    assert opinion["defaultConfiguration"]["level"] == "note"


def test_lines_added_above_change_no_fingerprint():
    added = 3
    spans = [d.span._replace(line=d.span.line + added, end_line=d.span.end_line + added) for d in (WAIT, LEAK)]
    moved = [WAIT._replace(span=spans[0]), LEAK._replace(span=spans[1])]
    before = [result["partialFingerprints"] for result in results(sample())]
    after = [result["partialFingerprints"] for result in results(sample(moved, text="# new\n" * added + FILE))]
    assert before == after
    assert before[0] != before[1]


def test_equal_lines_have_fingerprints_of_their_own():
    twice = FILE + FILE.partition("def forget(article):\n")[2]
    again = LEAK._replace(span=LEAK.span._replace(line=14, end_line=14))
    first, second = [r["partialFingerprints"]["dbsession/v1"] for r in results(sample([LEAK, again], text=twice))]
    assert first != second


def test_line_hashes_are_those_of_the_upload_action():
    assert line_hashes(["für = '😀'", "x = 2"]) == ["25f761bb66dc92ce:1", "217544002bab0b64:1"]
    repeated = line_hashes(["session.close()  # " + "x" * 100] * 3)
    assert [text.partition(":")[2] for text in repeated] == ["1", "2", "3"]


def test_a_file_that_cannot_be_read_is_told_and_fails_the_run():
    (invocation,) = log(sample([], errors=[BROKEN]))["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    (told,) = invocation["toolExecutionNotifications"]
    assert told["message"]["text"] == BROKEN.message
    assert told["locations"][0]["physicalLocation"]["region"]["startLine"] == 3


def test_paths_are_uris_relative_to_the_root():
    report = sample([LEAK._replace(path="/work/a b/ü.py"), LEAK._replace(path="/elsewhere/x.py")])
    inside, outside = [r["locations"][0]["physicalLocation"]["artifactLocation"] for r in results(report)]
    assert inside == {"uri": "a%20b/%C3%BC.py", "uriBaseId": "SRCROOT"}
    assert outside == {"uri": "file:///elsewhere/x.py"}


def test_a_rule_leads_to_its_page_where_pages_are_published(schema, monkeypatch):
    def rules():
        value = log(sample()._replace(rules=RULES))
        assert problems(value, schema) == []
        return value["runs"][0]["tool"]["driver"]["rules"]

    monkeypatch.setattr(links, "address", lambda: "")
    assert not any("helpUri" in rule for rule in rules())
    monkeypatch.setattr(links, "address", lambda: "https://docs.example")
    assert [rule["helpUri"] for rule in rules()] == [f"https://docs.example/rules/{rule['id']}.md" for rule in rules()]
