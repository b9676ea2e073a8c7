"""Do not keep one session for the whole process

What it does
    Reports a session (not a registry or factory) that is kept at module level, there also on an object
    (``app.db = make()``), as a class attribute or a default argument, that a function puts into a global or into a
    dictionary of the module, or returns to a cache over it (``@lru_cache``), that one which runs as the process starts
    puts into what it is given (``app.state``, the context of arq's jobs), that a constructor, or a method that is
    called later, keeps on an object of which one is kept like that, that a method opens once, keeps on its object and
    hands to every caller, or that a function opens for the handlers that stand in it (``@app.route`` in a
    ``create_app()``).

Why it matters
    Every request, thread and task uses the same session: its transaction never ends for all of them at once, one
    failure poisons it for everybody, and concurrent use returns wrong rows (measured on PyMySQL).

Stays silent when
    What is kept is a scoped_session, a sessionmaker or an engine; anybody closes the session that an object keeps, or
    each object of the class is made for one call of a function (ORM101 speaks of those); in tests, commands and
    scripts that serve nobody; only the statements of a file work with it, which close it again or that nobody imports.

Fix safety
    No fix is offered: keep the factory and open a session for each unit of work.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..names import all_given
from ..questions.captured import captured_by_handlers
from ..questions.containers import kept_in_dictionaries
from ..questions.lasting import (
    is_imported,
    is_made_for_calls,
    is_one_shot,
    kept_by_functions,
    kept_with_objects,
    lasting,
)
from ..questions.remembered import remembered_by_caches, remembered_by_objects
from ..questions.startups import kept_at_the_start
from ..questions.stored import shared_by_callers
from ..session.values import AMBIENT, FACTORY, OBJECT, OPENED, REGISTRY, SESSION, Value
from ..view import View, asked_once

_OWN = "each unit of work needs a session of its own"


def check(view: View) -> Iterator[Diagnostic]:
    if view.is_test or view.is_script:
        return
    found = list(reports(view))
    if found and not is_one_shot(view):
        yield from found


def reports(view: View) -> Iterator[Diagnostic]:
    for name, node, value in kept(view):
        if value.resource is not None and value.resource.origin == AMBIENT:
            continue  # of a registry, which is another rule's
        message = f"{name!r} is one session for the whole process; keep the factory instead"
        yield view.diagnostic(RULE, node, message, (), None, _OWN)
    for flow in view.flows:
        for name, opened in shared_by_callers(view, flow):
            owner = f"{view.module.name}.{flow.body.owner}".lstrip(".")
            if not view.project.is_made_once(owner) and is_made_for_calls(view.project, owner):
                continue
            message = f"{name!r} is one session for everybody who asks the object; hand out the factory instead"
            yield view.diagnostic(RULE, opened, message, (), None, _OWN)
        for name, opened in kept_at_the_start(view, flow):
            message = f"{name!r} is one session for all that the process serves; keep the factory instead"
            yield view.diagnostic(RULE, opened, message, (), None, _OWN, flow.body)
        for name, opened in kept_by_functions(flow):
            message = f"{name!r} is one session for the whole process; keep the factory instead"
            yield view.diagnostic(RULE, opened, message, (), None, _OWN, flow.body)
        for opened, name, handler in captured_by_handlers(view, flow):
            message = f"{name!r} is one session for every call of {handler}(); open one in each"
            yield view.diagnostic(RULE, opened, message, (), None, _OWN, flow.body)
        for name, opened in (*kept_in_dictionaries(view, flow), *remembered_by_caches(view, flow)):
            message = f"{name!r} is one session for everybody who asks for it; keep the factory instead"
            yield view.diagnostic(RULE, opened, message, (), None, _OWN, flow.body)
        for name, opened, keeper in (*kept_with_objects(view, flow), *remembered_by_objects(view, flow)):
            message = f"'self.{name}' is one session for the whole process, since {keeper!r} keeps the object"
            yield view.diagnostic(RULE, opened, message, (), None, _OWN, flow.body)


@asked_once
def kept(view: View) -> list[tuple[str, ast.Call, Value]]:
    """Each name that keeps a session for the process, with the call that opens it and what the call gives."""
    return list(_kept(view))


def _kept(view: View) -> Iterator[tuple[str, ast.Call, Value]]:
    for name, expression in lasting(view.module):
        call = call_of(expression)
        if call is None:
            continue
        value = view.project.evaluate(view.module, expression)
        is_one = value.kind == SESSION and value.resource is not None and value.resource.type != "PoolProxiedConnection"
        if is_one and not is_for_the_file_itself(view, name):
            yield name, call, value if not is_of_factory(view, call) else of_factory(value)


def call_of(expression: ast.expr) -> ast.Call | None:
    """The call that gives a value, by itself or as one of several: ``engine, session = connected()``."""
    match expression:
        case ast.Call() as call:
            return call
        case ast.Subscript(value=ast.Call() as call, slice=ast.Constant(value=int())):
            return call
    return None


def is_for_the_file_itself(view: View, name: str) -> bool:
    """Whether only the file's own statements work with what is kept there: they close it again, or the file is run from
    top to bottom, and ends. What a program closes at its end is its own, whatever it is given to before, where nobody
    else runs its functions."""
    top, functions = view.module.top, view.module.bodies.values()
    alone = not any(view.units.entries(body) for body in functions)
    if alone and is_closed(view, name) and not is_imported(view):
        return True
    used = any(isinstance(node.ctx, ast.Load) and node.id == name for node in top.own(ast.Name))
    given = any(is_given(value, name) and goes_on(view, value) for _, value in top.assigned())
    others = (body for body in functions if name not in body.local_names)
    by_functions = any(node.id == name for body in others for node in body.own(ast.Name))
    return used and not given and not by_functions and (is_closed(view, name) or not is_imported(view))


def is_closed(view: View, name: str) -> bool:
    """``connection.close()`` among the statements of the file."""
    called = (call.func for call in view.module.top.own(ast.Call) if isinstance(call.func, ast.Attribute))
    return any(f.attr == "close" and isinstance(f.value, ast.Name) and f.value.id == name for f in called)


def goes_on(view: View, value: ast.expr) -> bool:
    """Whether what is made keeps what it is made of."""
    return view.project.evaluate(view.module, value).kind in (FACTORY, OBJECT, REGISTRY, SESSION)


def is_given(value: ast.expr, name: str) -> bool:
    """``Session = scoped_session(sessionmaker(bind=connection))``."""
    calls = (part for part in ast.walk(value) if isinstance(part, ast.Call))
    arguments = (argument for call in calls for argument in all_given(call))
    return any(isinstance(argument, ast.Name) and argument.id == name for argument in arguments)


def is_of_factory(view: View, call: ast.Call) -> bool:
    """Whether what is called becomes a registry on a later line only, ``Session = scoped_session(Session)``."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    binding = view.names.bindings.get(name)
    before = [value for value in binding.values if value.lineno < call.lineno] if binding is not None else []
    kinds = {view.project.evaluate(view.module, value).kind for value in before}
    return FACTORY in kinds and REGISTRY not in kinds


def of_factory(session: Value) -> Value:
    """The session as one that is opened where it is kept."""
    resource = session.resource
    return session if resource is None else session._replace(resource=resource._replace(origin=OPENED))


RULE = Rule("ORM304", "global-session", "session kept for the whole process", check)
