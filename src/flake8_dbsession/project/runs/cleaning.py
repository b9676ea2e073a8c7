"""Who gives a registry's connection back after a worker has run: decorators, base classes, signals.

What is looked for is the release itself (``Session.remove()`` and the like) inside a function that the framework or a
decorator runs around or after the worker.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ...names import bare, dotted
from ...session.body import Body
from ...session.state import ENTRY
from ...session.values import FUNCTION, REGISTRY, SESSION, UNKNOWN, Resource
from ..functions.entering_contexts import is_context
from ..functions.wrapping import runs
from ..modules.module import ClassInfo, Module
from ..project import Project

_RELEASES = frozenset({"remove", "close", "rollback", "commit", "reset"})
AFTER = frozenset({"after_return", "__call__", "on_success", "perform_job", "execute_job"})


def is_cleaned_around(
    project: Project, module: Module, body: Body, resource: Resource, *, in_thread: bool = False
) -> bool:
    """Whether a decorator, the task's base class or a signal of the same module releases the registry.

    ``in_thread`` says that ``body`` is all that a thread runs.
    """
    found = around(project, module, body, in_thread)
    return any(releases(project, where, node, resource, line) for where, node, line in found)


def around(project: Project, module: Module, body: Body, in_thread: bool) -> Iterator[tuple[Module, ast.AST, int]]:
    """The functions that run around or after ``body``, each with its module and the line where it runs ``body``.

    What tears an app context down runs in a thread only where a context is entered there: a thread inherits none.
    """
    has_context = not in_thread or bool(body.decorators) or (body.node is not None and enters_context(body.node))
    for decorator in body.decorators:
        for where, node in of_decorator(project, module, decorator):
            inner = running(where, node)
            yield where, node, inner[1].lineno if inner is not None else 0
    for other in module.bodies.values():
        if any(is_signal(project, module, d, has_context) for d in other.decorators) and other.node is not None:
            yield module, other.node, 0
    for info in bases(project, module, body):
        yield from ((info.module, method, 0) for name, method in info.methods.items() if name in AFTER)


def of_decorator(project: Project, module: Module, decorator: ast.expr) -> Iterator[tuple[Module, ast.AST]]:
    target = project.target(project.evaluate(module, bare(decorator)))
    if target is not None and target.body.node is not None:
        yield target.module, target.body.node


def wrapping_call(project: Project, module: Module, body: Body) -> tuple[Body, ast.Call] | None:
    """The call by which a decorator of the same module runs the function, and the function it stands in."""
    decorators = (found for decorator in body.decorators for found in of_decorator(project, module, decorator))
    calls = (running(where, node) for where, node in decorators if where is module)
    return next((call for call in calls if call is not None), None)


def running(module: Module, decorator: ast.AST) -> tuple[Body, ast.Call] | None:
    """The first call inside a decorator of what it decorates, and the function that it stands in."""
    outer = module.body_of(decorator)
    return next(runs(module, outer), None) if outer is not None else None


def is_signal(project: Project, module: Module, decorator: ast.expr, has_context: bool) -> bool:
    """``@task_postrun.connect`` and its like, ``@app.teardown_appcontext`` of what has an app context."""
    name = module.names.resolve(bare(decorator)) or ""
    entry = project.known.decorator(name)
    return (entry is not None and bool(entry.after)) or (has_context and name.endswith(".teardown_appcontext"))


def bases(project: Project, module: Module, body: Body) -> Iterator[ClassInfo]:
    """The task classes behind a task: ``base=`` of its decorator, ``task_cls=`` of its application, its own class."""
    for decorator in body.decorators:
        if isinstance(decorator, ast.Call):
            yield from named_class(project, module, [k.value for k in decorator.keywords if k.arg == "base"])
        inner = bare(decorator)
        application = inner.value if isinstance(inner, ast.Attribute) else inner
        for call in constructions(module, application):
            yield from named_class(project, module, [k.value for k in call.keywords if k.arg == "task_cls"])
    if body.owner and body.owner in module.classes:
        yield from (c for c in project.lineage(module.classes[body.owner]) if isinstance(c, ClassInfo))


def constructions(module: Module, name: ast.expr) -> list[ast.Call]:
    binding = module.names.bindings.get(dotted(name) or "")
    return [v for v in binding.values if isinstance(v, ast.Call)] if binding is not None else []


def named_class(project: Project, module: Module, expressions: list[ast.expr]) -> Iterator[ClassInfo]:
    for expression in expressions:
        name = module.names.resolve(expression)
        info = project.class_info(name) if name else None
        if info is not None:
            yield from (c for c in project.lineage(info) if isinstance(c, ClassInfo))


def releases(project: Project, module: Module, node: ast.AST, resource: Resource, line: int) -> bool:
    """Whether the function releases the registry after a line, or enters an app context for Flask-SQLAlchemy's."""
    for part in ast.walk(node):
        managers = managers_around(part, line)
        if any(is_given_back_by(project, module, manager, resource) for manager in managers):
            return True
        if not isinstance(part, ast.Call):
            continue
        if is_context(part) and resource.flavour == "flask":
            return True
        if part.lineno > line and is_release(project, module, part, resource):
            return True
        if part.lineno > line and is_given_back_by(project, module, part, resource):
            return True
    return False


def enters_context(node: ast.AST) -> bool:
    """Whether an app context of Flask is made anywhere in ``node``."""
    return any(isinstance(part, ast.expr) and is_context(part) for part in ast.walk(node))


def is_released(project: Project, module: Module, node: ast.AST, resource: Resource) -> bool:
    """Whether a registry, or a session for the whole process, is given back anywhere in ``node``."""
    return any(isinstance(p, ast.Call) and is_release(project, module, p, resource) for p in ast.walk(node))


def is_release(project: Project, module: Module, call: ast.Call, resource: Resource) -> bool:
    """``Session.remove()``, ``session.rollback()`` of the very registry or session."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in _RELEASES:
        return False
    value = project.evaluate(module, call.func.value)
    found = value.resource if value.kind in (REGISTRY, SESSION) else None
    return found is not None and found.key == resource.key


def managers_around(block: ast.AST, line: int) -> list[ast.expr]:
    """What a ``with`` block is over that the line stands in."""
    if not isinstance(block, (ast.With, ast.AsyncWith)) or not block.lineno <= line <= (block.end_lineno or 0):
        return []
    return [item.context_expr for item in block.items]


def is_given_back_by(project: Project, module: Module, call: ast.expr, resource: Resource) -> bool:
    """``with session_scope():``, ``clear()``: a function of the project that gives the registry back."""
    function = project.evaluate(module, call.func) if isinstance(call, ast.Call) else UNKNOWN
    summary = project.summary(function, ()) if function.kind == FUNCTION else None
    lives = summary.normal if summary is not None else ()
    return any(each.key == resource.key and not life.may_hold and not life.phases & ENTRY for each, life in lives)
