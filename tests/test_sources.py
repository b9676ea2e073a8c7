"""What an answer rests on comes along with it, from memory and around circles."""

from __future__ import annotations

from flake8_dbsession.files.questions import Question
from flake8_dbsession.files.sources import Answers, Sources

LEADS_TO = {"a": "bc", "b": "ad", "c": "b", "d": "", "e": "f", "f": ""}


def resting(start: str, sources: Sources, answers: Answers) -> set[str]:
    """The letters that an answer rests on, asked by itself."""
    sources.met = 0
    answers(start)
    return set(sources.told(sources.met, "/").files)


def circle() -> tuple[Sources, Answers]:
    """Answers to letters that rest on a file of their name and lead to others."""
    sources = Sources()

    def find(letter: str) -> str:
        sources.meet_file(f"/{letter}")
        return letter + "".join(answers(other) for other in LEADS_TO[letter])

    answers: Answers[str, str] = Answers(sources, find, lambda letter: "")
    return sources, answers


def test_what_comes_from_memory_rests_on_the_same():
    sources, answers = circle()
    assert resting("e", sources, answers) == {"e", "f"}
    assert resting("e", sources, answers) == {"e", "f"}
    assert resting("f", sources, answers) == {"f"}


def test_whatever_leads_back_to_an_answer_rests_on_all_that_it_rests_on():
    for start in "abc":
        sources, answers = circle()
        resting(start, sources, answers)
        assert all(resting(letter, sources, answers) == {"a", "b", "c", "d"} for letter in "abc")
        assert resting("d", sources, answers) == {"d"}


def test_what_rests_on_a_file_is_lost_with_it_and_nothing_else(monkeypatch):
    sources, answers = circle()
    resting("a", sources, answers)
    resting("e", sources, answers)
    answers.lose(sources.bit("/d"))
    monkeypatch.setitem(LEADS_TO, "d", "f")
    monkeypatch.setitem(LEADS_TO, "e", "")
    assert resting("a", sources, answers) == {"a", "b", "c", "d", "f"}
    assert resting("e", sources, answers) == {"e", "f"}


def test_a_question_is_told_with_the_files_that_answered_and_a_file_elsewhere_as_everything():
    sources = Sources()
    answers: list[str] = []
    question = Question("holds", (b"remove",))
    sources.meet_question(question, answers)
    answers.append("/shop/db.py")
    assert sources.told(sources.met, "/shop").questions == ((question, ("db.py",)),)
    assert not sources.told(sources.met, "/shop").everything
    sources.meet_file("/lib/db.py")
    assert sources.told(sources.met, "/shop").everything


def test_what_an_answer_rests_on_is_told_in_one_order():
    told = []
    for words in ((b"b", b"a"), (b"a", b"b")):
        sources = Sources()
        sources.met = 0
        for word in words:
            sources.meet_file(f"/{word.decode()}")
            sources.meet_question(Question("holds", (word,)), [])
        told.append(sources.told(sources.met, "/"))
    assert told[0] == told[1]
