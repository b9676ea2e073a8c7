"""A short run of ``tests/fuzz.py`` on our own fixtures: damaged files are no trouble, and the run notices trouble."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest
from fuzz import Failure, Subject, TooSlow, fuzz, limited, tried
from mutations import mutated
from wants import FIXTURES

EXAMPLE = FIXTURES / "ORM101" / "example.py"


def test_damaged_fixtures_are_no_trouble():
    projects = sorted(folder for folder in FIXTURES.glob("ORM*") if folder.is_dir())
    run = fuzz(projects, inputs=120, seed=20, mutants=5, seconds=20.0)
    assert {where: told for where, (told, _, _) in run.failures.items()} == {}
    assert sum(run.outcomes.values()) == 120
    assert set(run.outcomes) == {"silent", "reported", "mended", "unreadable"}, "each way through was taken"


def test_the_same_seed_damages_in_the_same_way():
    data = EXAMPLE.read_bytes()
    first, second = ([mutated(data, chance) for _ in range(30)] for chance in (Random(1), Random(1)))
    assert first == second
    assert len(set(first)) > 20


def test_a_fault_is_told_with_its_place(monkeypatch):
    subject = Subject(EXAMPLE, EXAMPLE.parent)
    monkeypatch.setattr("fuzz.analyze", lambda source, project: 1 // 0)
    outcome = tried(subject, subject.data, 20)
    assert isinstance(outcome, Failure)
    assert outcome.where.startswith("ZeroDivisionError ")


def test_time_is_limited():
    with pytest.raises(TooSlow), limited(0.05):
        while True:
            with suppress(Exception):
                sum(range(1000))
