"""Laws of the lattice: a join covers both, in whatever order states arrive, and merging covers all."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from programs import programs

from flake8_dbsession.config import Config
from flake8_dbsession.flow.solve import solve
from flake8_dbsession.project.project import Project
from flake8_dbsession.run import check_text
from flake8_dbsession.session.flow import Flow
from flake8_dbsession.session.folding import FOLDS, ROUGH_FOLDS
from flake8_dbsession.session.state import Life, State, join
from flake8_dbsession.session.values import AMBIENT, NONE, OPENED, PARAMETER, TRUE, UNKNOWN, Resource, Value
from flake8_dbsession.source import Source
from flake8_dbsession.view import View

LAWS = settings(max_examples=150, deadline=None, derandomize=True)
RESOURCES = (
    Resource(OPENED, "3:4", "Session"),
    Resource(PARAMETER, "db", "Session"),
    Resource(AMBIENT, "a.s", "Session"),
)
VALUES = (UNKNOWN, NONE, TRUE, Value("named", "a.b"), *(Value("session", resource=resource) for resource in RESOURCES))

lives = st.builds(Life, st.integers(1, 127), st.sampled_from((0, 1, 2, 4, 6, 64)))
states = st.builds(
    State,
    st.dictionaries(st.sampled_from("xyz"), st.sampled_from(VALUES), max_size=3),
    st.dictionaries(st.sampled_from(RESOURCES), lives, max_size=3),
    st.sampled_from(("", "db", "lookup", "other")),
    st.sampled_from(VALUES),
)


def covers(great: State, small: State) -> bool:
    return join(great, small) == great


@LAWS
@given(lives, lives, lives)
def test_lives_are_a_lattice(a, b, c):
    assert a.join(a) == a
    assert a.join(b) == b.join(a)
    assert a.join(b).join(c) == a.join(b.join(c))


@LAWS
@given(states, states, states)
def test_states_are_a_lattice(a, b, c):
    assert join(a, a) == a
    assert join(a, b) == join(b, a)
    assert join(join(a, b), c) == join(a, join(b, c))


@LAWS
@given(states, states, states)
def test_a_join_covers_both_and_grows_with_them(a, b, c):
    assert covers(join(a, b), a)
    assert covers(join(a, b), b)
    assert covers(join(join(a, b), c), join(a, c)), "more on one side is never less in the end"


@LAWS
@given(
    st.sampled_from((*FOLDS, *ROUGH_FOLDS)),
    st.lists(states, min_size=1, max_size=20),
    st.randoms(use_true_random=False),
)
def test_a_fold_covers_all_whatever_the_order(fold, some, chance):
    merged = fold.merge(some)
    assert len(merged) <= len(some)
    assert all(any(covers(one, state) for one in merged) for state in some)
    shuffled = list(some)
    chance.shuffle(shuffled)
    assert set(fold.merge(shuffled)) == set(merged)


# -- the solver, with this lattice

_BEFORE = """\
from sqlalchemy.orm import Session
session = registry = Session()


"""
_NAMES = {
    "step()": "session.execute(1)",
    "later()": "session.commit()",
    "choose()": "session.get(Session, 1)",
    "many()": "session.scalars(1)",
    "Manager()": "Session()",
    "number()": "session.scalar(1)",
}


@LAWS
@given(programs())
def test_every_program_is_solved_in_bounded_steps_and_checked_without_a_fault(program):
    """The same programs, with sessions in the places of what they do."""
    text = program.text.replace("program()", "program(session=None)").replace("def_", "def")
    for name, call in _NAMES.items():
        text = text.replace(name, call)
    text = _BEFORE + text
    view = View(Source("odd.py", text.encode()), Project(Config()))
    for flow in view.flows:
        assert steps(flow) <= 120 * len(flow.graph.nodes), text
    assert check_text("odd.py", text.encode(), Config()).problem is None, text


def steps(flow: Flow) -> int:
    """How often the transfer is asked until nothing new comes."""
    asked = 0

    def transfer(node, state):
        nonlocal asked
        asked += 1
        return flow.transfer(node, state)

    solve(flow.graph, [State(names, {}) for names in flow.starts], transfer, FOLDS)
    return asked
