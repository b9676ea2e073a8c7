"""Where a function may do something with a session: by itself, or in what it calls of the project."""

from __future__ import annotations

import ast

from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import FUNCTION, METHOD, NAMED, OBJECT, OPENED, UNKNOWN, Resource, Value
from ..story import name_of
from ..view import View

_RELOADS = frozenset({"expire", "expire_all", "refresh", "merge", "commit", "rollback", "close", "remove", "reset"})
_USES = (Happening.QUERIED, Happening.TAKEN, Happening.COMMITTED, Happening.CLOSED, Happening.OPENED)


def touches(view: View, flow: Flow, resource: Resource) -> list[ast.AST]:
    """Every place where the function may run SQL on the session, end its transaction, or have its rows loaded anew."""
    own = [event.node for event in flow.events(*_USES) if event.resource == resource]
    own += [part for part in flow.body.own(ast.Attribute) if part.attr in _RELOADS]
    elsewhere = waits_of_libraries(view, flow)
    calls = (call for call in flow.body.own(ast.Call) if call not in elsewhere)
    return own + [call for call in calls if may_touch(view, flow, resource, call)]


def waits_of_libraries(view: View, flow: Flow) -> frozenset[ast.AST]:
    """The calls that are known to wait in a library, whatever object of the project holds its client."""
    waits = ((event.node, event.detail) for event in flow.events(Happening.WAITED))
    return frozenset(n for n, wait in waits if not (wait.chain or view.project.modules.is_first_party(wait.name)))


def may_touch(view: View, flow: Flow, resource: Resource, call: ast.Call) -> bool:
    """Whether a call may lead to code of the project that uses the session."""
    if not is_ours(view, flow, call.func):
        return False
    if resource.origin == OPENED and not is_local(flow, call.func):
        return name_of(flow, resource) in {part.id for part in ast.walk(call) if isinstance(part, ast.Name)}
    function = view.project.evaluate(view.module, call.func)
    if function.kind == METHOD and is_foreign(view, function.extra[0]):
        return False
    summary = view.project.summary(function, ()) if function.kind == FUNCTION else None
    if summary is None:
        return not is_asked_of_library(view, call)
    return any(resource in dict(lives) for lives in (summary.normal, summary.failed))


def is_local(flow: Flow, function: ast.expr) -> bool:
    """Whether a function that is defined inside this one is called, which sees its names."""
    return isinstance(function, ast.Name) and function.id in flow.body.local_names


def is_ours(view: View, flow: Flow, function: ast.expr) -> bool:
    """Whether what is called may be code of the project."""
    first = function
    while isinstance(first, (ast.Attribute, ast.Subscript, ast.Call)):
        first = first.func if isinstance(first, ast.Call) else first.value
    if not isinstance(first, ast.Name):
        return not is_text(first)
    if first.id in flow.body.local_names:
        return first is function or is_object_of_ours(view, flow, first.id)
    return view.project.modules.is_first_party(view.names.resolve(first) or "")


def is_text(expression: ast.expr) -> bool:
    """A constant, or a text that is put together: ``"%s" % name``."""
    if isinstance(expression, ast.BinOp):
        return is_text(expression.left)
    return isinstance(expression, (ast.Constant, ast.JoinedStr))


def is_foreign(view: View, receiver: Value) -> bool:
    """Whether an object of the module is of a class of a library, such as a logger."""
    return receiver.kind == OBJECT and not view.project.modules.is_first_party(receiver.name)


def is_asked_of_library(view: View, call: ast.Call) -> bool:
    """Whether an object of the module that a library makes is asked something, and given nothing that could lead back:
    ``client = docker.DockerClient()``, ``client.ping()``."""
    match call.func:
        case ast.Attribute(value=ast.Name(id=name)):
            binding = view.names.bindings.get(name)
            values = binding.values if binding is not None and not binding.imported else []
            given = (*call.args, *(word.value for word in call.keywords))
            is_plain = all(isinstance(each, ast.Constant) for each in given) and is_no_handle(view, call.func.value)
            return bool(values) and is_plain and all(is_made_by_library(view, value) for value in values)
    return False


def is_no_handle(view: View, owner: ast.expr) -> bool:
    """Whether nothing of SQLAlchemy's is asked."""
    return view.project.evaluate(view.module, owner).kind in (NAMED, OBJECT, UNKNOWN.kind)


def is_made_by_library(view: View, value: ast.expr) -> bool:
    name = view.names.resolve(value.func) if isinstance(value, ast.Call) else None
    return name is not None and not view.project.modules.is_first_party(name)


def is_object_of_ours(view: View, flow: Flow, name: str) -> bool:
    """Whether a local name may stand for an object of a class of the project."""
    values = {s.names[name] for states in flow.solution.before for s in states if name in s.names}
    classes = (view.project.class_info(value.name) for value in values if value.kind == OBJECT)
    return name in ("self", "cls") or any(info is not None for info in classes)
