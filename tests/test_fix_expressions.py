"""What each step on expressions makes of a file: before and after, to the byte."""

from __future__ import annotations

import pytest
from fix_tools import carried, expression, refused, statement

from flake8_dbsession.fix.plans import (
    AwaitExpression,
    DeleteStatement,
    ReplaceExpression,
    ReplaceInside,
    SetItem,
    SetKeyword,
    WrapInFinally,
    WrapInWith,
)


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        ("x = Session(bind=db.engine)\n", "Session(bind=db.engine)", "db.session", "x = db.session\n"),
        ("x = Session().query(A)\n", "Session()", "db.session", "x = db.session.query(A)\n"),
        ("f(a)(b)\n", "a", "b or c", "f(b or c)(b)\n"),
        ("a.b()\n", "a", "b or c", "(b or c).b()\n"),
        ("a.b()\n", "a", "lambda: 1", "(lambda: 1).b()\n"),
        ("not a\n", "a", "b, c", "not (b, c)\n"),
        ("1 < a\n", "a", "b or c", "1 < (b or c)\n"),
        ("(a).b()\n", "a", "b or c", "(b or c).b()\n"),
        ("x = [*a]\n", "a", "b or c", "x = [*(b or c)]\n"),
        ("x = [y for y in a if z]\n", "a", "b if c else d", "x = [y for y in (b if c else d) if z]\n"),
        ("x = 'é', a\n", "a", "b", "x = 'é', b\n"),
        ("é = a\n", "a", "b", "é = b\n"),
        (
            "x = (\n    f(a),  # é\n    'é', g(a)  # last\n)\n",
            "g(a)",
            "b",
            "x = (\n    f(a),  # é\n    'é', b  # last\n)\n",
        ),
        ("if (a  # why\n    and b): c\n", "b", "d", "if (a  # why\n    and d): c\n"),
        ("@a(b)\n# c\n@d(b)\ndef f(x=b): pass\n", "d(b)", "e", "@a(b)\n# c\n@e\ndef f(x=b): pass\n"),
        (
            "class C:\n    def f(self, x=b, *,\n          y=a): pass\n",
            "a",
            "c",
            "class C:\n    def f(self, x=b, *,\n          y=c): pass\n",
        ),
        ("if x:\n    a\nelif f(x, y): b\n", "f(x, y)", "c", "if x:\n    a\nelif c: b\n"),
        ("if x: pass\nelif (y and\n   z): b\n", "z", "c", "if x: pass\nelif (y and\n   c): b\n"),
        ("try: a\nexcept (B,\n        C) as e: pass\n", "C", "D", "try: a\nexcept (B,\n        D) as e: pass\n"),
        (
            "async def f():\n\tasync with a(\n\t\tb) as c: pass\n",
            "b",
            "d",
            "async def f():\n\tasync with a(\n\t\td) as c: pass\n",
        ),
        (
            "match f(a):\n    case 1:\n        x(\n          a)\n",
            "f(a)",
            "b",
            "match b:\n    case 1:\n        x(\n          a)\n",
        ),
        ("match f(a):\n  case 1:\n    x(\n       b)\n", "b", "c", "match f(a):\n  case 1:\n    x(\n       c)\n"),
        ("for x in y: a(b, \\\n c); d(c)\n", "c", "e", "for x in y: a(b, \\\n e); d(c)\n"),
        ("while a: b\nelse: c(a)\n", "c(a)", "d", "while a: b\nelse: d\n"),
        ("return_ = lambda: a\n", "a", "b if c else d", "return_ = lambda: b if c else d\n"),
    ],
)
def test_replacing(before: str, old: str, new: str, after: str) -> None:
    assert carried(before, ReplaceExpression(expression(before, old), new)) == after


@pytest.mark.parametrize(
    ("before", "old", "new", "reason"),
    [
        ("x = f'{a}'\n", "a", "b", "the expression stands inside an f-string"),
        ("x = (a for a in b)\n", "(a for a in b)", "c", "libcst has no expression at line 1, column 5"),
        ("x = a\n", "a", "b c", "the new code is no expression: b c"),
        ("match a:\n  case x if b: pass\n", "b", "c", "libcst has no expression at line 2, column 13"),
        ("x=1if a else 2\n", "1", "b", "the new code would not"),
    ],
)
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_replacing_is_refused(before: str, old: str, new: str, reason: str) -> None:
    assert refused(before, ReplaceExpression(expression(before, old), new)).startswith(reason)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()\n", "f(k=1)\n"),
        ("f(a)\n", "f(a, k=1)\n"),
        ("f(a, k=0, b=2)\n", "f(a, k=1, b=2)\n"),
        ("f(*a)\n", "f(*a, k=1)\n"),
        ("f(a, k=0, **b)\n", "f(a, k=1, **b)\n"),
        ("f(a, )\n", "f(a, k=1, )\n"),
        ("f(\n    a,\n    b\n)\n", "f(\n    a,\n    b,\n    k=1\n)\n"),
        ("f(\n    a,\n    b,\n)\n", "f(\n    a,\n    b,\n    k=1,\n)\n"),
        ("f(\n    a,  # one\n    b,  # two\n)\n", "f(\n    a,  # one\n    b,  # two\n    k=1,\n)\n"),
        (
            "f(\n    a,  # one\n    b  # two\n    # three\n)\n",
            "f(\n    a,  # one\n    b,  # two\n    # three\n    k=1\n)\n",
        ),
        ("f(\n    a, b,\n    c)\n", "f(\n    a, b,\n    c,\n    k=1)\n"),
        ("f(\n    a, b, c\n)\n", "f(\n    a, b, c, k=1\n)\n"),
        ("f(\n    a\n)\n", "f(\n    a,\n    k=1\n)\n"),
        ("f(a  # one\n  )\n", "f(a,  # one\n  k=1\n  )\n"),
        ("f(a)\\\n  (b)\n", "f(a)\\\n  (b, k=1)\n"),
    ],
)
def test_a_keyword_stands_as_its_neighbours_do(before: str, after: str) -> None:
    call = expression(before, before.strip())
    assert carried(before, SetKeyword(call, "k", "1")) == after


def test_a_keyword_of_a_nested_call() -> None:
    before = "def f():\n    with g(h(a),\n           i): pass\n"
    assert carried(before, SetKeyword(expression(before, "h(a)"), "pool_pre_ping", "True")) == (
        "def f():\n    with g(h(a, pool_pre_ping=True),\n           i): pass\n"
    )


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("f(**a)\n", "the call takes ** arguments, which may hold 'k' already"),
        ("f(x for x in y)\n", "the only argument is a generator expression without parentheses"),
        ("f[1]\n", "the expression is no call"),
    ],
)
def test_a_keyword_is_refused(before: str, reason: str) -> None:
    assert refused(before, SetKeyword(expression(before, before.strip()), "k", "1")) == reason


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('f"{a.b} {a.b!r:>9} a.b {a.c}"\n', 'f"{x} {x!r:>9} a.b {a.c}"\n'),
        ("'one ' f'{f(a.b)}' \"a.b\"\n", "'one ' f'{f(x)}' \"a.b\"\n"),
        ('f"""{\n  a.b}"""\n', 'f"""{\n  x}"""\n'),
        ('f"{b:{a.b}}"\n', 'f"{b:{x}}"\n'),
    ],
)
def test_what_stands_in_the_braces_of_a_string_is_replaced(before: str, after: str) -> None:
    assert carried(before, ReplaceInside(expression(before, before.strip()), "a.b", "x")) == after


def test_only_a_string_with_braces_has_something_inside() -> None:
    step = ReplaceInside(expression("a.b\n", "a.b"), "a.b", "x")
    assert refused("a.b\n", step) == "the expression is no f-string"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}\n", '{"k": 1}\n'),
        ("{'a': 1}\n", "{'a': 1, 'k': 1}\n"),
        ('{"k": 0, "k": 2, **a}\n', '{"k": 0, "k": 1, **a}\n'),
        ("{**a}\n", '{**a, "k": 1}\n'),
        (
            '{\n    "a": 1,  # one\n    "b": 2,  # two\n}\n',
            '{\n    "a": 1,  # one\n    "b": 2,  # two\n    "k": 1,\n}\n',
        ),
        ("{\n  'a': 1,\n  b: 2  # two\n}\n", "{\n  'a': 1,\n  b: 2,  # two\n  'k': 1\n}\n"),
        ("{\n}\n", '{\n"k": 1}\n'),
    ],
)
def test_an_item_stands_as_its_neighbours_do(before: str, after: str) -> None:
    assert carried(before, SetItem(expression(before, before.strip()), "k", "1")) == after


def test_an_item_needs_a_dictionary_display() -> None:
    before = "{1, 2}\n"
    assert refused(before, SetItem(expression(before, "{1, 2}"), "k", "1")) == "the expression is no dictionary display"


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("s.close()", "await s.close()"),
        ("s.execute().all()", "(await s.execute()).all()"),
        ("x = s.execute()[0]", "x = (await s.execute())[0]"),
        ("return(s.execute())", "return(await s.execute())"),
        ("x = [s.execute() for y in z]", "x = [await s.execute() for y in z]"),
        ("x = -s.execute() ** 2", "x = -await s.execute() ** 2"),
        ("f(s.execute())(s)", "f(await s.execute())(s)"),
        ("if s.execute(): pass", "if await s.execute(): pass"),
    ],
)
def test_awaiting(before: str, expected: str) -> None:
    code = "s.close()" if "close" in before else "s.execute()"
    text = f"async def f():\n    {before}\n"
    assert carried(text, AwaitExpression(expression(text, code))) == f"async def f():\n    {expected}\n"


def test_awaiting_in_a_decorator_belongs_to_the_function_around() -> None:
    before = "async def f():\n    @d(s.close())\n    def g(): pass\n"
    assert "@d(await s.close())" in carried(before, AwaitExpression(expression(before, "s.close()")))


@pytest.mark.parametrize(
    "before",
    [
        "s.close()\n",
        "def f():\n    s.close()\n",
        "async def f(x=s.close()): pass\n",
        "async def f():\n    def g(): s.close()\n",
        "async def f():\n    lambda: s.close()\n",
        "async def f():\n    class C: s.close()\n",
        "async def f():\n    g(s.close() for x in y)\n",
    ],
)
def test_awaiting_is_refused_outside_of_an_async_function(before: str) -> None:
    assert refused(before, AwaitExpression(expression(before, "s.close()"))).startswith("await cannot stand here")


def test_awaiting_twice_is_refused() -> None:
    before = "async def f():\n    await s.close()\n"
    for code in ("s.close()", "await s.close()"):
        assert refused(before, AwaitExpression(expression(before, code))) == "the expression is awaited already"


def test_several_steps_of_one_plan_meet_in_one_statement() -> None:
    before = "async def f():\n    s = make(url)\n    x = s.get(A); s.close()\n    return x\n"
    done = carried(
        before,
        WrapInWith(
            statement(before, "s ="), expression(before, "make(url)"), "s", statement(before, "return"), is_async=True
        ),
        SetKeyword(expression(before, "make(url)"), "echo", "False"),
        AwaitExpression(expression(before, "s.get(A)")),
        DeleteStatement(statement(before, "s.close")),
    )
    assert done == (
        "async def f():\n    async with make(url, echo=False) as s:\n        x = await s.get(A)\n        return x\n"
    )


def test_an_expression_changes_in_a_statement_that_moves() -> None:
    before = "try:\n    a(x)\nexcept E(x): pass\nelse: b(x)\n"
    done = carried(
        before,
        *(ReplaceExpression(expression(before, "x", number), "y") for number in range(3)),
        WrapInFinally(statement(before, "a"), statement(before, "a"), "c()"),
    )
    assert done == "try:\n    try:\n        a(y)\n    finally:\n        c()\nexcept E(y): pass\nelse: b(y)\n"
