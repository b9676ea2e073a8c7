"""What holds for every plan: whole or not at all, in order, off limits where marked, the rest to the byte."""

from __future__ import annotations

import codecs

import pytest
from fix_tools import carried, expression, outcome, plan, refused, statement

from flake8_dbsession.fix.carry_out import carry_out
from flake8_dbsession.fix.plans import (
    AddImport,
    AppendStatements,
    DeleteStatement,
    InsertAfter,
    InsertBefore,
    ReplaceExpression,
    SetKeyword,
    WrapInFinally,
    WrapInWith,
)
from flake8_dbsession.model import Safety, Span

THREE = "a()\nb()\nc()\n"


def delete(text: str, start: str) -> DeleteStatement:
    return DeleteStatement(statement(text, start))


def test_nothing_to_do_changes_nothing() -> None:
    assert carry_out(b"x = 1\r", "x.py", []) == (b"x = 1\r", (), ())


def test_plans_are_carried_out_together() -> None:
    first, second = plan(delete(THREE, "a")), plan(InsertAfter(statement(THREE, "c"), "d()"))
    assert outcome(THREE, second, first) == (b"b()\nc()\nd()\n", (first, second), ())


def test_of_plans_that_meet_the_first_in_the_file_wins() -> None:
    a, b, c = (statement(THREE, name) for name in "abc")
    late, early = plan(DeleteStatement(b)), plan(WrapInFinally(a, b, "x()"))
    apart = plan(DeleteStatement(c))
    done = outcome(THREE, late, apart, early)
    assert done.applied == (early, apart)
    assert done.refused == ((late, "overlaps another fix"),)


@pytest.mark.parametrize("step", [InsertBefore, InsertAfter])
def test_an_insertion_meets_the_deletion_of_its_neighbour(step: type) -> None:
    span = statement(THREE, "b")
    done = outcome(THREE, plan(DeleteStatement(span)), plan(step(span, "x()")))
    assert len(done.applied) == len(done.refused) == 1


def test_a_plan_twice_is_one_plan() -> None:
    twice = plan(delete(THREE, "b"))
    assert outcome(THREE, twice, twice) == (b"a()\nc()\n", (twice,), ())


def test_a_plan_is_carried_out_whole_or_not_at_all() -> None:
    lost = Span(2, 0, 2, 1)
    bad, good = plan(delete(THREE, "a"), DeleteStatement(lost)), plan(delete(THREE, "c"))
    done = outcome(THREE, bad, good)
    assert (done.data, done.applied) == (b"a()\nb()\n", (good,))
    assert done.refused == ((bad, "no statement stands at line 2, column 1"),)


def test_a_plan_without_steps_is_refused() -> None:
    assert refused(THREE) == "the plan has no steps"


def test_the_second_time_there_is_nothing_to_find() -> None:
    text = "def f():\n    s = S()\n    s.add(x)\n    s.close()\n"
    wrap = plan(
        WrapInWith(
            statement(text, "s ="),
            expression(text, "S()"),
            "s",
            statement(text, "s.close"),
            (statement(text, "s.close"),),
        )
    )
    once = outcome(text, wrap)
    twice = carry_out(once.data, "x.py", [wrap])
    assert twice.data == once.data
    assert twice.refused == ((wrap, "no statement stands at line 2, column 5"),)


MARKED = [
    ("s.close()  # noqa\n", True, True),
    ("s.close()  # NOQA: ORM402\n", True, True),
    ("s.close()  # noqa:E501,ORM4\n", True, True),
    ("s.close()  # noqa: O\n", True, True),
    ("s.close()  # why # noqa : ORM402\n", True, True),
    ("s.close()  # noqa: E501\n", True, False),
    ("s.close(\n)  # noqa: ORM402\n", True, True),
    ("s.close(  # noqa\n)\n", True, True),
    ("s.close()  # nothing\n", False, False),
    ("s.close('# noqa')\n", False, False),
    ("# noqa\ns.close()\n", False, False),
]


@pytest.mark.parametrize(("text", "by_any", "by_ours"), MARKED)
def test_a_line_marked_noqa_is_not_changed(text: str, by_any: bool, by_ours: bool) -> None:
    for codes, forbidden in (("", by_any), ("ORM", by_ours)):
        done = carry_out(text.encode(), "x.py", [plan(delete(text, "s."), safety=Safety.UNSAFE)], noqa=codes)
        assert [reason for _, reason in done.refused] == ["the line is marked noqa"] * forbidden


def test_noqa_protects_what_reads_differently_and_not_what_moves() -> None:
    text = "s = S()\ns.add(x)  # noqa\nif a(  # noqa\n  b): c(b)\nd()\n"
    assert outcome(text, plan(WrapInFinally(statement(text, "s ="), statement(text, "d"), "x()"))).refused == ()
    assert outcome(text, plan(InsertBefore(statement(text, "s.add"), "x()"))).refused == ()
    assert outcome(text, plan(ReplaceExpression(expression(text, "b", 1), "x"))).refused == ()
    assert refused(text, ReplaceExpression(expression(text, "b"), "x")) == "the line is marked noqa"
    wrap = WrapInWith(statement(text, "s ="), expression(text, "S()"), "s", statement(text, "d"))
    assert outcome(text, plan(wrap)).refused == ()
    dropping = wrap._replace(drop=(statement(text, "s.add"),))
    assert refused(text, dropping, safety=Safety.UNSAFE) == "the line is marked noqa"


BODY = '''\
{cookie}import os


def f(x):
{i}s = make("\xe9\xdf")  # gr\xfc\xdfe
{i}if x:{t}
{i}{i}s.add(x, """
 {i}fest
\t""")
{i}{i}{t}

{i}# before
{i}s.close(); g()
{i}return x


\x0c
y = f("\xe9",
\x0c  1)   # {t}
class C:
  def m(self): return 1
  # end of C
'''


ENCODINGS = ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-8 with cookie", "iso-8859-15"]


def written(encoding: str, newline: str, indent: str, ending: str) -> bytes:
    name = encoding.split(" ")[0]
    cookie = "" if encoding in ("utf-8", "utf-8-sig") else f"# -*- coding: {name} -*-\n"
    text = BODY.format(cookie=cookie, i=indent, t="  ").rstrip("\n") + ending
    return text.replace("\n", newline).encode(name)


@pytest.mark.parametrize(
    ("encoding", "newline"),
    [(e, n) for e in ENCODINGS for n in ("\n", "\r\n")] + [("utf-8", "\r"), ("utf-8-sig", "\r")],
)
@pytest.mark.parametrize("indent", ["\t", "  ", "    ", "\t  "])
@pytest.mark.parametrize("ending", ["", "\n", "\n\n  \n"])
def test_outside_of_the_edit_the_file_is_the_same_to_the_byte(
    encoding: str, newline: str, indent: str, ending: str
) -> None:
    data = written(encoding, newline, indent, ending)
    wrap = WrapInWith(
        statement(data, "s ="),
        expression(data, 'make("\xe9\xdf")'),
        "s",
        statement(data, "return x"),
        (statement(data, "s.close"),),
    )
    done = carry_out(data, "x.py", [plan(wrap, AddImport("contextlib", "closing"))])
    assert done.refused == ()
    compile(done.data, "x.py", "exec")
    name = encoding.split(" ")[0]

    def as_written(text: str) -> bytes:
        return text.replace("\n", newline).encode("utf-8" if name == "utf-8-sig" else name)

    expected = data
    for old, new in (
        ("import os\n", "import os\nfrom contextlib import closing\n"),
        (f'{indent}s = make("\xe9\xdf")  # gr', f'{indent}with make("\xe9\xdf") as s:  # gr'),
        (f"\n{indent}if x:", f"\n{indent * 2}if x:"),
        (f"\n{indent * 2}s.add(", f"\n{indent * 3}s.add("),
        (f"\n{indent * 2}  \n", f"\n{indent * 3}  \n"),
        (f"\n{indent}# before\n{indent}s.close(); g()\n", f"\n{indent * 2}# before\n{indent * 2}g()\n"),
        (f"\n{indent}return", f"\n{indent * 2}return"),
    ):
        assert expected.count(as_written(old)) == 1
        expected = expected.replace(as_written(old), as_written(new))
    assert done.data == expected


def test_a_byte_order_mark_stays() -> None:
    data = codecs.BOM_UTF8 + b"a()\nb()\n"
    assert outcome(data, plan(DeleteStatement(statement(data, "a")))).data == codecs.BOM_UTF8 + b"b()\n"


def test_new_lines_take_the_most_frequent_newline_and_the_others_stay() -> None:
    data = b"import os\r\nx()\ny = '''\n\r\n'''\r\ndef f():\r\n  z()\n"
    done = outcome(
        data,
        plan(
            InsertAfter(statement(data, "x"), "a()"),
            InsertBefore(statement(data, "z"), "b()"),
            AddImport("abc", "ABC"),
            AppendStatements(statement(data, "def"), "c()"),
        ),
    )
    assert done.data == (
        b"import os\r\nfrom abc import ABC\r\nx()\na()\r\ny = '''\n\r\n'''\r\ndef f():\r\n  b()\r\n  z()\n"
        b"\r\n\r\nc()\r\n"
    )


def test_a_form_feed_before_a_statement_stays() -> None:
    data = b"a()\n\x0c\x0cdef f():\n    b(c)\n"
    assert outcome(data, plan(ReplaceExpression(expression(data, "c"), "d"))).data == data.replace(b"c)", b"d)")
    data = b"a()\n\x0cb(c)\n"
    assert outcome(data, plan(ReplaceExpression(expression(data, "c"), "d"))).data == data.replace(b"c)", b"d)")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"def f():\n\x0c    a()\n    b()\n", "libcst does not give the code back unchanged"),
        (b"def f():\n    a()\n\x0c    b()\n", "libcst does not give the code back unchanged"),
        (b"# coding: utf-7\ndef f():\n    b('+AOQ-')\n", "the encoding utf-7 does not give the file back unchanged"),
    ],
)
def test_what_libcst_or_the_codec_would_spoil_is_refused(data: bytes, reason: str) -> None:
    step = DeleteStatement(statement(data, "b"))
    done = carry_out(data, "x.py", [plan(step)])
    assert done.data == data
    ((_, why),) = done.refused
    assert why.startswith(reason)


def test_such_a_place_in_another_method_does_not_matter() -> None:
    data = b"class A:\n    def f(self):\n\x0c        a()\n    def g(self):\n        b()\n        c()\n"
    done = outcome(data, plan(DeleteStatement(statement(data, "b"))))
    assert done.data == data.replace(b"        b()\n", b"")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("indent", ["\t", "  ", "    "])
def test_around_the_edit_of_a_method_its_class_is_the_same_to_the_byte(indent: str, newline: str) -> None:
    text = (
        "class A:\n->class B:  # inner\n->->x = 1; y = 2\n->-># of f\n->->@staticmethod\n->->def f():\n->->->a()\n"
        "->->->b()\n->->->  # deeper\n->-># of the class\n\n->->def g(self): pass\n->-># last\n\nz = 3  # end"
    )
    data = text.replace("->", indent).replace("\n", newline).encode()
    wrap = WrapInFinally(statement(data, "a"), statement(data, "b"), "c()")
    done = outcome(data, plan(wrap), plan(InsertAfter(statement(data, "def g"), "h = g")))
    new = (
        text.replace("->->->a()\n->->->b()\n", "->->->try:\n->->->->a()\n->->->->b()\n->->->finally:\n->->->->c()\n")
        .replace("g(self): pass\n", "g(self): pass\n->->h = g\n")
        .replace("->", indent)
    )
    assert done.refused == ()
    assert done.data == new.replace("\n", newline).encode()


def test_a_method_that_goes_leaves_its_class() -> None:
    text = "class A:\n    def f(self):\n        a()\n"
    assert carried(text, delete(text, "def f")) == "class A:\n    pass\n"
    text += "    def g(self):\n        b()\n"
    assert carried(text, delete(text, "def f"), InsertBefore(statement(text, "b"), "c()")) == (
        "class A:\n    def g(self):\n        c()\n        b()\n"
    )


def test_such_a_place_elsewhere_in_the_file_does_not_matter() -> None:
    data = b"a()\ndef f():\n\x0c    a()\n    b()\n"
    assert outcome(data, plan(DeleteStatement(statement(data, "a")))).data == data[4:]


def test_code_that_the_encoding_cannot_hold_is_refused() -> None:
    data = b"# coding: latin-1\na(b)\n"
    assert "cannot be written in the encoding iso-8859-1" in refused(
        data, SetKeyword(expression(data, "a(b)"), "k", "'\u20ac'")
    )


def test_a_file_that_is_no_python_is_refused_with_the_parser_s_words() -> None:
    done = carry_out(b"a(\n", "x.py", [plan(DeleteStatement(Span(1, 0, 1, 2)))])
    assert done.refused[0][1].startswith("cannot be parsed: ")


@pytest.mark.parametrize(
    "string",
    [
        '"""one\n  two"""',
        "b'''one\n  two'''",
        'f"""one\n  {x}\n  two"""',
        'f"""{\n  x\n  }"""',
        '"one\\\n  two"',
        'rb"one\\\n  two"',
        '("one"\n  "two")',
        "f'''{x!r:>{\n  y}}'''",
    ],
)
def test_moving_to_the_right_never_changes_a_string(string: str) -> None:
    before = f"if z:\n    x, y = 1, 5\n    s = {string}\n"
    assert f"s = {string}" in carried(
        before, WrapInFinally(statement(before, "s ="), statement(before, "s ="), "a()")
    ) or (string.startswith("("))
    values = []
    for text in (before, carried(before, WrapInFinally(statement(before, "x, y"), statement(before, "s ="), "int()"))):
        names: dict[str, object] = {"z": True}
        exec(text, names)
        values.append(names["s"])
    assert values[0] == values[1]
