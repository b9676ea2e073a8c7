"""Create a sessionmaker or scoped_session once for the process

What it does
    Reports a scoped_session that is built inside a function and used there, and ``sessionmaker(…)()`` that builds a
    factory for one session.

Why it matters
    A registry of its own gives every call a session of its own, which nobody else can remove; the factory is configured
    anew for each session.

Stays silent when
    The factory is returned, kept or passed on; in tests, migrations and commands.

Fix safety
    No fix is offered: the registry belongs to module level.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..reports import is_out_of_scope
from ..session.events import Happening
from ..session.flow import Flow
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if is_out_of_scope(view, flow):
            continue
        made = {e.node for e in flow.events(Happening.REGISTRY_MADE)}
        for node in used_at_once(flow, made):
            message = f"{view.text(node)!r} builds a session factory for this one call"
            yield view.diagnostic(RULE, node, message, (), None, "the factory belongs to module level", flow.body)


def used_at_once(flow: Flow, made: set[ast.AST]) -> Iterator[ast.AST]:
    """``sessionmaker(…)()``: a call whose function is the construction itself."""
    for node in flow.body.own_nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Call) and node.func in made:
            yield node.func


RULE = Rule("ORM404", "registry-per-call", "session factory built for one call", check)
