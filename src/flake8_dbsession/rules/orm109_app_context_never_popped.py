"""Leave every app context that is entered

What it does
    Reports ``app.app_context().push()`` in a function that never pops the context.

Why it matters
    Flask-SQLAlchemy removes its session when the app context is left. One that is pushed and never popped keeps its
    connection, also after the thread has ended and after garbage collection (measured 1 → 1).

Stays silent when
    The same function or class pops a context, or awaits the ``push()``, which is Quart's and ends with its task; a
    worker enters it once, and removes the session itself in each turn of its loop; in tests, commands, scripts with
    the steps of a flow of Prefect, and at module level, where the context lives as long as the process.

Fix safety
    No fix is offered: the extent of the context is the author's decision.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..questions.asking import ends, ends_with_commands, first_of_each_node, within
from ..questions.lasting import is_one_shot
from ..questions.working_loops import is_endless, is_inside
from ..session.body import Body
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.values import AMBIENT
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        awaited = [each.value for each in flow.body.own(ast.Await)]
        pushed = [e for e in first_of_each_node(flow.events(Happening.PUSHED)) if e.node not in awaited]
        if not pushed or flow.body.node is None or ends_with_commands(view, flow) or is_popped(view, flow):
            continue
        if is_step_of_a_script(view, flow):
            continue
        for event in pushed:
            if is_removed_in_turns(flow, event):
                continue
            where = "not left where something raises" if pops_of(view, flow) else "never left"
            message = f"{view.text(event.node)!r} enters an app context that is {where}, so its session is not removed"
            yield view.diagnostic(RULE, event.node, message, (), None, "the context's extent is not known", flow.body)


def is_removed_in_turns(flow: Flow, pushed: Event) -> bool:
    """Whether a worker enters the context once for all that it does, and removes the session itself in each turn."""
    begin = pushed.node.lineno  # type: ignore[attr-defined]
    loops = [each for each in flow.body.own(ast.While) if is_endless(each) and each.lineno > begin]
    removed = (e for e in flow.events(Happening.CLOSED) if e.resource is not None and e.resource.origin == AMBIENT)
    return any(is_inside(event.node, loop) for event in removed for loop in loops)


def is_step_of_a_script(view: View, flow: Flow) -> bool:
    """Whether a script runs the function in a flow of its own, which ends with the process."""
    entries = [entry for body in view.module.bodies.values() for entry in view.units.entries(body)]
    steps = [entry for entry in entries if entry.runs_where_called]
    others = all(entry.is_short_lived for entry in entries if entry not in steps)
    return bool(steps) and others and is_one_shot(view) and ends(view, flow)


def is_popped(view: View, flow: Flow) -> bool:
    """Whether the function pops a context on every way out, or something else of its class does."""
    pops = pops_of(view, flow)
    if len(bodies_of(view, flow)) > 1 or flow.body.is_generator or not pops:
        return bool(pops)
    finals = [s for node in flow.body.own_nodes if isinstance(node, ast.Try) for s in node.finalbody]
    return any(within(final, pop) for final in finals for pop in pops)


def bodies_of(view: View, flow: Flow) -> list[Body]:
    """The function, or all methods of its class."""
    owner = flow.body.owner
    return [body for body in view.module.bodies.values() if body.owner == owner] if owner else [flow.body]


def pops_of(view: View, flow: Flow) -> list[ast.AST]:
    return [node for body in bodies_of(view, flow) for node in body.own_nodes if is_pop(node)]


def is_pop(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "pop"
        and (not node.args or is_context(node.func.value))
    )


def is_context(receiver: ast.expr) -> bool:
    """Whether something is called like a context, whose ``pop`` takes the exception that ends it."""
    name = receiver.attr if isinstance(receiver, ast.Attribute) else getattr(receiver, "id", "")
    return name.lower().endswith(("context", "ctx"))


RULE = Rule("ORM109", "app-context-never-popped", "app context pushed and never popped", check)
