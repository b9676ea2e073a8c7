"""Where an import comes to stand, and when it does not."""

from __future__ import annotations

import pytest
from fix_tools import carried, outcome, plan, refused, statement

from flake8_dbsession.fix.plans import AddImport, AppendStatements, DeleteStatement, InsertBefore, WrapInFinally

CLOSING = AddImport("contextlib", "closing")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x()\n", "from contextlib import closing\n\nx()\n"),
        ("\nx()\n", "\nfrom contextlib import closing\n\nx()\n"),
        ("def x(): pass\n", "from contextlib import closing\n\n\ndef x(): pass\n"),
        ('"""Doc."""\n\nx()\n', '"""Doc."""\n\nfrom contextlib import closing\n\nx()\n'),
        ('"""Doc."""\nx()\n', '"""Doc."""\n\nfrom contextlib import closing\n\nx()\n'),
        (
            "#!/usr/bin/python\n# -*- coding: utf-8 -*-\nx()\n",
            "#!/usr/bin/python\n# -*- coding: utf-8 -*-\n\nfrom contextlib import closing\n\nx()\n",
        ),
        ("# licence\n\n# the x\nx()\n", "# licence\n\nfrom contextlib import closing\n\n# the x\nx()\n"),
        (
            "from __future__ import annotations\n\nx()\n",
            "from __future__ import annotations\n\nfrom contextlib import closing\n\nx()\n",
        ),
        (
            "from __future__ import annotations\nx()\n",
            "from __future__ import annotations\n\nfrom contextlib import closing\n\nx()\n",
        ),
        ("import os\nimport sys\nx()\n", "import os\nimport sys\nfrom contextlib import closing\nx()\n"),
        (
            "import os\nfrom abc import ABC\nfrom sys import path\nx()\n",
            "import os\nfrom abc import ABC\nfrom contextlib import closing\nfrom sys import path\nx()\n",
        ),
        (
            "from sys import path\nfrom abc import ABC\nx()\n",
            "from sys import path\nfrom abc import ABC\nfrom contextlib import closing\nx()\n",
        ),
        ("# mine\nfrom sys import path\n", "# mine\nfrom contextlib import closing\nfrom sys import path\n"),
        (
            "import sqlalchemy\n\nfrom . import db\nx()\n",
            "from contextlib import closing\n\nimport sqlalchemy\n\nfrom . import db\nx()\n",
        ),
        (
            "__all__ = ['x']\n\nimport os\n\nx()\n",
            "__all__ = ['x']\n\nimport os\nfrom contextlib import closing\n\nx()\n",
        ),
        ("from contextlib import suppress\nx()\n", "from contextlib import closing, suppress\nx()\n"),
        (
            "from contextlib import aclosing, suppress  # both\nx()\n",
            "from contextlib import aclosing, closing, suppress  # both\nx()\n",
        ),
        (
            "from contextlib import suppress, aclosing\nx()\n",
            "from contextlib import suppress, aclosing, closing\nx()\n",
        ),
        (
            "from contextlib import (\n    aclosing,\n    suppress,\n)\nx()\n",
            "from contextlib import (\n    aclosing,\n    closing,\n    suppress,\n)\nx()\n",
        ),
        (
            "from contextlib import (\n    aclosing,  # a\n    chdir  # c\n)\nx()\n",
            "from contextlib import (\n    aclosing,  # a\n    chdir,  # c\n    closing\n)\nx()\n",
        ),
        ("from contextlib import suppress as quiet\nx()\n", "from contextlib import closing, suppress as quiet\nx()\n"),
        (
            "from contextlib import suppress  # noqa: F401\nx()\n",
            "from contextlib import suppress  # noqa: F401\nfrom contextlib import closing\nx()\n",
        ),
        ("import os", "import os\nfrom contextlib import closing"),
    ],
)
def test_an_import_stands_where_its_kind_does(before: str, after: str) -> None:
    assert carried(before, CLOSING) == after


def test_other_sections() -> None:
    before = "import os\n\nimport sqlalchemy\n\nfrom .db import engine\n\nx()\n"
    done = carried(before, AddImport("sqlalchemy.orm", "Session"), AddImport("contextlib"), AddImport(".db", "Base"))
    assert done == (
        "import contextlib\nimport os\n\nimport sqlalchemy\nfrom sqlalchemy.orm import Session\n\n"
        "from .db import Base, engine\n\nx()\n"
    )


def test_sections_that_are_new_stand_apart() -> None:
    done = carried("x()\n", AddImport("sqlalchemy.orm", "Session"), AddImport("sqlalchemy", "event"), CLOSING)
    assert done == (
        "from contextlib import closing\n\nfrom sqlalchemy import event\nfrom sqlalchemy.orm import Session\n\nx()\n"
    )


@pytest.mark.parametrize(
    ("before", "step"),
    [
        ("from contextlib import closing\nx()\n", CLOSING),
        ("from contextlib import suppress, closing as closing\nx()\n", CLOSING),
        ("import contextlib\nx()\n", AddImport("contextlib")),
        ("import a.b, c\nx()\n", AddImport("a.b")),
    ],
)
def test_nothing_is_imported_twice(before: str, step: AddImport) -> None:
    at = statement(before, "x()")
    assert carried(before, step, InsertBefore(at, "y()")) == before.replace("x()", "y()\nx()")


def test_an_import_below_the_use_does_not_help_it_unless_a_function_waits_for_it() -> None:
    before = "x()\nfrom contextlib import closing\n"
    assert carried(before, CLOSING, InsertBefore(statement(before, "x"), "y()")).startswith(
        "from contextlib import closing\n"
    )
    before = "def f():\n    x()\nfrom contextlib import closing\n"
    assert carried(before, CLOSING, InsertBefore(statement(before, "x"), "y()")) == before.replace(
        "x()", "y()\n    x()"
    )


@pytest.mark.parametrize(
    "before",
    [
        "closing = 1\n",
        "def closing(): pass\n",
        "def f(closing): pass\n",
        "from other import closing\n",
        "import closing\n",
        "def f():\n    for closing in x: pass\n",
        "try: pass\nexcept E as closing: pass\n",
        "match x:\n    case [closing]: pass\n",
        "try:\n    from contextlib import closing\nexcept ImportError:\n    closing = None\n",
    ],
)
def test_a_name_with_another_meaning_is_a_reason_to_refuse(before: str) -> None:
    assert refused(before, CLOSING) == "the name 'closing' means something else in this file"


def test_an_import_inside_a_function_is_no_other_meaning() -> None:
    before = "def f():\n    from contextlib import closing\n    x()\n"
    assert carried(before, CLOSING).startswith("from contextlib import closing\n\n\ndef f")


def test_plans_share_an_import() -> None:
    before = "import os\n\nx()\ny()\n"
    plans = [plan(CLOSING, DeleteStatement(statement(before, name))) for name in ("x", "y")]
    done = outcome(before, *plans)
    assert done.applied == tuple(plans)
    assert done.data == b"import os\nfrom contextlib import closing\n"


def test_an_import_is_not_left_behind_by_a_refused_plan() -> None:
    before = "import os\n\nx()  # why\ny()\n"
    bad, good = (plan(CLOSING, DeleteStatement(statement(before, name))) for name in ("x", "y"))
    good = good._replace(steps=good.steps[1:])
    done = outcome(before, bad, good)
    assert done.applied == (good,)
    assert done.data == b"import os\n\nx()  # why\n"


TEARDOWN = '@app.teardown_appcontext\ndef shutdown(exception=None):\n    """Give\n    back."""\n    Session.remove()\n'


def test_appended_statements_stand_apart() -> None:
    before = "app = Flask()  # app\nuse(app)\n"
    assert carried(before, AppendStatements(statement(before, "app"), TEARDOWN)) == (
        f"app = Flask()  # app\n\n\n{TEARDOWN}\n\nuse(app)\n"
    )
    assert carried(before, AppendStatements(statement(before, "use"), "event.listen(a, b)")) == (
        f"{before}\nevent.listen(a, b)\n"
    )


def test_appended_statements_take_the_indentation_of_the_file_but_strings_do_not() -> None:
    before = "def f():\n\tif x:\n\t\ty()\n\t# end\n\n\nx = 1\n"
    done = carried(before, AppendStatements(statement(before, "def"), TEARDOWN))
    assert done == before.replace(
        "# end\n", "# end\n\n\n" + TEARDOWN.replace("    ", "\t").replace("\tback", "    back")
    )


def test_appended_statements_stand_at_module_level() -> None:
    before = "def f():\n    x()\n"
    assert (
        refused(before, AppendStatements(statement(before, "x"), "y()"))
        == "the statement does not stand at module level"
    )


def test_new_lines_inside_another_fix_are_refused() -> None:
    before = "a()\nb()\n"
    steps = (
        WrapInFinally(statement(before, "a"), statement(before, "b"), "c()"),
        AppendStatements(statement(before, "a"), "d()"),
    )
    assert refused(before, *steps) == "new lines would have to stand inside another fix"
