"""Do not commit while rows are still being streamed

What it does
    Reports ``commit()`` or ``rollback()`` inside a loop over a ``yield_per`` query or a server-side cursor of the same
    session.

Why it matters
    The commit ends the transaction that the cursor lives in. On PyMySQL the loop silently ends after the first row, on
    psycopg it raises ``InvalidCursorName``; SQLite alone goes on (measured).

Stays silent when
    The rows are read whole first (``all()``), or the commit goes to another session.

Fix safety
    No fix is offered: commit after the loop, or write through a second session.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..questions.asking import first_of_each_node
from ..session.events import Happening
from ..session.values import JOINED
from ..story import name_of
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    if view.is_test:
        return
    for flow in view.flows:
        for event in first_of_each_node(flow.events(Happening.COMMITTED_STREAMING)):
            assert event.resource is not None
            if event.resource.flavour == JOINED:  # the transaction is that of the connection's owner, and goes on
                continue
            name = name_of(flow, event.resource)
            message = f"{verb(event.node)} of {name!r} ends the cursor whose rows are still being read"
            refusal = "commit after the loop, or write through a second session"
            yield view.diagnostic(RULE, event.node, message, (), None, refusal, flow.body)


def verb(node: ast.AST) -> str:
    """What ends the transaction: ``session.rollback()``, or a commit, by itself or in what is called."""
    match node:
        case ast.Call(func=ast.Attribute(attr="rollback")):
            return "rollback"
    return "commit"


RULE = Rule("ORM110", "commit-while-streaming", "commit while a server-side cursor is read", check)
