"""Give the connection back between the turns of a long loop

What it does
    Reports an endless or batch loop (``while True``) that reads batch after batch, does other work on them, and begins
    each turn with the connection of the turn before.

Why it matters
    One transaction spans the whole run: the connection is idle while the batch is worked on, locks and snapshots grow
    old, and a failure loses everything.

Stays silent when
    Each turn commits, rolls back, closes, or opens a session of its own, whatever is held as the loop begins; where all
    that is done with a batch is to put it into a list or the like; in tests and in what only commands run.

Fix safety
    No fix is offered: read ids first, then work on each in a short transaction.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from ..flow.graph import Kind
from ..model import Diagnostic, Rule
from ..questions.asking import ends_with_commands
from ..questions.running_out import tries_again
from ..questions.working_loops import endless_loop_holding, is_inside
from ..session.each_way import is_made_on_each_way
from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import AMBIENT, OPENED, Resource
from ..story import name_of
from ..view import View

_BUILTINS = frozenset(dir(builtins)) - {"exec", "eval", "input", "next", "open", "print"}
_COLLECTING = frozenset(
    {"append", "appendleft", "extend", "setdefault", "endswith", "format", "get", "isoformat", "join", "lower", "split"}
    | {"startswith", "strip", "upper"}
)
"""Methods of lists and dictionaries that keep something, and of texts."""


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if view.is_test or view.is_script:
            continue
        for loop, resource in loops(view, flow):
            if ends_with_commands(view, flow):
                continue
            name = name_of(flow, resource)
            message = (
                f"the connection of {repr(name) if name else 'a session'} is kept from one turn of the loop to the next"
            )
            refusal = "read ids first, then work on each in a short transaction"
            yield view.diagnostic(RULE, loop, message, (), None, refusal, flow.body)


def loops(view: View, flow: Flow) -> Iterator[tuple[ast.While, Resource]]:
    """Each ``while True`` that queries, works, and carries the connection into the next turn."""
    for node in flow.nodes(Kind.TEST):
        loop = node.statement
        if not isinstance(loop, ast.While) or not reads_batches(loop.test):
            continue
        for resource in taken_inside(flow, loop):
            if is_opened_in_each_turn(flow, loop, resource):
                continue
            held = [s for s in flow.at(node) if resource in s.lives and s.lives[resource].surely_holds]
            if lets_go(flow, loop, resource):  # then what was taken before the loop is held in its first turn only
                held = [s for s in held if is_inside(s.steps.get(resource, loop.test), loop)]
            if held and works(view, flow, loop) and (resource.origin != AMBIENT or is_kept(view, flow, loop, resource)):
                yield loop, resource
                break


def is_opened_in_each_turn(flow: Flow, loop: ast.While, resource: Resource) -> bool:
    """Whether each turn opens a session of its own, so that none begins with the one before, though it may be open."""
    opened = [e.node for e in flow.events(Happening.OPENED) if e.resource == resource]
    return is_made_on_each_way(loop.body, opened)


def lets_go(flow: Flow, loop: ast.While, resource: Resource) -> bool:
    """Whether each turn that comes to its end has committed or closed the session, whatever it has done before."""
    ends = [e.node for e in flow.events(Happening.COMMITTED, Happening.CLOSED) if e.resource == resource]
    always = {id(part) for each in loop.body if isinstance(each, ast.Expr) for part in ast.walk(each)}
    return any(id(node) in always for node in ends)


def is_kept(view: View, flow: Flow, loop: ast.While, resource: Resource) -> bool:
    """Whether a registry's session is kept for all turns, in a loop that is no worker of ORM103: no turn closes it."""
    lines = range(loop.lineno, (loop.end_lineno or loop.lineno) + 1)
    closes = (e.node.lineno for e in flow.events(Happening.CLOSED) if e.resource == resource)  # type: ignore[attr-defined]
    is_batch = endless_loop_holding(view, flow, resource) is None and not tries_again(loop)
    return is_batch and not any(line in lines for line in closes)


def reads_batches(test: ast.expr) -> bool:
    """``while True`` and ``while rows := session.scalars(…).all()``."""
    return isinstance(test, ast.NamedExpr) or (isinstance(test, ast.Constant) and bool(test.value))


def taken_inside(flow: Flow, loop: ast.While) -> list[Resource]:
    end = loop.end_lineno or 0
    taken = [e for e in flow.events(Happening.TAKEN) if loop.lineno <= e.node.lineno <= end]  # type: ignore[attr-defined]
    found = {e.resource for e in taken if e.resource is not None and e.resource.origin in (AMBIENT, OPENED)}
    return sorted(found)


def works(view: View, flow: Flow, loop: ast.While) -> bool:
    """Whether the loop works on batches: a loop inside it over what was read, which does more than to collect it."""
    inner = [node for part in loop.body for node in ast.walk(part) if isinstance(node, (ast.For, ast.AsyncFor))]
    sets = sets_of(flow) | sets_of_object(view, flow) if inner else frozenset()
    return any(not all(only_collects(statement, sets) for statement in each.body) for each in inner)


def sets_of(flow: Flow) -> frozenset[str]:
    """The names that the function binds to sets: ``seen = set()``, ``seen = {first}``."""
    made = (
        target for target, value in flow.body.assigned() if isinstance(value, (ast.Set, ast.SetComp)) or is_set(value)
    )
    return frozenset(target.id for target in made if isinstance(target, ast.Name))


def sets_of_object(view: View, flow: Flow) -> frozenset[str]:
    """The attributes of the method's object that are only ever sets: ``self.seen = set()``."""
    info = view.module.classes.get(flow.body.owner)
    kept = info.attribute_values.items() if info is not None else ()
    return frozenset(f"self.{name}" for name, values in kept if all(is_set(value) for value, _ in values))


def is_set(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "set"


def only_collects(statement: ast.stmt, sets: frozenset[str]) -> bool:
    """Whether a statement only puts together what is there: ``found.append(Hit(row.id))``, ``total += row.cents``."""
    return all(is_collecting(node, sets) for node in ast.walk(statement))


def is_collecting(node: ast.AST, sets: frozenset[str]) -> bool:
    """Whether a part of a statement calls nothing but what makes or fills an object, and changes no row."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute() as kept, attr="add")):
            return ast.unparse(kept) in sets
        case ast.Call(func=ast.Name(id=name)):
            return name in _BUILTINS or name.lstrip("_")[:1].isupper()
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _COLLECTING
        case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Await() | ast.Yield() | ast.YieldFrom():
            return False
    return True


RULE = Rule("ORM205", "loop-holds-connection", "connection kept from one turn of a loop to the next", check)
