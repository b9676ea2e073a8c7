"""Expressions that put others together: displays, choices, comparisons, subscripts, comprehensions."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..bearable import bearable
from ..functions.special_methods import ask, iterator_of
from ..syntax import names_below
from ..values import (
    CLASS,
    CONSTANT,
    COROUTINE,
    FALSE,
    HANDLES,
    LIST,
    NONE,
    OBJECT,
    ONE_OF,
    QUERY,
    ROW,
    ROWS,
    SESSION,
    TRUE,
    TUPLE,
    UNKNOWN,
    Value,
    are_of_different_classes,
    contained,
    is_there,
    late,
    pool_of,
    truth,
)
from ..waiting import wait_for_each
from .attributes import asked
from .tables import any_among, looked_up, table

if TYPE_CHECKING:
    from .call import Call
    from .evaluate import Evaluation


_SESSIONS = frozenset({SESSION})
_TELLING = frozenset({"factory", "registry", "engine", "manager", "rows", "row", "query", "result", "object", CLASS})


_ORDERS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}


def display(ev: Evaluation, node: ast.Dict) -> Value:
    values: list[tuple[ast.expr | None, Value]] = []
    for key, item in zip(node.keys, node.values, strict=True):
        if key is not None:
            ev.value(key)
        values.append((key, ev.value(item)))
    if not any(contained(value) or value.kind in HANDLES for _, value in values):
        return bearable(ev.now, table(values))
    named = ((ast.unparse(key) if key is not None else "**", value) for key, value in values)
    return bearable(ev.now, Value(TUPLE, "dict", extra=tuple(named)))


def choice(ev: Evaluation, node: ast.IfExp) -> Value:
    known = truth(ev.value(node.test))
    if known is not None:
        return ev.value(node.body if known else node.orelse)
    return prefer(ev.value(node.body), ev.value(node.orelse))


def either(ev: Evaluation, node: ast.BoolOp) -> Value:
    """``a or b``, ``a and b``: an operand after a decided one is not evaluated.

    One that is true or false says nothing where another is not known, and may have decided before.
    """
    stop = isinstance(node.op, ast.Or)
    result = UNKNOWN
    is_open = False
    for operand in node.values:
        value = ev.value(operand)
        if truth(value) is stop:
            found = value if result in (UNKNOWN, NONE) else prefer(result, value)
            return found if truth(found) is not (not stop) else UNKNOWN  # ``"x" and None`` is not "x"
        result = value if result == UNKNOWN or truth(result) is (not stop) else prefer(result, value)
        is_open = is_open or value == UNKNOWN
    return UNKNOWN if is_open and result in (TRUE, FALSE, NONE) else result


def comparison(ev: Evaluation, node: ast.Compare) -> Value:
    left = ev.value(node.left)
    rights = [ev.value(right) for right in node.comparators]
    for how, right, value in zip(node.ops, node.comparators, rights, strict=True):
        if isinstance(how, (ast.In, ast.NotIn)) and value.kind == QUERY:
            ev.item_of(value, right)
        elif isinstance(how, (ast.In, ast.NotIn)):
            ask(ev, value, right, "__contains__")
    if len(rights) != 1 or UNKNOWN in (left, rights[0]):
        return UNKNOWN
    same = None
    if left.kind == CONSTANT and rights[0].kind == CONSTANT:
        same = left == rights[0]
    elif NONE in (left, rights[0]) and is_there(left if rights[0] == NONE else rights[0]):
        same = False
    if same is None:
        return UNKNOWN
    match node.ops[0]:
        case ast.Is() | ast.Eq():
            return TRUE if same else FALSE
        case ast.IsNot() | ast.NotEq():
            return FALSE if same else TRUE
    return ordered(node.ops[0], left, rights[0])


def ordered(how: ast.cmpop, left: Value, right: Value) -> Value:
    """``seconds > 0`` of two numbers."""
    first, second, compare = number_of(left), number_of(right), _ORDERS.get(type(how))
    if first is None or second is None or compare is None:
        return UNKNOWN
    return TRUE if compare(first, second) else FALSE


def number_of(value: Value) -> float | None:
    found = ast.literal_eval(value.name) if value.kind == CONSTANT and value.name[:1] in "-0123456789" else None
    return found if isinstance(found, (int, float)) else None


def subscript(ev: Evaluation, node: ast.Subscript) -> Value:
    owner = ev.value(node.value)
    ev.value(node.slice)
    is_slice = isinstance(node.slice, ast.Slice)
    match owner.kind:
        case "query" if owner.resource is not None:
            ev.now.take(owner.resource, node)
            return Value(ROWS if is_slice else ROW, owner.name, owner.resource)
        case "table" if not is_slice:
            return looked_up(owner, node.slice)
        case "mapping" if not is_slice:
            one: Value = owner.extra[0]
            return one
        case "rows":
            return owner if is_slice else owner._replace(kind=ROW)
        case "tuple" if owner.name == "dict":
            return entry(owner, node)
        case "tuple":
            return element(owner, node.slice)
        case "object":
            ask(ev, owner, node, "__getitem__")
        case "unknown" | "named" | "method":
            return under_key(ev, node)
    return UNKNOWN


def under_key(ev: Evaluation, node: ast.Subscript) -> Value:
    """What something unseen has under a key: what was put there, what its application keeps there, what it is asked."""
    put = ev.now.names.get(ast.unparse(node)) if any(name.endswith("]") for name in ev.now.names) else None
    if put is not None or not isinstance(node.ctx, ast.Load):
        return put or UNKNOWN
    kept = ev.world.kept_under(ev.body, node)
    return kept if kept != UNKNOWN else asked(ev, node)


def element(owner: Value, index: ast.expr) -> Value:
    """One of a tuple or list, where its number is written down; any where all are objects alike."""
    number = index.value if isinstance(index, ast.Constant) else None
    if not isinstance(number, int) and len(set(owner.extra)) == 1 and owner.extra[0].kind in (OBJECT, CLASS):
        alike: Value = owner.extra[0]
        return alike
    if not isinstance(number, int) or not -len(owner.extra) <= number < len(owner.extra):
        return UNKNOWN
    found: Value = owner.extra[number]
    return found


def entry(owner: Value, node: ast.Subscript) -> Value:
    """One of a dictionary: by its key, or any where all are factories or engines, each of another database, or plain
    objects."""
    items: dict[str, Value] = dict(owner.extra)
    if not isinstance(node.slice, ast.Constant) and all(value.kind == OBJECT for value in items.values()):
        return any_among(tuple(items.values()))
    alike = next(iter(items.values())) if len({value.kind for value in items.values()}) == 1 else UNKNOWN
    is_any = not isinstance(node.slice, ast.Constant) and alike.kind in HANDLES
    item = items.get(ast.unparse(node.slice), alike if is_any else UNKNOWN)
    is_pooled = item.kind not in HANDLES or bool(pool_of(item))
    return item if is_pooled else item.with_extra(*item.extra, ("pool", ast.unparse(node)))


def handle_asked_for(owner: Value, call: Call) -> Value:
    """``FACTORIES.get(name)``, as ``FACTORIES[name]``, and objects; UNKNOWN for what is none of these."""
    read = ast.Subscript(call.node.func.value, call.node.args[0], ast.Load())  # type: ignore[attr-defined]
    found = entry(owner, ast.copy_location(read, call.node))
    return late(found) if found.kind == OBJECT else found if found.kind in (*HANDLES, ONE_OF) else UNKNOWN


def comprehension(ev: Evaluation, node: ast.expr, elements: Iterable[ast.expr]) -> Value:
    kept = dict(ev.now.names)
    is_lazy = isinstance(node, ast.GeneratorExp) and node is not ev.gone_through
    ev.gone_through = None
    column: tuple[Value, ...] = ()
    for generator in node.generators:  # type: ignore[attr-defined]
        ev.awaited = generator.iter if generator.is_async else None
        iterated = iterator_of(ev, ev.value(generator.iter), generator.iter, bool(generator.is_async))
        column = picked(node, generator, iterated)
        item = ev.item_of(iterated, generator.iter) if is_lazy else wait_for_each(ev, iterated, generator.iter)
        ev.bind(generator.target, item)
        for test in generator.ifs:
            ev.value(test)
    values = [ev.value(element) for element in elements]
    bound = {n for g in node.generators for n in names_below(g.target)}  # type: ignore[attr-defined]
    for name in bound:
        ev.now.names.pop(name, None)
        if name in kept:
            ev.now.names[name] = kept[name]
    if values[0].kind == ROW:
        return values[0]._replace(kind=ROWS, extra=())
    if column:
        return Value(TUPLE, LIST, extra=column)
    told = any(value.kind in (COROUTINE, OBJECT) or contained(value) for value in values)
    return bearable(ev.now, Value(TUPLE, extra=tuple(values))) if told else UNKNOWN


def picked(node: ast.expr, generator: ast.comprehension, iterated: Value) -> tuple[Value, ...]:
    """``(job for _, job in jobs)`` over a list of tuples that all are known: the coroutines in that place of them."""
    match node, generator:
        case (
            (ast.ListComp(elt=ast.Name(id=name)) | ast.GeneratorExp(elt=ast.Name(id=name))),
            ast.comprehension(target=ast.Tuple(elts=targets)),
        ) if len(set(iterated.extra)) > 1 and iterated.kind == TUPLE and iterated.name != "dict":
            place = next((n for n, each in enumerate(targets) if isinstance(each, ast.Name) and each.id == name), None)
            rows = [part.extra for part in iterated.extra if part.kind == TUPLE and len(part.extra) == len(targets)]
            column = tuple(row[place] for row in rows) if place is not None else ()
            are_known = len(rows) == len(iterated.extra) and all(part.kind == COROUTINE for part in column)
            return column if are_known else ()
    return ()


def piped(ev: Evaluation, node: ast.BinOp, sides: Iterable[Value]) -> Value:
    """``prompt | model | parser``: what is asked of the chain, is asked of the model in it.

    A class of the project may be one, too: ``class House(BaseChatModel)``.
    """
    objects = [side for side in sides if side.kind == OBJECT] if isinstance(node.op, ast.BitOr) else []
    models = (name for each in objects for name in (each.name, *ev.world.foreign_bases(each.name)))
    return next((Value(OBJECT, name) for name in models if waits_when_invoked(ev, name)), UNKNOWN)


def waits_when_invoked(ev: Evaluation, name: str) -> bool:
    fact = ev.world.known.call(f"{name}.invoke")
    return fact is not None and bool(fact.kind)


def prefer(left: Value, right: Value) -> Value:
    """The one of two possible values that says more; neither where they are of different classes."""
    if left == right:
        return left
    if are_of_different_classes((left, right)):
        return UNKNOWN
    for kinds in (_SESSIONS, _TELLING):
        for value in (left, right):
            if value.kind in kinds:
                return value
    return left if right in (UNKNOWN, NONE) else right if left in (UNKNOWN, NONE) else UNKNOWN
