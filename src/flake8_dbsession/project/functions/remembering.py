"""Functions that make something when they are first asked for it, and hand it out from then on."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator

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


def remembers_answers(wrapper: Body, call: ast.Call) -> bool:
    """Whether what stands in the place of a function puts its answers away, and gives what it finds there instead.

    ``found = store.get(key)``, ``return found`` before the call, and ``store.set(key, answer)`` after it.
    """
    kept = [value for value in put_away(wrapper) if value.lineno >= call.lineno]
    answers = names_made_of(wrapper, lambda value: any(part is call for part in ast.walk(value)))
    found = names_made_of(wrapper, lambda value: any(map(is_looked_up, ast.walk(value))))
    given = [node for node in wrapper.own(ast.Return) if node.value is not None and node.lineno < call.lineno]
    is_given = any(
        is_looked_up(part) or mentions(part, found) for node in given for part in ast.walk(node) if part is not node
    )
    return is_given and any(part is call or mentions(part, answers) for value in kept for part in ast.walk(value))


_PUTS = frozenset({"add", "hset", "put", "save", "set", "setex", "set_many", "store", "write"})


def put_away(wrapper: Body) -> Iterator[ast.expr]:
    """What a function sets an item to, or gives to ``store.set(key, answer)``."""
    yield from (value for target, value in wrapper.assigned() if isinstance(target, ast.Subscript))
    for call in wrapper.own(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in _PUTS:
            yield from (*call.args, *(keyword.value for keyword in call.keywords))


def is_looked_up(part: ast.AST) -> bool:
    """``store.get(key)``, ``store[key]``."""
    match part:
        case ast.Call(func=ast.Attribute(attr="get" | "hget" | "fetch")) | ast.Subscript(ctx=ast.Load()):
            return True
    return False


def names_made_of(body: Body, begins: Callable[[ast.expr], bool]) -> frozenset[str]:
    """The names that a function makes of values with which it ``begins``, one of the other."""
    names: set[str] = set()
    pairs = [(target.id, value) for target, value in body.assigned() if isinstance(target, ast.Name)]
    while new := {n for n, v in pairs if begins(v) or any(mentions(part, names) for part in ast.walk(v))} - names:
        names |= new
    return frozenset(names)


def mentions(part: ast.AST, names: Collection[str]) -> bool:
    return isinstance(part, ast.Name) and part.id in names


def item_of(kept: ast.expr, key: ast.expr) -> str:
    return ast.unparse(ast.Subscript(kept, key, ast.Load()))


def kept_by(body: Body) -> frozenset[str]:
    """The items that a function sets, as they are written."""
    return frozenset(ast.unparse(target) for target, _ in body.assigned() if isinstance(target, ast.Subscript))
