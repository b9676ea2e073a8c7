"""Whatever the shape of a file: the tree is what the plan says, no comment is lost, and the rest stays to the byte."""

from __future__ import annotations

import ast
from itertools import pairwise

from fix_shapes import after, comments, files, placed, steps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flake8_dbsession.fix.carry_out import carry_out
from flake8_dbsession.fix.carry_out.ground import first_line
from flake8_dbsession.fix.edits import applied, edits
from flake8_dbsession.fix.plans import DeleteStatement, Step
from flake8_dbsession.model import Plan, Safety, Span
from flake8_dbsession.source import Source

QUIET = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def gone(source: Source, step: Step) -> tuple[Span, ...]:
    """The statements that ``step`` deletes, each from its first decorator."""
    spans = (step.statement,) if isinstance(step, DeleteStatement) else getattr(step, "drop", ())
    found = [block[number] for block, number, span in placed(source) if span in spans]
    return tuple(source.span(s)._replace(line=first_line(s)) for s in found)


@given(st.data())
@QUIET
def test_the_tree_is_what_the_plan_says_and_the_comments_stay(data: st.DataObject) -> None:
    source = Source("shape.py", data.draw(files()))
    step = data.draw(steps(source))
    done = carry_out(source.data, "shape.py", [Plan("mend", Safety.UNSAFE, (step,))])
    assert done.refused == ()
    result = Source("shape.py", done.data)
    assert ast.dump(result.tree) == after(source, step)
    kept, all_of_them = comments("".join(source.lines), gone(source, step)), comments("".join(source.lines))
    assert kept <= comments("".join(result.lines)) <= all_of_them


@given(st.data())
@QUIET
def test_several_plans_at_once(data: st.DataObject) -> None:
    source = Source("shape.py", data.draw(files()))
    plans = [Plan("mend", Safety.UNSAFE, (data.draw(steps(source)),)) for _ in range(4)]
    done = carry_out(source.data, "shape.py", plans)
    assert {reason for _, reason in done.refused} <= {"overlaps another fix"}
    result = Source("shape.py", done.data)
    assert ast.dump(result.tree) == after(source, *(plan.steps[0] for plan in done.applied))


@given(st.data())
@QUIET
def test_a_safe_plan_loses_no_comment_at_all(data: st.DataObject) -> None:
    source = Source("shape.py", data.draw(files()))
    step = data.draw(steps(source))
    done = carry_out(source.data, "shape.py", [Plan("mend", Safety.SAFE, (step,))])
    assert done.applied or done.refused[0][1].startswith("a comment would be lost")
    lines = Source("shape.py", done.data).lines
    assert comments("".join(source.lines)) == comments("".join(lines))


@given(st.data())
@QUIET
def test_other_top_level_statements_stay_to_the_byte(data: st.DataObject) -> None:
    source = Source("shape.py", data.draw(files()))
    step = data.draw(steps(source))
    done = carry_out(source.data, "shape.py", [Plan("mend", Safety.UNSAFE, (step,))])
    span = next(part for part in step if isinstance(part, tuple))
    end = getattr(step, "last", span)
    before, behind = _around(source, span, end)
    assert done.data.startswith(before)
    assert done.data.endswith(behind)


def _around(source: Source, first: Span, last: Span) -> tuple[bytes, bytes]:
    """What stands before and behind the top-level statements that a step reaches, in bytes."""
    lines = source.data.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
    ends = [0, *((s.end_lineno or 0) for s in source.tree.body)]
    starts = [first_line(s) for s, end in zip(source.tree.body, ends, strict=False) if first_line(s) > end]
    start = max([1, *(line for line in starts if line <= first.line)])
    stop = min([len(lines) + 1, *(line for line in starts if line > last.end_line)])
    before = b"".join(lines[: start - 1]).rstrip()
    behind = b"".join(lines[stop - 1 :]).lstrip()
    return (b"\xef\xbb\xbf" if source.data.startswith(b"\xef\xbb\xbf") else b"") + before, behind


@given(st.data())
@QUIET
def test_edits_make_the_new_text_of_the_old_one(data: st.DataObject) -> None:
    source = Source("shape.py", data.draw(files()))
    done = carry_out(source.data, "shape.py", [Plan("mend", Safety.UNSAFE, (data.draw(steps(source)),))])
    text = done.data.decode(source.encoding)
    found = edits(source.text, text)
    assert applied(source.text, found) == text
    assert all(one.span[2:] < other.span[:2] for one, other in pairwise(found))


@given(files(), files())
@QUIET
def test_edits_between_any_two_texts(before: bytes, after: bytes) -> None:
    old, new = before.decode("latin-1"), after.decode("latin-1")
    assert applied(old, edits(old, new)) == new
