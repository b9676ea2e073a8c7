"""Functions that make something when they are first asked for it, and hand it out from then on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ...session.body import Body
from ...session.syntax import first_of


def makes_once(body: Body) -> bool:
    """Whether a function gives at once what it has made before, for all that ask in this process.

    It keeps that in a global or on its class, or asks for it a second time inside a lock: whoever does so expects
    others beside it. What depends on arguments, on a call or on the time is made more than once.
    """
    if len(body.parameters) > bool(body.owner):
        return False
    asked, kept = question_for_kept([s for s in body.statements if not isinstance(s, (ast.Expr, ast.Global))])
    return asked is not None and (is_for_all(body, kept) or is_asked_again(body, asked))


def question_for_kept(statements: list[ast.stmt]) -> tuple[ast.If | None, str]:
    """The condition that a function begins with, and what it asks for: ``self._client`` of ``if self._client: return
    self._client``, or of ``if self._client is None: …`` before ``return self._client``."""
    match statements:
        case [ast.If(body=[ast.Return(value=ast.Name() | ast.Attribute() as given)]) as asked, *_]:
            found = is_plain(asked.test) and asks_for(asked.test, given)
        case [ast.If(test=ast.Compare(ops=[ast.Is()]) | ast.UnaryOp()) as asked, ast.Return(value=ast.expr() as given)]:
            found = is_plain(asked.test) and asks_for(asked.test, given)
        case _:
            found = False
    return (asked, ast.unparse(given)) if found else (None, "")


def is_plain(test: ast.expr) -> bool:
    """Whether a condition calls nothing, such as what tells whether a token has run out."""
    return not any(isinstance(part, (ast.Call, ast.Await)) for part in ast.walk(test))


def asks_for(test: ast.expr, given: ast.expr) -> bool:
    """Whether the condition asks for what is given, by itself or with other things."""
    return any(ast.unparse(part) == ast.unparse(given) for part in ast.walk(test) if isinstance(part, type(given)))


def is_for_all(body: Body, kept: str) -> bool:
    """Whether what a function keeps is a global that it sets, or stands on its class."""
    owner, _, _ = kept.partition(".")
    declared = {name for node in body.own(ast.Global) for name in node.names}
    return kept in declared or (owner == "cls" and kept != "cls" and kept in set_by(body))


def set_by(body: Body) -> set[str]:
    """What a function assigns to, as it is written."""
    targets = (target for target, _ in body.assigned())
    return {ast.unparse(target) for target in targets if isinstance(target, (ast.Name, ast.Attribute))}


def is_asked_again(body: Body, asked: ast.If) -> bool:
    """Whether a lock stands around another question for the same, as its first statement."""
    return any(ast.unparse(inner.test) == ast.unparse(asked.test) for inner in begun_with(body))


def begun_with(body: Body) -> Iterator[ast.If]:
    """The conditions that ``with`` blocks of an object of the function begin with: ``with self._lock: if …``."""
    for block in body.own(ast.With, ast.AsyncWith):
        locks = [item.context_expr for item in block.items]
        if isinstance(block.body[0], ast.If) and all(map(first_of, locks)):
            yield block.body[0]


def remembers_by_argument(body: Body) -> bool:
    """Whether a function keeps its answers in something of the module, by its parameters, and looks there first.

    ``if key in KEPT: return KEPT[key]``, ``if key not in KEPT: KEPT[key] = …``, ``found = KEPT.get(key)``.
    """
    kept = kept_by(body) if body.parameters else frozenset()
    asked = (asked_for(statement) for statement in body.statements) if kept else ()
    return any(item in kept and item.partition("[")[0].partition(".")[0] not in body.local_names for item in asked)


def asked_for(statement: ast.stmt) -> str:
    """``KEPT[key]`` where a statement looks for that."""
    match statement:
        case ast.If(test=ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[kept])):
            return item_of(kept, key)
        case ast.Assign(value=ast.Call(func=ast.Attribute(value=kept, attr="get"), args=[key, *_])):
            return item_of(kept, key)
    return ""


def item_of(kept: ast.expr, key: ast.expr) -> str:
    return ast.unparse(ast.Subscript(kept, key, ast.Load()))


def kept_by(body: Body) -> frozenset[str]:
    """The items that a function sets, as they are written."""
    return frozenset(ast.unparse(target) for target, _ in body.assigned() if isinstance(target, ast.Subscript))
