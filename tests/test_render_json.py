"""Scripts read places, stories and fixes from the JSON formats."""

from __future__ import annotations

import json

from reports import FILE, LEAK, PATH, WAIT, sample

from flake8_dbsession.model import Span
from flake8_dbsession.render import renderer

LINES = FILE.splitlines()


def written(name, report):
    return renderer(name)(report)


def at(lines, place):
    """The text between two places of the JSON output, read as its documentation says."""
    start, end = place["location"], place["end_location"]
    assert start["row"] == end["row"]
    return lines[start["row"] - 1][start["column"] - 1 : end["column"] - 1]


def test_a_finding_names_the_place_that_a_reader_counts():
    wait, leak = json.loads(written("json", sample()))
    assert (wait["code"], wait["name"], wait["filename"]) == ("ORM202", "network-call-while-connected", PATH)
    assert wait["message"] == WAIT.message
    assert wait["function"] == "price_of"
    assert at(LINES, wait) == 'requests.get("https://rates.example/eur")'
    assert at(LINES, leak).startswith("SessionLocal().execute(")


def test_the_story_keeps_its_order_and_names_other_files():
    wait, leak = json.loads(written("json", sample()))
    assert [at(LINES, note) for note in wait["notes"][:2]] == ["SessionLocal()", "session.get(Price, article)"]
    assert {note["filename"] for note in wait["notes"]} == {PATH}
    assert leak["notes"][0]["filename"] == "shop/database.py"


def test_a_fix_carries_its_edits_and_how_far_to_trust_it():
    wait, leak = json.loads(written("json", sample()))
    assert leak["fix"] is None
    assert leak["refusal"] == LEAK.refusal
    assert (wait["fix"]["applicability"], wait["fix"]["message"]) == ("unsafe", "Commit before the call")
    insertion, change = wait["fix"]["edits"]
    assert insertion["content"] == "    session.commit()\n"
    assert insertion["location"] == insertion["end_location"] == {"row": 8, "column": 1}
    assert at(LINES, change) == "rate"


def test_no_edits_are_asked_for_a_finding_without_a_fix():
    def refuse(diagnostic):
        raise AssertionError("an edit costs a parse")

    report = sample([LEAK])._replace(edits=refuse)
    assert len(json.loads(written("json", report))) == 1


def test_the_noqa_row_is_where_flake8_looks():
    text = 'a = 1\nsession.execute("""\nselect 1\n""")\nb = SessionLocal(\n)\nc = \\\n    SessionLocal()\n'
    found = [LEAK._replace(span=Span(line, 0, line, 1)) for line in (2, 5, 7)]
    rows = [value["noqa_row"] for value in json.loads(written("json", sample(found, text=text)))]
    assert rows == [4, 5, 8]


def test_nothing_found_is_an_empty_list_and_no_lines():
    assert json.loads(written("json", sample([]))) == []
    assert written("json-lines", sample([])) == ""


def test_json_lines_says_the_same_one_finding_a_line():
    lines = written("json-lines", sample()).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(written("json", sample()))
