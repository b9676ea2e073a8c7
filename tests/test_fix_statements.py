"""What each step on statements makes of a file: before and after, to the byte."""

from __future__ import annotations

import pytest
from fix_tools import carried, expression, plan, refused, statement

from flake8_dbsession.fix.carry_out import carry_out
from flake8_dbsession.fix.plans import (
    DeleteStatement,
    InsertAfter,
    InsertBefore,
    InsertFirst,
    OpenInWith,
    ReplaceExpression,
    WrapInExcept,
    WrapInFinally,
    WrapInWith,
)
from flake8_dbsession.model import Safety

READ = '''\
def read(x):
    """Read."""

    # one session for all
    session = Session()  # opened here

    # first
    rows = session.query(X)
    if x:
        return """many
  lines"""
        # nothing more
    session.close()
    return rows  # all

def other(): pass
'''


def test_with_takes_the_statements_up_to_the_last_and_keeps_comments_and_strings() -> None:
    step = WrapInWith(
        statement(READ, "session ="),
        expression(READ, "Session()"),
        "session",
        statement(READ, "return rows"),
        (statement(READ, "session.close"),),
    )
    assert (
        carried(READ, step)
        == '''\
def read(x):
    """Read."""

    # one session for all
    with Session() as session:  # opened here
        # first
        rows = session.query(X)
        if x:
            return """many
  lines"""
            # nothing more
        return rows  # all

def other(): pass
'''
    )


def test_with_ends_where_it_is_told_to() -> None:
    step = WrapInWith(
        statement(READ, "session ="),
        expression(READ, "Session()"),
        "session",
        statement(READ, "rows ="),
        (),
        False,
        "closing",
    )
    assert carried(READ, step).splitlines()[3:10] == [
        "    # one session for all",
        "    with closing(Session()) as session:  # opened here",
        "        # first",
        "        rows = session.query(X)",
        "    if x:",
        '        return """many',
        '  lines"""',
    ]


def test_async_with_takes_the_place_of_an_awaited_call_and_of_an_annotation() -> None:
    before = "async def f():\n    conn: C = await engine.connect()\n    await conn.execute(q)\n    await conn.close()\n"
    step = WrapInWith(
        statement(before, "conn:"),
        expression(before, "engine.connect()"),
        "conn",
        statement(before, "await conn.close"),
        (statement(before, "await conn.close"),),
        is_async=True,
    )
    assert carried(before, step) == (
        "async def f():\n    async with engine.connect() as conn:\n        await conn.execute(q)\n"
    )


def test_with_takes_the_place_of_a_try_that_only_closed() -> None:
    before = """\
session = Session()
try:  # use it
    session.add(x)

    session.commit()
    # committed
finally:
    # always
    session.close()
done()
"""
    step = WrapInWith(
        statement(before, "session ="),
        expression(before, "Session()"),
        "session",
        statement(before, "try"),
        (statement(before, "session.close"),),
    )
    assert (
        carried(before, step)
        == """\
with Session() as session:
    # use it
    session.add(x)

    session.commit()
    # committed
    # always
done()
"""
    )


def test_a_try_with_a_handler_loses_only_its_finally() -> None:
    before = "s = S()\ntry:\n    s.add(x)\nexcept E:\n    log()\nfinally:\n    s.close()\n"
    step = WrapInWith(
        statement(before, "s ="),
        expression(before, "S()"),
        "s",
        statement(before, "try"),
        (statement(before, "s.close"),),
    )
    assert carried(before, step) == ("with S() as s:\n    try:\n        s.add(x)\n    except E:\n        log()\n")


def test_with_on_one_line_with_others_gives_each_a_line() -> None:
    before = "if x: s = S(); s.add(x); s.close(); y()  # done\nelse: z()\n"
    step = WrapInWith(
        statement(before, "s ="),
        expression(before, "S()"),
        "s",
        statement(before, "s.close"),
        (statement(before, "s.close"),),
    )
    assert carried(before, step) == ("if x:\n    with S() as s:\n        s.add(x)\n    y()  # done\nelse: z()\n")


def test_with_around_nothing_gets_pass() -> None:
    before = "s = S()\ns.close()\n"
    step = WrapInWith(
        statement(before, "s ="),
        expression(before, "S()"),
        "s",
        statement(before, "s.close"),
        (statement(before, "s.close"),),
    )
    assert carried(before, step) == "with S() as s:\n    pass\n"


@pytest.mark.parametrize(
    ("code", "call", "reason"),
    [
        ("s = t = S()\n", "S()", "does not assign to one name"),
        ("s = cast(S, S())\n", "S()", "assigns something else than the call"),
        ("t = S()\n", "S()", "does not assign to s"),
        ("s += S()\n", "S()", "does not assign to one name"),
    ],
)
def test_with_is_refused_for_another_kind_of_statement(code: str, call: str, reason: str) -> None:
    where = statement(code, code.split()[0])
    assert reason in refused(code, WrapInWith(where, expression(code, call), "s", where))


def test_async_with_is_refused_outside_of_an_async_function() -> None:
    before = "def f():\n    s = S()\n    s.add(x)\n"
    step = WrapInWith(
        statement(before, "s ="), expression(before, "S()"), "s", statement(before, "s.add"), is_async=True
    )
    assert "async with cannot stand here" in refused(before, step)


def test_finally_goes_around_the_statements() -> None:
    step = WrapInFinally(
        statement(READ, "rows ="),
        statement(READ, "return rows"),
        "session.close()",
        (statement(READ, "session.close"),),
    )
    assert (
        carried(READ, step)
        == '''\
def read(x):
    """Read."""

    # one session for all
    session = Session()  # opened here

    # first
    try:
        rows = session.query(X)
        if x:
            return """many
  lines"""
            # nothing more
        return rows  # all
    finally:
        session.close()

def other(): pass
'''
    )


def test_cleanup_joins_the_end_of_a_finally_that_is_there() -> None:
    before = "try:\n    a()\nexcept E:\n    b()\nelse:\n    c()\nfinally:\n    # first this\n    d()\n    # then that\n"
    step = WrapInFinally(statement(before, "try"), statement(before, "try"), "db.session.remove()")
    assert carried(before, step) == (
        "try:\n    a()\nexcept E:\n    b()\nelse:\n    c()\nfinally:\n    # first this\n    d()\n"
        "    db.session.remove()\n    # then that\n"
    )


def test_cleanup_gives_a_try_the_finally_it_has_not() -> None:
    before = "while True:\n  try:\n     a()\n  except E: b()\n  else: c()\n  # again\n"
    step = WrapInFinally(statement(before, "try"), statement(before, "try"), "db.session.remove()")
    assert carried(before, step) == (
        "while True:\n  try:\n     a()\n  except E: b()\n  else: c()\n  finally:\n     db.session.remove()\n  # again\n"
    )


def test_cleanup_takes_the_place_of_the_release_it_makes_needless() -> None:
    before = "try:\n    a()\nfinally: s.commit(); s.close()\n"
    step = WrapInFinally(
        statement(before, "try"), statement(before, "try"), "s.remove()", (statement(before, "s.close"),)
    )
    assert carried(before, step) == "try:\n    a()\nfinally:\n    s.commit()\n    s.remove()\n"


def test_except_goes_around_a_statement_and_raises_again() -> None:
    before = "def f(s):\n\ts.add(1)\n\t# now\n\treturn s.commit()  # all\n"
    span = statement(before, "return")
    assert carried(before, WrapInExcept(span, span, "s.rollback()")) == (
        "def f(s):\n\ts.add(1)\n\t# now\n\ttry:\n\t\treturn s.commit()  # all\n"
        "\texcept Exception:\n\t\ts.rollback()\n\t\traise\n"
    )


def test_a_handler_joins_those_of_a_try() -> None:
    before = "try:\n  a()\nexcept E: b()\n# else\nelse: c()\n"
    step = WrapInExcept(statement(before, "try"), statement(before, "try"), "s.rollback()", "not s.is_active")
    assert carried(before, step) == (
        "try:\n  a()\nexcept E: b()\nexcept Exception:\n  if not s.is_active:\n    s.rollback()\n  raise\n"
        "# else\nelse: c()\n"
    )


def test_wraps_need_one_block_in_order() -> None:
    inner, outer = statement(READ, "return"), statement(READ, "return rows")
    reason = "the statements do not stand in one block, one after the other"
    assert refused(READ, WrapInFinally(inner, outer, "x()")) == reason
    assert refused(READ, WrapInFinally(outer, statement(READ, "rows ="), "x()")) == reason


def test_wraps_that_cross_are_refused_and_wraps_inside_one_another_are_not() -> None:
    before = "a()\nb()\nc()\n"
    a, b, c = (statement(before, name) for name in "abc")
    assert refused(before, WrapInFinally(a, b, "x()"), WrapInFinally(b, c, "y()")) == "two new blocks of one plan cross"
    assert carried(before, WrapInFinally(a, c, "x()"), WrapInFinally(b, b, "y()")) == (
        "try:\n    a()\n    try:\n        b()\n    finally:\n        y()\n    c()\nfinally:\n    x()\n"
    )


def test_inserted_statements_stand_right_before_and_after() -> None:
    before = "def f():\n    a()\n\n    # talk\n    talk()  # long\n    # talked\n    b()\n"
    assert carried(before, InsertBefore(statement(before, "talk"), "s.commit()")) == (
        "def f():\n    a()\n\n    s.commit()\n    # talk\n    talk()  # long\n    # talked\n    b()\n"
    )
    assert carried(before, InsertAfter(statement(before, "talk"), "s.commit()")) == (
        "def f():\n    a()\n\n    # talk\n    talk()  # long\n    s.commit()\n    # talked\n    b()\n"
    )


def test_inserting_into_a_line_of_several_statements_gives_each_a_line() -> None:
    before = "for x in y: a(); b();  # both\nc(); d(); e()\n"
    assert (
        carried(
            before, InsertBefore(statement(before, "b"), "x()"), InsertAfter(statement(before, "d"), "if s: s.close()")
        )
        == "for x in y:\n    a()\n    x()\n    b();  # both\nc()\nd()\nif s: s.close()\ne()\n"
    )


def test_before_a_decorated_function_means_before_its_decorators() -> None:
    before = "a()\n\n\n# the view\n@route\n# twice\n@login\ndef f(): pass\n"
    assert carried(before, InsertBefore(statement(before, "def f"), "x()")) == (
        "a()\n\n\n# the view\nx()\n@route\n# twice\n@login\ndef f(): pass\n"
    )


def test_first_in_a_handler_a_loop_and_a_with() -> None:
    before = "try:\n    a()\nexcept E as e:\n    # oh\n    log(e)\nfor x in y: b()\nwith c:\n\n    d()\n"
    done = carried(
        before,
        InsertFirst(statement(before, "except"), "s.rollback()"),
        InsertFirst(statement(before, "for"), "s.begin()"),
        InsertFirst(statement(before, "with"), "s.flush()"),
    )
    assert done == (
        "try:\n    a()\nexcept E as e:\n    s.rollback()\n    # oh\n    log(e)\n"
        "for x in y:\n    s.begin()\n    b()\nwith c:\n\n    s.flush()\n    d()\n"
    )


def test_first_in_a_function_comes_behind_its_docstring() -> None:
    before = 'def f():\n    """Doc."""\n\n    # why\n    a()\n\ndef g():\n    """Doc."""\n\ndef h(): a()\n'
    done = carried(before, *(InsertFirst(statement(before, f"def {name}"), "x()") for name in "fgh"))
    assert done == (
        'def f():\n    """Doc."""\n\n    x()\n    # why\n    a()\n\ndef g():\n    """Doc."""\n    x()\n\n'
        "def h():\n    x()\n    a()\n"
    )


def test_a_deleted_statement_leaves_the_comments_above_it() -> None:
    before = "def f():\n    a()\n\n    # give it back\n    s.close()\n\n    # note\n    return b\n"
    assert carried(before, DeleteStatement(statement(before, "s.close"))) == (
        "def f():\n    a()\n\n    # give it back\n\n    # note\n    return b\n"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f():\n    a()\n\n    s.close()\n    b()\n", "def f():\n    a()\n\n    b()\n"),
        ("def f():\n    a()\n\n    s.close()\n\n    b()\n", "def f():\n    a()\n\n    b()\n"),
        ("def f():\n    s.close()\n\n    b()\n", "def f():\n    b()\n"),
        ("def f():\n    a()\n\n    s.close()\n\n\nb()\n", "def f():\n    a()\n\n\nb()\n"),
        ("def f():\n    a()\n    # why\n    s.close()\n    # end\n", "def f():\n    a()\n    # why\n    # end\n"),
        ("a()\n\n\ns.close()\n\n\nb()\n", "a()\n\n\nb()\n"),
        ("s.close()\n\n\nb()\n", "b()\n"),
        ("a()\ns.close()\n\n\nb()\n", "a()\n\n\nb()\n"),
        ("a()\ns.close()", "a()\n"),
    ],
)
def test_a_deleted_statement_leaves_no_hole(before: str, after: str) -> None:
    assert carried(before, DeleteStatement(statement(before, "s.close"))) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("if x:\n    s.close()\nb()\n", "if x:\n    pass\nb()\n"),
        ("if x: s.close()\n", "if x: pass\n"),
        ("if x: s.close()  # why\n", "if x: pass  # why\n"),
        ("def f():\n    # why\n    s.close()\n", "def f():\n    # why\n    pass\n"),
        ("def f():  # f\n    s.close()\n    # end\n", "def f():  # f\n    pass\n    # end\n"),
        ("try: a()\nfinally:  # b\n    # c\n    s.close()\n    # d\ne()\n", "a()\n# b\n# c\n# d\ne()\n"),
        ("if x:\n    a()\nelse:\n    s.close()\nb()\n", "if x:\n    a()\nb()\n"),
        (
            "if x:\n    a()\nelif y:\n    s.close()\nelse:\n    b()\n",
            "if x:\n    a()\nelif y:\n    pass\nelse:\n    b()\n",
        ),
        ("for x in y: a()\nelse: s.close()\n", "for x in y: a()\n"),
        ("try:\n    a()\nfinally:\n    s.close()\nb()\n", "a()\nb()\n"),
        ("try: a(); b()\nfinally: s.close()\n", "a()\nb()\n"),
        ("try:\n    a()\nexcept E:\n    s.close()\n", "try:\n    a()\nexcept E:\n    pass\n"),
        ("match x:\n  case 1:\n    s.close()\n  case _: b()\n", "match x:\n  case 1:\n    pass\n  case _: b()\n"),
        ("if x:\n    a()\n# or\nelse:\n    # why\n    s.close()\nb()\n", "if x:\n    a()\n# or\n# why\nb()\n"),
    ],
)
def test_a_block_that_would_be_empty(before: str, after: str) -> None:
    assert carried(before, DeleteStatement(statement(before, "s.close"))) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a(); s.close()  # both\n", "a()  # both\n"),
        ("s.close(); a()\n", "a()\n"),
        ("a(); s.close();\n", "a()\n"),
        ("a(); s.close() ; b();\n", "a(); b();\n"),
        ("if x: a(); s.close()\n", "if x: a()\n"),
    ],
)
def test_deleting_one_of_several_on_a_line(before: str, after: str) -> None:
    assert carried(before, DeleteStatement(statement(before, "s.close"))) == after


COMMENTED = ["s.close()  # see the manual\n", "s.close(  # now\n)\n", "if s:\n    # then\n    s.close()\n"]


@pytest.mark.parametrize("before", COMMENTED)
def test_a_comment_that_would_be_lost_is_a_reason_to_refuse(before: str) -> None:
    step = DeleteStatement(statement(before, before.split()[0][:2]))
    assert refused(before, step) == "a comment would be lost with the statement (an unsafe fix may do that)"
    assert carried(before, step, safety=Safety.UNSAFE) == ""


def test_a_noqa_for_others_goes_with_its_statement() -> None:
    before = "s.close()  # noqa: E501\n"
    done = carry_out(before.encode(), "x.py", [plan(DeleteStatement(statement(before, "s.close")))], noqa="ORM")
    assert done.data == b""


def test_an_elif_cannot_be_moved() -> None:
    before = "if x:\n    a()\nelif y:\n    b()\n"
    elif_span = statement(before, "elif")
    for step in (
        DeleteStatement(elif_span),
        InsertBefore(elif_span, "x()"),
        WrapInFinally(elif_span, elif_span, "x()"),
    ):
        assert refused(before, step) == "an elif cannot be moved or deleted by itself"


def test_first_in_an_elif_is_possible() -> None:
    before = "if x:\n    a()\nelif y:\n    b()\n"
    assert carried(before, InsertFirst(statement(before, "elif"), "x()")) == (
        "if x:\n    a()\nelif y:\n    x()\n    b()\n"
    )


@pytest.mark.parametrize("code", ["a(\n)", "1 +", "a()\nb()"])
def test_code_that_is_not_one_line_of_python_is_refused(code: str) -> None:
    assert refused("x()\n", InsertAfter(statement("x()\n", "x"), code)).startswith("the new code ")


def test_a_span_where_nothing_stands_is_refused() -> None:
    span = statement(READ, "rows =")
    moved = span._replace(column=span.column + 1)
    assert refused(READ, DeleteStatement(moved)) == "no statement stands at line 8, column 6"


def test_statements_come_to_stand_in_a_with_block_and_may_change_inside() -> None:
    before = (
        "def f(self):\n    a()\n\n    # why\n    self.db.add(x)  # x\n"
        "    if x:\n        self.db.commit()\n    return x\n"
    )
    uses = [expression(before, "self.db", number) for number in (0, 1)]
    opened = OpenInWith(statement(before, "self.db.add"), statement(before, "if x"), "make()", "db")
    assert carried(before, opened, *(ReplaceExpression(use, "db") for use in uses)) == (
        "def f(self):\n    a()\n\n    # why\n    with make() as db:\n        db.add(x)  # x\n"
        "        if x:\n            db.commit()\n    return x\n"
    )
