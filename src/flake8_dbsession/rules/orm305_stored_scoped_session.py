"""Keep the scoped registry, not the session it hands out

What it does
    Reports ``self.session = Session()`` (or a class attribute, or a global) where ``Session`` is a scoped_session: the
    session of one thread is kept for all.

Why it matters
    Calling the registry gives the session of the current thread. Stored, it is used by every thread that comes later,
    concurrently, and ``remove()`` never reaches it.

Stays silent when
    The registry itself is stored, or the object belongs to one unit of work: another method of it closes the session
    and sets the attribute to None, or the function that stores the session removes it from the registry or closes it
    in a ``finally``, or each object is a row, or is made for one call of the function that makes it, or is a thread or
    process that takes the session as it runs.

Fix safety
    Unsafe: the registry is stored instead, so each thread gets its own session.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..fix.plans import ReplaceExpression
from ..model import Diagnostic, Plan, Rule, Safety
from ..names import OF_REQUESTS, is_none
from ..questions.lasting import is_made_for_calls, is_one_shot
from ..session.body import Body
from ..session.flow import Flow
from ..session.values import AMBIENT, SESSION
from ..view import View
from .orm304_global_session import kept


def check(view: View) -> Iterator[Diagnostic]:
    if view.is_test:
        return
    of_the_process = [] if view.is_script else list(kept_of_registries(view))
    if of_the_process and not is_one_shot(view):
        yield from (report(view, name, call, None) for name, call in of_the_process)
    for flow in view.flows:
        for target, call in stored_calls(view, flow):
            if not (is_on_its_object(target) and ends_with_its_work(view, flow.body)):
                yield report(view, view.text(target), call, flow.body)


def kept_of_registries(view: View) -> Iterator[tuple[str, ast.Call]]:
    """Each name that keeps a registry's session for the process, with the call that gives it."""
    for name, call, value in kept(view):
        if value.resource is not None and value.resource.origin == AMBIENT:
            yield name, call


def report(view: View, name: str, call: ast.Call, body: Body | None) -> Diagnostic:
    registry = ast.unparse(call.func)
    step = ReplaceExpression(view.span(call), registry)
    plan = Plan("keep the registry", Safety.UNSAFE, (step,), "each thread gets a session of its own")
    message = f"{name!r} keeps the session of one thread; keep the registry {registry!r} instead"
    return view.diagnostic(RULE, call, message, (), plan, "", body)


def stored_calls(view: View, flow: Flow) -> Iterator[tuple[ast.expr, ast.Call]]:
    """``anything.attribute = Registry()``; what ``g`` has ends with its request, in whose thread it is asked for."""
    for target, value in flow.body.assigned():
        if not isinstance(value, ast.Call) or value.args:
            continue
        match target:
            case ast.Attribute(value=ast.Name() as owner) if view.names.resolve(owner) not in OF_REQUESTS:
                if kept_registry(flow, target) and not is_let_go(view, flow.body, value.func, target):
                    yield target, value


def is_on_its_object(target: ast.expr) -> bool:
    """``self.session``: what the object has of its own."""
    return isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"


def ends_with_its_work(view: View, body: Body) -> bool:
    """Whether an object lives for one unit of work: it is made for one call, is a row, which has a session, or is a
    thread or process that takes the session as it runs."""
    is_row = "sqlalchemy.orm.reconstructor" in view.project.decorators(view.module, body)
    running = {entry.kind for entry in view.units.behind(body)}
    is_thread = bool(running) and running <= {"thread", "process"}
    return is_row or is_thread or is_made_for_calls(view.project, f"{view.module.name}.{body.owner}")


def is_let_go(view: View, body: Body, registry: ast.expr, target: ast.expr) -> bool:
    """Whether what is stored ends here, or is given up by another method."""
    return is_removed_here(body, registry, target) or is_given_up(view, body, target)


def is_removed_here(body: Body, registry: ast.expr, target: ast.expr) -> bool:
    """``Registry.remove()`` in the function that stores its session, or ``finally: self.db.close()``: whatever has it,
    has it for no longer."""
    removal, text = f"{ast.unparse(registry)}.remove", ast.unparse(target)
    at_last = (part for block in body.own(ast.Try) for each in block.finalbody for part in ast.walk(each))
    is_closed = any(isinstance(part, ast.Call) and ends(part, text) for part in at_last)
    return is_closed or any(ast.unparse(part) == removal for part in body.own(ast.Attribute))


def kept_registry(flow: Flow, target: ast.Attribute) -> bool:
    """Whether what is stored came from a registry; one that ``self`` has for itself belongs to it."""
    text = ast.unparse(target)
    kept = [state.names[text] for state in (*flow.returned, *flow.raised) if text in state.names]
    registries = [v.resource for v in kept if v.kind == SESSION and v.resource and v.resource.origin == AMBIENT]
    return any(not (text.startswith("self.") and ":" in registry.key) for registry in registries)


def is_given_up(view: View, body: Body, target: ast.expr) -> bool:
    """Whether another method closes what ``self`` keeps and lets it go: ``self.db.close()``, ``self.db = None``."""
    text = ast.unparse(target)
    others = (b for b in view.module.bodies.values() if body.owner and b.owner == body.owner and b is not body)
    return any(
        any(ast.unparse(let_go) == text and is_none(value) for let_go, value in other.assigned())
        and any(ends(call, text) for call in other.own(ast.Call))
        for other in others
        if text.startswith("self.")
    )


def ends(call: ast.Call, text: str) -> bool:
    """``self.db.close()``, and ``self.db.close`` where it is given to be called: ``await run(self.db.close)``."""
    asked = (each for each in (call.func, *call.args) if isinstance(each, ast.Attribute))
    return any(each.attr in ("close", "remove") and ast.unparse(each.value) == text for each in asked)


RULE = Rule("ORM305", "stored-scoped-session", "session of a scoped registry kept for all threads", check)
