"""Shed the pool in a forked process

What it does
    Reports a function that is run in a forked process (``multiprocessing``, ``ProcessPoolExecutor``, ``os.fork``) and
    uses an engine of the module without ``engine.dispose(close=False)``.

Why it matters
    A forked process inherits the pool with the sockets of its connections. Two processes then talk to the server on one
    connection (the server showed the same connection number in both, measured on MariaDB and PostgreSQL): answers are
    mixed up, and the one that ends closes it for the other.

Stays silent when
    The child disposes of the engine or makes one of its own; for NullPool; when an initializer is given; when processes
    are spawned; when the engine cannot be told. Servers that fork (gunicorn with ``preload_app``) are not looked at.

Fix safety
    Safe: process pools get an initializer that calls ``engine.dispose(close=False)``, and the block after ``os.fork()``
    begins with it. Unsafe for the target of a process, which may be called in this process too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..mending.common import Answer
from ..mending.shedding import shed_in_block, shed_in_child
from ..model import Diagnostic, Note, Rule, Span
from ..questions.asking import is_out_of_scope
from ..session.flow import Flow
from ..session.values import FUNCTION, PARTIAL, Resource, Value
from ..view import View

_AFRESH = frozenset({"spawn", "forkserver"})
Use = tuple[int, Resource]
"""The line where the child takes a connection, and the session it does so with."""


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if is_out_of_scope(view, flow) or starts_afresh(view):
            continue
        for node, target in dict(flow.scope.forked).items():
            use = use_in_child(view, target)
            if use is not None and not is_prepared(view, flow, node):
                mended = shed_in_child(view, flow, node, target, use[1].pool)
                yield report(view, flow, node, use[1], notes(view, target, use), mended)
        for node, resource in forks(view, flow):
            yield report(view, flow, node, resource, (), shed_in_block(view, flow, node, resource.pool))


def report(
    view: View, flow: Flow, node: ast.AST, resource: Resource, story: tuple[Note, ...], mended: Answer
) -> Diagnostic:
    engine = resource.pool.rpartition(".")[2]
    message = f"the forked process inherits the pool of {engine!r} and shares its connections"
    plan, refusal = mended
    return view.diagnostic(RULE, node, message, story, plan, refusal, flow.body)


def use_in_child(view: View, target: Value) -> Use | None:
    """Where the callable takes a connection of an engine that stands at module level, unless it sheds the pool."""
    function = target.extra[0] if target.kind == PARTIAL else target
    found = view.project.target(function) if function.kind == FUNCTION else None
    if found is None or sheds(found.body.statements):
        return None
    summary = view.project.summary(function, ())
    own = summary.takes_own if summary is not None else None
    is_shared = own is not None and bool(own.resource.pool) and not own.resource.is_of_given_engine
    return (own.line, own.resource) if own is not None and is_shared else None


def sheds(statements: list[ast.stmt]) -> bool:
    """Whether ``dispose`` is called."""
    parts = (part for statement in statements for part in ast.walk(statement))
    return any(isinstance(part, ast.Attribute) and part.attr == "dispose" for part in parts)


def is_prepared(view: View, flow: Flow, node: ast.AST) -> bool:
    """Whether the processes are spawned, or begin with an initializer."""
    calls = [part for part in flow.body.own_nodes if isinstance(part, ast.Call)]
    if any(keyword.arg in ("initializer", "mp_context") for call in calls for keyword in call.keywords):
        return True
    function = node.func if isinstance(node, ast.Call) else None
    owner = function.value if isinstance(function, ast.Attribute) else None
    binding = view.names.bindings.get(owner.id) if isinstance(owner, ast.Name) else None
    return binding is not None and any(is_afresh(value) for value in binding.values)


def starts_afresh(view: View) -> bool:
    """Whether the file sets the start method to one that inherits nothing."""
    if not view.mentions(b"set_start_method"):
        return False
    calls = (part for part in ast.walk(view.source.tree) if isinstance(part, ast.Call))
    named = (c for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == "set_start_method")
    return any(is_afresh(call) for call in named)


def is_afresh(expression: ast.expr) -> bool:
    """``get_context("spawn")``."""
    match expression:
        case ast.Call(args=[ast.Constant(value=method), *_]):
            return method in _AFRESH
        case ast.Call(keywords=[ast.keyword(value=ast.Constant(value=method)), *_]):
            return method in _AFRESH
    return False


def forks(view: View, flow: Flow) -> Iterator[tuple[ast.AST, Resource]]:
    """Each ``os.fork()`` whose child, the block under ``== 0``, uses an engine of the module."""
    for node in flow.body.own(ast.If) if view.mentions(b"fork") else ():
        fork = next(
            (p for p in ast.walk(node.test) if isinstance(p, ast.Call) and view.names.resolve(p.func) == "os.fork"),
            None,
        )
        if fork is None or sheds(node.body):
            continue
        last = node.body[-1].end_lineno or 0
        for own in flow.scope.own:
            is_shared = own.resource.pool and not own.resource.is_of_given_engine
            if is_shared and node.body[0].lineno <= own.line <= last:
                yield fork, own.resource


def notes(view: View, target: Value, use: Use) -> tuple[Note, ...]:
    function = target.extra[0] if target.kind == PARTIAL else target
    found = view.project.target(function)
    path = found.path if found is not None and found.path != view.source.path else ""
    return (Note("the child takes a connection here, or in what is called here", Span(use[0], 0, use[0], 0), path),)


RULE = Rule("ORM306", "engine-crosses-fork", "pool of an engine inherited by a forked process", check)
