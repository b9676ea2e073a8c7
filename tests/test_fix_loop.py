"""Rounds of fixing: what stands, what is taken back, and what is said about each report."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

import pytest

from flake8_dbsession.fix.loop import Fate, Fixed, Stop, fix
from flake8_dbsession.fix.plans import DeleteStatement, InsertAfter, ReplaceExpression, Step, WrapInFinally
from flake8_dbsession.model import Diagnostic, Plan, Safety, Span
from flake8_dbsession.source import Source

Rule = Callable[[Source, ast.Call, str], Step | None]


def calls(source: Source) -> Iterator[tuple[ast.Expr, ast.Call, str]]:
    """Every call of a plain name that is a statement."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
            yield node, node.value, node.value.func.id


class Analyser:
    """Reports the calls of some names; ``steps`` makes the plan of each."""

    def __init__(self, steps: dict[str, Callable[[Source, ast.Expr], tuple[Step, ...]]], safety: Safety = Safety.SAFE):
        self.steps = steps
        self.safety = safety
        self.seen: list[bytes] = []

    def __call__(self, data: bytes, path: str) -> list[Diagnostic]:
        self.seen.append(data)
        source = Source(path, data)
        found = []
        for statement, call, name in calls(source):
            if name in self.steps:
                steps = self.steps[name](source, statement)
                plan = Plan(f"mend {name}", self.safety, steps, "it is so") if steps else None
                message = f"{name!r} is called (line {statement.lineno})"
                refusal = "" if plan else "nobody knows how"
                found.append(Diagnostic(path, source.span(call), "ORM101", "x", message, (), plan, refusal, "f"))
        return sorted(found)


def delete(source: Source, statement: ast.Expr) -> tuple[Step, ...]:
    return (DeleteStatement(source.span(statement)),)


def become(code: str) -> Callable[[Source, ast.Expr], tuple[Step, ...]]:
    return lambda source, statement: (ReplaceExpression(source.span(statement.value), code),)


def nothing(source: Source, statement: ast.Expr) -> tuple[Step, ...]:
    return ()


def fates(done: Fixed) -> list[tuple[Fate, str]]:
    return [(verdict.fate, verdict.reason) for verdict in done.verdicts]


def test_a_clean_file_is_the_same_and_analysed_once() -> None:
    analyse = Analyser({"bad": delete})
    data = b"good()\n"
    done = fix(data, "x.py", analyse, unsafe=True)
    assert done.data is data
    assert (done.verdicts, done.left, done.rounds, analyse.seen) == ((), (), 0, [data])


def test_reports_that_are_known_are_not_looked_for_again() -> None:
    analyse = Analyser({"bad": delete})
    found = analyse(b"bad()\nx()\n", "x.py")
    done = fix(b"bad()\nx()\n", "x.py", analyse, unsafe=False, found=found)
    assert (done.data, analyse.seen) == (b"x()\n", [b"bad()\nx()\n", b"x()\n"])


def test_all_that_can_be_fixed_is_fixed_in_one_round_and_a_second_run_changes_nothing() -> None:
    analyse = Analyser({"bad": delete, "worse": become("good()")})
    done = fix(b"bad()\nworse()\nbad()\nx()\n", "x.py", analyse, unsafe=False)
    assert done.data == b"good()\nx()\n"
    assert fates(done) == [(Fate.FIXED, "")] * 3
    assert done.rounds == 1
    assert fix(done.data, "x.py", analyse, unsafe=False).data is done.data


def test_fixes_that_overlap_take_a_round_each() -> None:
    def wrap(source: Source, statement: ast.Expr) -> tuple[Step, ...]:
        span = source.span(statement)
        owner = next(node for node in ast.walk(source.tree) if statement in getattr(node, "body", ()))
        return (WrapInFinally(span, source.span(owner.body[-1]), "done()", (span,)),)  # type: ignore[attr-defined]

    analyse = Analyser({"bad": wrap})
    done = fix(b"bad()\nx()\nbad()\ny()\n", "x.py", analyse, unsafe=False)
    assert done.rounds == 2
    assert fates(done) == [(Fate.FIXED, "")] * 2
    inner = "    try:\n        y()\n    finally:\n        done()\n"
    assert done.data.decode() == f"try:\n    x()\n{inner}finally:\n    done()\n"


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        (become("bad( )"), "the finding would still be there"),
        (become("bad()"), "the fix changes nothing"),
        (become("other()"), "the fix would bring a new finding: ORM101 'other' is called (line #"),
        (become("(yield)"), "the result would not compile: 'yield' outside function"),
        (become("a b"), "the new code is no expression: a b"),
    ],
)
def test_a_fix_that_does_not_what_it_promised_is_taken_back(
    steps: Callable[[Source, ast.Expr], tuple[Step, ...]], reason: str
) -> None:
    analyse = Analyser({"bad": steps, "other": nothing, "fine": delete})
    data = b"fine()\nbad()\nx()\nfine()\n"
    done = fix(data, "x.py", analyse, unsafe=False)
    assert done.data == b"bad()\nx()\n"
    assert fates(done)[0] == fates(done)[2] == (Fate.FIXED, "")
    assert fates(done)[1][0] is Fate.REFUSED
    assert fates(done)[1][1].startswith(reason)
    assert [d.message for d in done.left] == ["'bad' is called (line 1)"]
    assert fix(done.data, "x.py", analyse, unsafe=False).data == done.data


def test_of_many_fixes_only_the_bad_ones_are_taken_back() -> None:
    analyse = Analyser({"bad": become("bad( )"), "fine": delete})
    names = ["fine", "bad", "fine", "fine", "bad", "fine", "fine"]
    done = fix("".join(f"{name}()\n" for name in names).encode(), "x.py", analyse, unsafe=False)
    assert done.data == b"bad()\nbad()\n"
    assert [verdict.fate is Fate.FIXED for verdict in done.verdicts] == [name == "fine" for name in names]


def test_equal_findings_move_without_being_new() -> None:
    analyse = Analyser({"bad": nothing, "fine": lambda s, e: (InsertAfter(s.span(e), "a()"), *delete(s, e))})
    done = fix(b"bad()\nfine()\nbad()\n", "x.py", analyse, unsafe=False)
    assert done.data == b"bad()\na()\nbad()\n"
    assert fates(done) == [
        (Fate.NOT_OFFERED, "nobody knows how"),
        (Fate.FIXED, ""),
        (Fate.NOT_OFFERED, "nobody knows how"),
    ]


def test_what_could_not_be_fixed_at_first_is_tried_again_in_the_end() -> None:
    def only_alone(source: Source, statement: ast.Expr) -> tuple[Step, ...]:
        alone = len(source.tree.body) < 3
        return delete(source, statement) if alone else become("bad( )")(source, statement)

    analyse = Analyser({"bad": only_alone, "fine": delete})
    done = fix(b"bad()\nfine()\nx()\n", "x.py", analyse, unsafe=False)
    assert done.data == b"x()\n"
    assert fates(done) == [(Fate.FIXED, "")] * 2


def test_a_finding_that_another_fix_cured_counts_as_fixed() -> None:
    def both(source: Source, statement: ast.Expr) -> tuple[Step, ...]:
        return tuple(DeleteStatement(source.span(s)) for s, _, name in calls(source) if name in ("bad", "worse"))

    done = fix(b"bad()\nworse()\nx()\n", "x.py", Analyser({"bad": both, "worse": nothing}), unsafe=False)
    assert (done.data, fates(done)) == (b"x()\n", [(Fate.FIXED, "")] * 2)


@pytest.mark.parametrize(
    ("safety", "unsafe", "fate"),
    [
        (Safety.UNSAFE, False, Fate.UNSAFE),
        (Safety.UNSAFE, True, Fate.FIXED),
        (Safety.DISPLAY, True, Fate.DISPLAY),
        (Safety.SAFE, False, Fate.FIXED),
    ],
)
def test_only_fixes_of_the_allowed_safety_are_tried(safety: Safety, unsafe: bool, fate: Fate) -> None:
    done = fix(b"bad()\nx()\n", "x.py", Analyser({"bad": delete}, safety), unsafe=unsafe)
    assert fates(done) == [(fate, "" if fate is Fate.FIXED else "it is so")]
    assert (done.data == b"x()\n") == (fate is Fate.FIXED)


def test_only_wanted_fixes_are_tried() -> None:
    analyse = Analyser({"bad": delete, "worse": delete})
    done = fix(b"bad()\nworse()\n", "x.py", analyse, unsafe=False, wanted=lambda d: "worse" in d.message)
    assert done.data == b"bad()\n"
    assert fates(done) == [(Fate.UNWANTED, ""), (Fate.FIXED, "")]


def test_rounds_have_an_end() -> None:
    analyse = Analyser({f"bad{n}": become(f"bad{n + 1}()") for n in range(9)})
    grow = Analyser({"bad": lambda s, e: (InsertAfter(s.span(e), "x()"),)})
    assert fix(b"bad0()\n", "x.py", analyse, unsafe=False).data == b"bad0()\n"
    assert fix(b"bad()\n", "x.py", grow, unsafe=False).data == b"bad()\n"

    def one_each(source: Source, statement: ast.Expr) -> tuple[Step, ...]:
        first = source.span(source.tree.body[0])
        return (*delete(source, statement), InsertAfter(first, "x()"))

    done = fix(b"a()\n" + b"bad()\n" * 5, "x.py", Analyser({"bad": one_each}), unsafe=False, max_rounds=3)
    assert done.rounds == 3
    assert fates(done)[3:] == [(Fate.REFUSED, "not reached in 3 rounds")] * 2


def test_a_noqa_of_ours_protects_and_one_of_others_does_not() -> None:
    done = fix(b"bad()  # noqa: ORM101\nbad()  # noqa: E501\n", "x.py", Analyser({"bad": delete}), unsafe=False)
    assert done.data == b"bad()  # noqa: ORM101\n"
    assert fates(done) == [(Fate.REFUSED, "the line is marked noqa"), (Fate.FIXED, "")]


def test_asking_goes_one_by_one_and_shows_each_change_alone() -> None:
    asked: list[tuple[str, bytes, bytes]] = []

    def ask(diagnostic: Diagnostic, before: bytes, after: bytes) -> bool:
        asked.append((diagnostic.message, before, after))
        return "worse" in diagnostic.message

    analyse = Analyser({"bad": delete, "worse": delete, "no": become("no( )")})
    done = fix(b"bad()\nno()\nworse()\nx()\n", "x.py", analyse, unsafe=False, ask=ask)
    assert done.data == b"bad()\nno()\nx()\n"
    assert asked == [
        ("'bad' is called (line 1)", b"bad()\nno()\nworse()\nx()\n", b"no()\nworse()\nx()\n"),
        ("'worse' is called (line 3)", b"bad()\nno()\nworse()\nx()\n", b"bad()\nno()\nx()\n"),
    ]
    assert fates(done) == [
        (Fate.UNWANTED, "declined"),
        (Fate.REFUSED, "the finding would still be there"),
        (Fate.FIXED, ""),
    ]


def test_stopping_keeps_what_was_agreed_to() -> None:
    answers = iter([True])

    def ask(diagnostic: Diagnostic, before: bytes, after: bytes) -> bool:
        try:
            return next(answers)
        except StopIteration:
            raise Stop from None

    done = fix(b"bad()\nbad()\nbad()\n", "x.py", Analyser({"bad": delete}), unsafe=False, ask=ask)
    assert done.data == b"bad()\nbad()\n"
    assert fates(done) == [(Fate.FIXED, ""), (Fate.UNWANTED, "declined"), (Fate.UNWANTED, "declined")]


def test_a_span_out_of_nowhere_is_refused() -> None:
    analyse = Analyser({"bad": lambda s, e: (DeleteStatement(Span(7, 0, 7, 1)),)})
    done = fix(b"bad()\n", "x.py", analyse, unsafe=False)
    assert fates(done) == [(Fate.REFUSED, "no statement stands at line 7, column 1")]
