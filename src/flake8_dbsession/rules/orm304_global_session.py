"""Do not keep one session for the whole process

What it does
    Reports a session (not a registry or factory) that is kept at module level, as a class attribute or a default
    argument, that a function puts into a global, or that a method opens once, keeps on its object and hands to every
    caller.

Why it matters
    Every request, thread and task uses the same session: its transaction never ends for all of them at once, one
    failure poisons it for everybody, and concurrent use returns wrong rows (measured on PyMySQL).

Stays silent when
    What is kept is a scoped_session, a sessionmaker or an engine; anybody closes the session that an object keeps; in
    tests, commands and one-shot scripts.

Fix safety
    No fix is offered: keep the factory and open a session for each unit of work.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..session.values import AMBIENT, SESSION, Value
from ..stored import shared_by_callers
from ..view import View


def check(view: View) -> Iterator[Diagnostic]:
    if view.is_test or view.is_script or is_main(view):
        return
    for name, node, value in kept(view):
        if value.resource is not None and value.resource.origin == AMBIENT:
            continue  # of a registry, which is another rule's
        message = f"{name!r} is one session for the whole process; keep the factory instead"
        refusal = "each unit of work needs a session of its own"
        yield view.diagnostic(RULE, node, message, (), None, refusal)
    for flow in view.flows:
        for name, opened in shared_by_callers(view, flow):
            message = f"{name!r} is one session for everybody who asks the object; hand out the factory instead"
            yield view.diagnostic(RULE, opened, message, (), None, "each unit of work needs a session of its own")


def is_main(view: View) -> bool:
    """A file that is run, not imported."""
    return any(
        isinstance(s, ast.If) and isinstance(s.test, ast.Compare) and ast.unparse(s.test.left) == "__name__"
        for s in view.source.tree.body
    )


def kept(view: View) -> Iterator[tuple[str, ast.Call, Value]]:
    """Each name that keeps a session for the process, with the call that opens it and what the call gives."""
    for name, expression in lasting(view):
        if isinstance(expression, ast.Call):
            value = view.project.evaluate(view.module, expression)
            if value.kind == SESSION and value.resource is not None and value.resource.type != "PoolProxiedConnection":
                yield name, expression, value


def lasting(view: View) -> Iterator[tuple[str, ast.expr]]:
    """What module level, class bodies and default arguments bind."""
    for name, binding in view.names.bindings.items():
        yield from ((name, value) for value in binding.values)
    for info in view.module.classes.values():
        yield from ((f"{info.name}.{name}", value) for name, value in info.values.items())
    for body in view.module.bodies.values():
        yield from ((ast.unparse(value), value) for value in body.defaults.values())


RULE = Rule("ORM304", "global-session", "session kept for the whole process", check)
