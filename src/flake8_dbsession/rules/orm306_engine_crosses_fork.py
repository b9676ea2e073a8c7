"""Shed the pool in a forked process

What it does
    Reports a function that is run in a forked process (``multiprocessing``, ``ProcessPoolExecutor``, ``os.fork``) and
    uses an engine of the module without ``engine.dispose(close=False)``.

Why it matters
    A forked process inherits the pool with the sockets of its connections. Two processes then talk to the server on one
    connection (the server showed the same connection number in both, measured on MariaDB and PostgreSQL): answers are
    mixed up, and the one that ends closes it for the other. From Python 3.14 on ``multiprocessing`` forks on Linux only
    where it is told to.

Stays silent when
    The child disposes of the engine or makes one of its own; the parent does so before it forks; for NullPool; when an
    initializer is given; when processes are spawned; when the engine cannot be told; where only commands run the
    function and it takes no connection before. Servers that fork (gunicorn with ``preload_app``) are not looked at.

Fix safety
    Safe: process pools get an initializer that calls ``engine.dispose(close=False)``, and the block after ``os.fork()``
    begins with it. Unsafe for the target of a process, which may be called in this process too.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from ..mending.common import Answer
from ..mending.shedding import pool_that_runs, shed_in_block, shed_in_child
from ..model import Diagnostic, Note, Rule, Span
from ..names import dotted
from ..questions.asking import ends_with_commands
from ..session.flow import Flow
from ..session.values import FUNCTION, PARTIAL, Resource, Value
from ..view import View

_AFRESH = frozenset({"spawn", "forkserver"})
Use = tuple[int, Resource]
"""The line where the child takes a connection, and the session it does so with."""


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if view.is_test or starts_afresh(view):
            continue
        for node, target in dict(flow.scope.forked).items():
            use = use_in_child(view, target)
            if use is not None and not is_prepared(view, flow, node) and inherits(view, flow, node, use[1].pool):
                mended = shed_in_child(view, flow, node, target, use[1].pool)
                yield report(view, flow, node, use[1], notes(view, target, use), mended)
        for node, block, resource in forks(view, flow):
            if inherits(view, flow, node, resource.pool):
                yield report(view, flow, node, resource, (), shed_in_block(view, flow, block, resource.pool))


def inherits(view: View, flow: Flow, node: ast.AST, pool: str) -> bool:
    """Whether there may be connections in the pool as the process forks: a command has only those that it takes itself,
    and nobody has any right after ``engine.dispose()``."""
    forked: int = getattr(node, "lineno", 0)
    if any(line < forked for line in disposals(flow)):
        return False
    takes = any(own.line < forked and own.resource.pool == pool for own in flow.scope.own)
    return takes or not ends_with_commands(view, flow)


def disposals(flow: Flow) -> Iterator[int]:
    """The lines where the function calls ``dispose()``."""
    for call in flow.body.own(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "dispose":
            yield call.lineno


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
    owners = (owner_of(made) for made in (node, pool_that_runs(flow, node)))
    return any(is_afresh(value) for owner in owners for value in values_of(view, flow, owner))


def owner_of(made: ast.AST | None) -> str:
    """``context`` of ``context.Pool(4)``; "" for what is no method of a name."""
    function = made.func if isinstance(made, ast.Call) else None
    return (dotted(function.value) or "") if isinstance(function, ast.Attribute) else ""


def values_of(view: View, flow: Flow, name: str) -> Iterator[ast.expr]:
    """What a name of the function or of the file stands for."""
    binding = view.names.bindings.get(name)
    yield from (value for target, value in flow.body.assigned() if name and dotted(target) == name)
    yield from binding.values if binding is not None else ()


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


def forks(view: View, flow: Flow) -> Iterator[tuple[ast.Call, ast.If, Resource]]:
    """Each ``os.fork()`` with the block of its child, under ``== 0``, and the session that takes a connection there."""
    numbers = dict(numbers_of_forks(view, flow)) if view.mentions(b"fork") else {}
    for node in flow.body.own(ast.If) if numbers else ():
        fork = next((numbers[key] for key in asked_for_child(node.test) if key in numbers), None)
        if fork is None or sheds(node.body):
            continue
        last = node.body[-1].end_lineno or 0
        inside = (own for own in flow.scope.own if node.body[0].lineno <= own.line <= last)
        shared = (own for own in inside if own.resource.pool and not own.resource.is_of_given_engine)
        yield from ((fork, node, own.resource) for own in itertools.islice(shared, 1))


def numbers_of_forks(view: View, flow: Flow) -> Iterator[tuple[str, ast.Call]]:
    """Each ``os.fork()`` by its text and by the name that its number gets: ``pid = os.fork()``."""
    for call in flow.body.own(ast.Call):
        if view.names.resolve(call.func) == "os.fork":
            yield ast.unparse(call), call
            named = (dotted(target) for target, value in flow.body.assigned() if value is call)
            yield from ((name, call) for name in named if name)


def asked_for_child(test: ast.expr) -> Iterator[str]:
    """``pid`` of ``pid == 0``, ``0 == pid`` and ``not pid``."""
    match test:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            yield from (ast.unparse(left), ast.unparse(right))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield ast.unparse(operand)


def notes(view: View, target: Value, use: Use) -> tuple[Note, ...]:
    function = target.extra[0] if target.kind == PARTIAL else target
    found = view.project.target(function)
    path = found.path if found is not None and found.path != view.source.path else ""
    return (Note("the child takes a connection here, or in what is called here", Span(use[0], 0, use[0], 0), path),)


RULE = Rule("ORM306", "engine-crosses-fork", "pool of an engine inherited by a forked process", check)
