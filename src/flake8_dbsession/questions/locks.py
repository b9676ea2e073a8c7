"""Locks that nobody else has, or that nobody holds for longer than it takes to set a few names."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..project.modules.module import Module
from ..project.project import Project
from ..session.events import Event
from ..session.flow import Flow
from ..session.values import ATTRIBUTE, CAPTURED, FUNCTION, OBJECT, UNKNOWN, Value
from ..view import View

_PLAIN = frozenset({"threading.Lock", "threading.RLock"})
_QUICK = frozenset(
    {"add", "append", "clear", "copy", "discard", "extend", "get", "insert", "isoformat", "items", "keys", "pop"}
    | {"popitem", "popleft", "remove", "reverse", "setdefault", "sort", "update", "values"}
    | {"endswith", "format", "join", "lower", "split", "startswith", "strip", "upper"}
    | {"monotonic", "now", "strftime", "time", "timestamp", "total_seconds", "utcnow"}
)
"""Methods of lists, dictionaries, sets, texts and times."""
_DEPTH = 2
_SHARED = frozenset({ATTRIBUTE, CAPTURED})
_BUILTINS = frozenset({"bool", "dict", "float", "frozenset", "int", "list", "max", "min", "set", "str", "sum", "tuple"})


def is_own_lock(flow: Flow, event: Event) -> bool:
    """Whether the wait is for a lock that the function makes itself and gives to nobody: it only ever enters it."""
    lock = event.node
    if event.detail.name not in _PLAIN or not isinstance(lock, ast.Name):
        return False
    makes = any(isinstance(target, ast.Name) and target.id == lock.id for target, _ in flow.body.assigned())
    entered = {item.context_expr for block in flow.body.own(ast.With) for item in block.items}
    uses = [node for statement in flow.body.statements for node in ast.walk(statement) if is_use(node, lock.id)]
    return makes and all(use in entered for use in uses)


def is_inside_lock(view: View, flow: Flow, event: Event) -> bool:
    """Whether the wait is for a lock inside of a block over another lock of the file: no more than one thread at a time
    waits there with a connection, and none for longer than statements take that nobody waits in."""
    if event.detail.name not in _PLAIN or event.detail.chain or not isinstance(event.node, ast.Name):
        return False
    if is_held_while_waiting(view, event.node.id):
        return False
    around = (block for block in flow.body.own(ast.With) if any(part is event.node for part in ast.walk(block)))
    locks = (item.context_expr for block in around for item in block.items if item.context_expr is not event.node)
    return any(isinstance(lock, ast.Name) and is_lock_of_file(view, lock) for lock in locks)


def is_held_while_waiting(view: View, lock: str) -> bool:
    """Whether something in a block that holds the lock waits, for anything but another lock."""
    places = [place for flow in view.flows for place in flow.scope.waits.items()]
    seen = {id(node) for (what, *_), node in places if what.name not in _PLAIN}
    parts = [part for block in blocks(view, lock) for part in ast.walk(block)]
    return any(id(part) in seen or (isinstance(part, ast.Call) and is_wait(view, part)) for part in parts)


def is_wait(view: View, call: ast.Call) -> bool:
    """Whether what is called is known to wait: ``time.sleep(60)``, in a function that has no session, too."""
    name = view.names.resolve(call.func)
    fact = view.project.known.call(name) if name is not None else None
    return fact is not None and bool(fact.kind)


def is_lock_of_file(view: View, lock: ast.Name) -> bool:
    """``LOCK = threading.Lock()`` among the statements of the file."""
    binding = view.names.bindings.get(lock.id)
    calls = [each for each in binding.values if isinstance(each, ast.Call)] if binding is not None else []
    return any(view.names.resolve(call.func) in _PLAIN for call in calls)


def is_guard_of_session(flow: Flow, event: Event) -> bool:
    """Whether the wait is for the lock under which the function has used a session that others have, too: they use the
    same session, and its connection, while they hold the lock."""
    if event.detail.name not in _PLAIN or event.resource is None or event.resource.origin not in _SHARED:
        return False
    lock = ast.unparse(event.node)
    around = (block for block in flow.body.own(ast.With) if any(part is event.taken for part in ast.walk(block)))
    return any(ast.unparse(item.context_expr) == lock for block in around for item in block.items)


def is_use(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)


def is_short_lock(view: View, event: Event) -> bool:
    """Whether the wait is for a lock of the file, all of whose blocks only work on values in memory."""
    if event.detail.name not in _PLAIN or not isinstance(event.node, (ast.Name, ast.Attribute)):
        return False
    text = ast.unparse(event.node)
    taken = any(
        isinstance(n, ast.Attribute) and n.attr == "acquire" and ast.unparse(n.value) == text for n in nodes(view)
    )
    return not taken and all(is_quick(view, block) for block in blocks(view, text))


def nodes(view: View) -> Iterator[ast.AST]:
    for body in (view.module.top, *view.module.bodies.values()):
        yield from body.own_nodes


def blocks(view: View, lock: str) -> Iterator[ast.With]:
    """The ``with`` blocks of the file that hold a lock, by how it is written."""
    for node in nodes(view):
        if isinstance(node, ast.With) and any(ast.unparse(item.context_expr) == lock for item in node.items):
            yield node


def is_quick(view: View, block: ast.With) -> bool:
    """Whether nothing in the block can take its time."""
    return are_quick(view.project, view.module, block.body)


def are_quick(project: Project, module: Module, statements: list[ast.stmt], depth: int = _DEPTH) -> bool:
    parts = [part for statement in statements for part in ast.walk(statement)]
    slow = (ast.Await, ast.Yield, ast.YieldFrom, ast.With, ast.While)
    calls = (part.func for part in parts if isinstance(part, ast.Call))
    return not any(isinstance(part, slow) for part in parts) and all(
        is_quick_call(project, module, call, depth) for call in calls
    )


def is_quick_call(project: Project, module: Module, function: ast.expr, depth: int) -> bool:
    name = module.names.resolve(function) or ""
    fact = project.known.call(name) if name else None
    if fact is not None and fact.kind:
        return False
    if project.known.never_raises(name) or name.removeprefix("builtins.") in _BUILTINS:
        return True
    return is_quick_class(project, name, depth) or (isinstance(function, ast.Attribute) and function.attr in _QUICK)


def is_quick_class(project: Project, name: str, depth: int) -> bool:
    """Whether a name is a class of the project whose constructor, if it has one, only works on values in memory."""
    info = project.class_info(name) if depth and name else None
    init = project.attribute(Value(OBJECT, info.qualified), "__init__") if info is not None else UNKNOWN
    target = project.target(init) if init.kind == FUNCTION else None
    if info is None or (info.bases and target is None):
        return False
    return target is None or are_quick(project, target.module, target.body.statements, depth - 1)
