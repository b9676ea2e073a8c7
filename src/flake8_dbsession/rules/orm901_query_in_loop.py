"""Ask once for many rows, not once for each

What it does
    Reports SQL inside a ``for`` loop or a comprehension.

Why it matters
    Each statement is a round trip to the server, and the connection is held for all of them: a hundred rows are a
    hundred waits. One statement with ``in_()``, a join or an eager load asks once.

Stays silent when
    The statement is the loop's own source; in ``while`` loops, which work on what comes in; in tests and commands.

Fix safety
    No fix is offered: the statement has to be written anew.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..questions.asking import first_of_each_node, is_out_of_scope, within
from ..session.events import Happening
from ..session.flow import Flow
from ..story import name_of
from ..view import View

Loop = ast.For | ast.AsyncFor | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if is_out_of_scope(view, flow):
            continue
        for event in first_of_each_node(flow.events(Happening.QUERIED)):
            if event.resource is not None and inside_for(flow, event.node):
                message = f"{name_of(flow, event.resource)!r} asks the server once for each turn of the loop"
                refusal = "the statement has to ask for all rows at once"
                yield view.diagnostic(RULE, event.node, message, (), None, refusal, flow.body)


def inside_for(flow: Flow, node: ast.AST) -> bool:
    """Whether the node is evaluated in each turn of a ``for`` loop or comprehension."""
    return any(isinstance(loop, Loop) and runs_each_turn(loop, node) for loop in flow.body.own_nodes)


def runs_each_turn(loop: Loop, node: ast.AST) -> bool:
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        return any(within(statement, node) for statement in loop.body)
    first = loop.generators[0].iter
    return within(loop, node) and not within(first, node)


RULE = Rule("ORM901", "query-in-loop", "SQL in each turn of a loop", check, on_by_default=False)
