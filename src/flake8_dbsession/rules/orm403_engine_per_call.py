"""Create an engine once for the process

What it does
    Reports ``create_engine`` in a function that makes a new engine at each call and keeps it nowhere.

Why it matters
    Each engine has a pool of its own. Twenty calls left 21 connections on the server until the garbage collector ran;
    with ``dispose()`` nothing leaks, but a call costs 25 ms instead of 0.4 ms (measured on MariaDB).

Stays silent when
    The engine is returned by a factory, kept in a global, attribute, dictionary or cache, or disposed; for NullPool and
    StaticPool; in tests, migrations, commands and start-up code.

Fix safety
    Unsafe: the engine moves to module level, above its function, and factories made of it move along; it is then made
    when the module is imported. Shown only for async engines, which serve one event loop. Refused where it is made of
    what only the function knows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..hoisting import hoist
from ..model import Diagnostic, Rule
from ..reports import first_of_each_node, is_out_of_scope
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.values import ENGINE, FACTORY, REGISTRY
from ..view import View

_ONCE = frozenset({"startup", "command", "migration", "test"})
_CACHES = frozenset({"lru_cache", "cache", "cached", "cached_property", "memoize"})


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if flow.body.node is None or is_out_of_scope(view, flow) or runs_once(view, flow):
            continue
        for event in first_of_each_node(flow.events(Happening.ENGINE_MADE)):
            if is_dropped(flow, event) or is_used_at_once(view, flow, event):
                message = f"{view.text(event.node)!r} makes an engine, with a pool of its own, at each call"
                plan, refusal = hoist(view, flow, event.node, ("engine", "_engine"))
                yield view.diagnostic(RULE, event.node, message, (), plan, refusal, flow.body)


def runs_once(view: View, flow: Flow) -> bool:
    entries = view.units.entries(flow.body)
    cached = any(n.rpartition(".")[2] in _CACHES for n in view.project.decorators(view.module, flow.body))
    return (
        cached
        or any(e.kind in _ONCE for e in entries)
        or flow.body.name.rpartition(".")[2] in ("main", "init_db", "setup")
    )


def is_dropped(flow: Flow, event: Event) -> bool:
    """Whether the engine is bound to a plain local name that is neither returned, kept, passed on nor disposed."""
    names = {
        n
        for s in (*flow.returned, *flow.raised)
        for n, v in s.names.items()
        if v.kind in (ENGINE, FACTORY, REGISTRY) and not n.startswith("<")
    }
    assigned = [
        n
        for n in flow.body.own_nodes
        if isinstance(n, ast.Assign) and n.value is event.node and isinstance(n.targets[0], ast.Name)
    ]
    if not assigned or any(s.result.kind in (ENGINE, FACTORY, REGISTRY) for s in flow.returned):
        return False
    name = assigned[0].targets[0].id  # type: ignore[attr-defined]
    if name not in flow.body.local_names or name not in names:
        return False
    return not any(escapes(node, name) for node in flow.body.own_nodes)


def is_used_at_once(view: View, flow: Flow, event: Event) -> bool:
    """``create_engine(…).connect()``, ``with Session(create_engine(…))``, ``g.engine = create_engine(…)``."""
    made = event.node
    for node in flow.body.own_nodes:
        match node:
            case ast.Attribute(value=value, attr="connect" | "begin" | "execute" | "raw_connection") if value is made:
                return True
            case ast.withitem(context_expr=ast.Call() as call):
                if any(given is made for given in (*call.args, *(k.value for k in call.keywords))):
                    return True
            case ast.Assign(value=value, targets=[ast.Attribute(value=ast.Name() as owner)]) if value is made:
                return view.names.resolve(owner) == "flask.g"
    return False


def escapes(node: ast.AST, name: str) -> bool:
    """``engine.dispose()``, ``return engine``, ``x.y = engine``, ``d[k] = engine``, ``x.y = f(engine)``."""
    match node:
        case ast.Attribute(value=ast.Name(id=owner), attr="dispose"):
            return owner == name
        case ast.Return(value=ast.expr() as value) | ast.Yield(value=ast.expr() as value):
            return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(value)) and not isinstance(
                value, ast.Call
            )
        case ast.Assign(value=ast.Name(id=kept)):
            return kept == name
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner))], value=ast.Call() as call):
            return owner != "g" and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(call))
        case ast.AsyncFunctionDef() | ast.FunctionDef() | ast.Lambda():
            return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))
    return False


RULE = Rule("ORM403", "engine-per-call", "engine made at each call", check)
