"""The HTML page holds everything it shows, and a browser shows it."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from lxml import html
from reports import BROKEN, EDITS, FILE, LEAK, PATH, RULES, WAIT, sample

from flake8_dbsession.model import Note
from flake8_dbsession.render import renderer

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--virtual-time-budget=2000", "--window-size=1200,2000"),
)
TAKEN = Note("'session.get(Price)' takes a connection from the pool", WAIT.notes[1].span)
FOUND = (WAIT._replace(notes=(TAKEN,)), LEAK)


def page(report):
    return html.fromstring(renderer("html")(report))


def words(element):
    return " ".join(element.text_content().split())


def test_the_summary_counts():
    root = page(sample(FOUND, errors=[BROKEN], checked=7))
    cards = {card.text_content()[1:]: card.text_content()[0] for card in root.find_class("card")}
    assert cards == {
        "findings": "2",
        "files with findings": "1",
        "files checked": "7",
        "with a fix": "1",
        "could not be checked": "1",
    }
    assert str(BROKEN) in words(root)


def test_findings_are_counted_by_rule_and_by_module():
    by_rule, by_module = page(sample((*FOUND, LEAK))).findall(".//table")
    rows = [[words(cell) for cell in row.findall("td")][:3] for row in by_rule.findall("tr")[1:]]
    assert rows == [["ORM101", "session-never-closed", "2"], ["ORM202", "network-call-while-connected", "1"]]
    assert [words(cell) for cell in by_module.findall("tr")[1].findall("td")][:2] == [PATH, "3"]


def test_every_link_leads_somewhere_on_the_page():
    root = page(sample(FOUND)._replace(rules=RULES))
    links = [link.get("href") for link in root.iter("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= {
        element.get("id") for element in root.iter() if element.get("id")
    }


def test_nothing_is_loaded_from_elsewhere():
    text = renderer("html")(sample(FOUND)._replace(rules=RULES))
    root = html.fromstring(text)
    assert not [e for e in root.iter() if e.get("src") or (e.tag == "link")]
    assert "url(" not in text
    assert "@import" not in text


def test_a_finding_shows_its_lines_its_story_and_its_bar():
    wait, leak = page(sample(FOUND)).iter("article")
    assert wait.find_class("said")[0].text == f"↑ {TAKEN.sentence}"
    assert wait.find(".//u").text == 'requests.get("https://rates.example/eur")'
    label = wait.find(".//svg").get("aria-label")
    assert label == "the connection is held from line 7 to line 8 at least"
    assert leak.find(".//svg").get("aria-label") == "the connection is held from line 13 to the end of the function"
    assert "shop/database.py:3 the factory is made here" in words(leak)
    assert "No fix: the session has no name" in words(leak)


def test_a_fix_is_shown_as_what_it_changes():
    (diff,) = page(sample(FOUND)).find_class("diff")
    changed = [line.text for line in diff if line.get("class") in ("plus", "minus")]
    assert len(EDITS) == 2
    assert changed == [
        '-    rate = requests.get("https://rates.example/eur").json()',
        "+    session.commit()",
        '+    quote = requests.get("https://rates.example/eur").json()',
    ]


def test_what_users_write_is_text_and_no_markup():
    evil = "<script>alert(1)</script>"
    found = LEAK._replace(message=evil, function=evil, refusal=evil, path=f"{evil}.py")
    root = page(sample([found])._replace(lines=lambda path: [evil] * 20))
    assert len(list(root.iter("script"))) == 1
    assert words(root).count(evil) >= 4


def test_long_gaps_are_left_out():
    text = FILE.replace("    price =", "    x = 1\n" * 40 + "    price =")
    far = WAIT._replace(span=WAIT.span._replace(line=48, end_line=48), notes=(WAIT.notes[0],))
    (article,) = page(sample([far], text=text)).iter("article")
    numbers = [line[0].text for line in article.find_class("line") if line[0].text]
    assert {"6", "48"} <= set(numbers)
    assert len(numbers) < 20
    assert "⋯" in words(article)


def test_a_clean_run_says_so():
    assert "Nothing was found" in words(page(sample([])))


MEASURE = """
<script>
const frames = [...document.querySelectorAll(".frame")].map((frame) => {
  const rows = [...frame.querySelectorAll(".line")].map((line) => line.getBoundingClientRect());
  const marked = [...frame.querySelectorAll(".line")].map((line) => line.firstChild.textContent);
  return [...frame.querySelectorAll("svg > circle, svg > rect")].map((sign) => {
    const box = sign.getBoundingClientRect(), middle = (box.top + box.bottom) / 2;
    const number = rows.findIndex((row) => row.top <= middle && middle < row.bottom);
    return [sign.getAttribute("class"), marked[number]];
  });
});
const filter = document.getElementById("filter");
const usable = !filter.hidden;
filter.value = "orm101 forget";
filter.dispatchEvent(new Event("input"));
const shown = [...document.querySelectorAll("article")].filter((article) => article.offsetHeight > 0).length;
document.title = JSON.stringify({frames, usable, shown, wide: document.documentElement.scrollWidth > innerWidth});
</script>
"""


@pytest.mark.skipif(BROWSER is None, reason="no chromium is installed")
def test_a_browser_draws_the_bar_beside_its_lines(tmp_path):
    path = tmp_path / "report.html"
    path.write_text(renderer("html")(sample(FOUND)._replace(rules=RULES)) + MEASURE, "utf-8")
    command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr[-500:]
    seen = json.loads(html.fromstring(done.stdout).findtext(".//title"))
    assert seen["frames"] == [[["taken", "7"], ["wait", "8"]], [["opened", "13"]]]
    assert (seen["usable"], seen["shown"], seen["wide"]) == (True, 1, False)
