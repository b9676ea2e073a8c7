"""Roll back where a write can fail

What it does
    Reports a flush or commit of a session that others go on with (a scoped registry, an attribute) in a function that
    lets its failure out without ``rollback()``.

Why it matters
    A flush or commit that raises leaves the session unusable and its connection checked out until somebody rolls back
    (measured). Whoever catches the exception further up has to know which session it was.

Stays silent when
    The function rolls back, closes or removes on the way out; for sessions that are opened here or handed in, which
    belong to somebody else; in tests and commands.

Fix safety
    No fix is offered: the caller may roll back.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..questions.asking import is_out_of_scope
from ..session.events import Happening
from ..session.flow import Flow
from ..session.state import FAILED
from ..session.values import AMBIENT, ATTRIBUTE, CONTEXT, Resource
from ..story import name_of
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if is_out_of_scope(view, flow):
            continue
        for resource in left_failed(flow):
            node = written_at(flow, resource)
            if node is not None:
                message = f"{name_of(flow, resource)!r} is left failed when this raises: nothing rolls back"
                yield view.diagnostic(RULE, node, message, (), None, "the caller may roll back", flow.body)


def left_failed(flow: Flow) -> list[Resource]:
    """The sessions of others that leave the function failed, with the exception that made them so."""
    found = {
        resource
        for state in flow.raised
        if state.raising == "db"
        for resource, life in state.lives.items()
        if resource.origin in (AMBIENT, ATTRIBUTE) and resource.flavour != CONTEXT and life.phases & FAILED
    }
    return sorted(found)


def written_at(flow: Flow, resource: Resource) -> ast.AST | None:
    """The first commit of the session."""
    return next((event.node for event in flow.events(Happening.COMMITTED) if event.resource == resource), None)


RULE = Rule("ORM904", "write-without-rollback", "failed write that nothing rolls back", check, on_by_default=False)
