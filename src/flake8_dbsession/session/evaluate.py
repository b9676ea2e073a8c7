"""Expressions: what they stand for, and what evaluating them does to sessions."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ..names import dotted
from .body import Body
from .calls import evaluate_call
from .events import Event, Happening
from .formals import of
from .moment import Moment
from .opening import opened
from .rows import loader_of, loads_by_attribute, member_of_row
from .scope import Scope
from .state import CHANGED, HELD, State
from .statements import ENUMERATED, PLAIN
from .storing import store_attribute, store_item
from .summary import World
from .values import (
    CAPTURED,
    CLASS,
    CONSTANT,
    COROUTINE,
    ENGINE,
    FALSE,
    FLASK_DB,
    FUNCTION,
    GENERATOR,
    HANDLES,
    METHOD,
    NAMED,
    NONE,
    OBJECT,
    QUERY,
    REGISTRY,
    RESULT,
    ROW,
    ROWS,
    SESSION,
    TRUE,
    TUPLE,
    UNKNOWN,
    Resource,
    Value,
    are_of_different_classes,
    constant,
    contained,
    pool_of,
    truth,
)


class Evaluation:
    """One statement of ``body`` being evaluated on one state."""

    def __init__(self, body: Body, world: World, scope: Scope, state: State, sink: dict[Event, None]) -> None:
        self.body = body
        self.world = world
        self.scope = scope
        self.now = Moment(state, sink)
        self.awaited: ast.AST | None = None

    def value(self, node: ast.expr | None) -> Value:
        """Evaluate ``node`` and say what it stands for."""
        match node:
            case None:
                return NONE
            case ast.Name():
                return self.name(node.id)
            case ast.Constant():
                return constant(node.value) if isinstance(node.value, (bool, int, float, type(None))) else UNKNOWN
            case ast.Attribute():
                return self.attribute(node, self.value(node.value))
            case ast.Call():
                return evaluate_call(self, node)
            case ast.Await():
                return self.await_(node)
            case ast.NamedExpr():
                value = self.value(node.value)
                self.bind(node.target, value)
                return value
            case ast.Tuple() | ast.List() | ast.Set():
                return Value(TUPLE, extra=tuple(self.value(element) for element in node.elts))
            case ast.Dict():
                return self.display(node)
            case ast.IfExp():
                return self.choice(node)
            case ast.BoolOp():
                return self.either(node)
            case ast.UnaryOp(op=ast.Not()):
                known = truth(self.value(node.operand))
                return UNKNOWN if known is None else (FALSE if known else TRUE)
            case ast.Compare():
                return self.comparison(node)
            case ast.Subscript():
                return self.subscript(node)
            case ast.Starred():
                return self.value(node.value)
            case ast.Lambda():
                return Value(FUNCTION, f"{self.body.module}.<lambda>".lstrip("."), extra=(None, node))
            case ast.Yield():
                return self.yielded(node)
            case ast.YieldFrom():
                self.value(node.value)
                self.now.may_raise()
                return UNKNOWN
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self.comprehension(node, [node.elt])
            case ast.DictComp():
                return self.comprehension(node, [node.key, node.value])
            case ast.BinOp():
                sides = (self.value(node.left), self.value(node.right))
                return Value(TUPLE, extra=sides) if any(contained(side) for side in sides) else UNKNOWN
            case ast.JoinedStr() | ast.FormattedValue() | ast.UnaryOp() | ast.Slice():
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.value(child)
                return UNKNOWN
        return UNKNOWN

    def reached(self, value: Value) -> list[Resource]:
        """The sessions that whoever gets the value can reach: inside it, or through the names a function uses."""
        found = list(contained(value))
        node = value.extra[1] if value.kind == FUNCTION and len(value.extra) > 1 else None
        if node is not None:
            used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            found += [r for name, known in self.now.names.items() if name in used for r in contained(known)]
        return found

    # -- names and attributes

    def name(self, name: str) -> Value:
        """A name: a local one as the path bound it, else what the enclosing scopes say."""
        if name in self.now.names:
            return self.now.names[name]
        if name in self.scope.local_names:
            return UNKNOWN
        return self.scope.outer(name)

    def attribute(self, node: ast.Attribute, owner: Value) -> Value:
        name = node.attr
        match owner.kind:
            case "unknown":
                return self.stored(node)
            case "named" | "module":
                return self.world.value(f"{owner.name}.{name}")
            case "super":
                return self.world.inherited(owner.name, name, owner.extra[0])
            case "row":
                self.read_row(node, owner)
                return member_of_row(self, owner, name)
            case "object" | "class":
                if loads_by_attribute(self, owner, name):
                    return loader_of(owner)
                found = self.now.names.get(f"self.{name}") if self.is_self(node.value) else None
                if found is not None:
                    return found
                known = dict(p for p in owner.extra if isinstance(p, tuple) and len(p) == 2)
                if name in known:
                    value: Value = known[name]
                    return value
                value = self.world.attribute(owner, name)
                if value.kind == "opens":
                    return opened(self, value, node)
                if owner.kind == OBJECT and value.resource is not None and not self.is_own(node.value):
                    value = self.of_another(node.value, value)
                return value if value != UNKNOWN else self.stored(node)
        if owner.kind == METHOD and owner.extra[0].kind == OBJECT:
            return Value(METHOD, f"{owner.name}.{name}", extra=owner.extra)
        if owner.kind == FLASK_DB:
            return self.flask(owner, name)
        if owner.kind in (SESSION, REGISTRY) and name in ("bind",):
            return Value(ENGINE, "Engine")
        if owner.kind == REGISTRY and name == "session_factory":
            return UNKNOWN
        if owner.kind in (SESSION, REGISTRY) and name in _DATA:
            return UNKNOWN
        if owner.kind == ENGINE and name in ("sync_engine", "engine"):
            return owner
        return Value(METHOD, name, extra=(owner,))

    def is_self(self, node: ast.expr) -> bool:
        """Whether an expression is the object whose method this is."""
        first = self.body.parameters[:1] if self.body.owner else ()
        return isinstance(node, ast.Name) and any(p.arg == node.id for p in first)

    def is_own(self, node: ast.expr) -> bool:
        """As :meth:`is_self`, or ``super()``."""
        is_super = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
        return is_super or self.is_self(node)

    def me(self) -> Value:
        """The object whose method this is; UNKNOWN in a function."""
        first = self.body.parameters[:1] if self.body.owner else []
        return self.now.names.get(first[0].arg, UNKNOWN) if first else UNKNOWN

    def of_another(self, node: ast.expr, value: Value) -> Value:
        """What another object has as ``self.session`` in its own methods."""
        resource = value.resource
        if resource is None or not resource.is_of_an_object or not resource.key.startswith("self."):
            return value
        return value._replace(resource=of(ast.unparse(node), resource))

    def stored(self, node: ast.Attribute) -> Value:
        """``g.db`` or ``request.state.db`` that this function itself has set."""
        text = dotted(node)
        if text is None:
            return UNKNOWN
        return self.now.names.get(text) or self.world.stored(self.body.module, text)

    def flask(self, owner: Value, name: str) -> Value:
        """Attributes of ``db = SQLAlchemy()``."""
        if name == "session":
            return Value(REGISTRY, owner.name, owner.resource)
        if name == "engine":
            return Value(ENGINE, "Engine", extra=("flask", owner.name.rpartition(".")[2] or "db"))
        if name in ("Model", "Query"):
            return Value(NAMED, f"flask_sqlalchemy.SQLAlchemy.{name}", owner.resource)
        return Value(METHOD, name, extra=(owner,))

    def read_row(self, node: ast.AST, row: Value) -> None:
        """Reading an attribute of an expired row takes a connection again."""
        if row.resource is None:
            return
        if "expired" in row.extra:
            for name, value in list(self.now.names.items()):
                if value == row:
                    self.now.names[name] = row.with_extra()
            self.now.take(row.resource, node)
        elif self.now.is_lent(row.resource):
            self.now.hold(row.resource, node)

    # -- compound expressions

    def display(self, node: ast.Dict) -> Value:
        values = []
        for key, item in zip(node.keys, node.values, strict=True):
            if key is not None:
                self.value(key)
            values.append((key, self.value(item)))
        if not any(contained(value) or value.kind in HANDLES for _, value in values):
            return UNKNOWN
        named = ((ast.unparse(key) if key is not None else "**", value) for key, value in values)
        return Value(TUPLE, "dict", extra=tuple(named))

    def choice(self, node: ast.IfExp) -> Value:
        known = truth(self.value(node.test))
        if known is not None:
            return self.value(node.body if known else node.orelse)
        return prefer(self.value(node.body), self.value(node.orelse))

    def either(self, node: ast.BoolOp) -> Value:
        """``a or b``, ``a and b``: an operand after a decided one is not evaluated."""
        stop = isinstance(node.op, ast.Or)
        result = UNKNOWN
        for operand in node.values:
            value = self.value(operand)
            if truth(value) is stop:
                return value if result in (UNKNOWN, NONE) else prefer(result, value)
            result = value if result == UNKNOWN or truth(result) is (not stop) else prefer(result, value)
        return result

    def comparison(self, node: ast.Compare) -> Value:
        left = self.value(node.left)
        rights = [self.value(right) for right in node.comparators]
        if len(rights) != 1 or UNKNOWN in (left, rights[0]):
            return UNKNOWN
        same = None
        if left.kind == CONSTANT and rights[0].kind == CONSTANT:
            same = left == rights[0]
        elif NONE in (left, rights[0]) and truth(left if rights[0] == NONE else rights[0]):
            same = False
        if same is None:
            return UNKNOWN
        match node.ops[0]:
            case ast.Is() | ast.Eq():
                return TRUE if same else FALSE
            case ast.IsNot() | ast.NotEq():
                return FALSE if same else TRUE
        return UNKNOWN

    def subscript(self, node: ast.Subscript) -> Value:
        owner = self.value(node.value)
        self.value(node.slice)
        if owner.kind == QUERY and owner.resource is not None:
            self.now.take(owner.resource, node)
            return Value(ROWS if isinstance(node.slice, ast.Slice) else ROW, owner.name, owner.resource)
        if owner.kind == ROWS:
            return owner if isinstance(node.slice, ast.Slice) else owner._replace(kind=ROW)
        if owner.kind == TUPLE and owner.name != "dict" and isinstance(node.slice, ast.Constant):
            index = node.slice.value
            if isinstance(index, int) and -len(owner.extra) <= index < len(owner.extra):
                element: Value = owner.extra[index]
                return element
        if owner.kind == TUPLE and owner.name == "dict":
            items: dict[str, Value] = dict(owner.extra)
            alike = next(iter(items.values())) if len({value.kind for value in items.values()}) == 1 else UNKNOWN
            is_any = not isinstance(node.slice, ast.Constant) and alike.kind in HANDLES
            item = items.get(ast.unparse(node.slice), alike if is_any else UNKNOWN)
            pooled = item.kind not in HANDLES or bool(pool_of(item))  # entries of a table are of different databases
            return item if pooled else item.with_extra(*item.extra, ("pool", ast.unparse(node)))
        if owner.kind == UNKNOWN.kind:
            is_any_known = any(name.endswith("]") for name in self.now.names)
            return self.now.names.get(ast.unparse(node), UNKNOWN) if is_any_known else UNKNOWN
        return UNKNOWN

    def comprehension(self, node: ast.expr, elements: Iterable[ast.expr]) -> Value:
        kept = dict(self.now.names)
        for generator in node.generators:  # type: ignore[attr-defined]
            item = self.item_of(self.value(generator.iter), generator.iter)
            self.bind(generator.target, item)
            for test in generator.ifs:
                self.value(test)
        values = [self.value(element) for element in elements]
        bound = {n for g in node.generators for n in names_in(g.target)}  # type: ignore[attr-defined]
        for name in bound:
            self.now.names.pop(name, None)
            if name in kept:
                self.now.names[name] = kept[name]
        if values[0].kind == ROW:
            return values[0]._replace(kind=ROWS, extra=())
        told = any(value.kind in (COROUTINE, OBJECT) or contained(value) for value in values)
        return Value(TUPLE, extra=tuple(values)) if told else UNKNOWN

    def await_(self, node: ast.Await) -> Value:
        previous, self.awaited = self.awaited, node.value
        value = self.value(node.value)
        self.awaited = previous
        if value.kind == "coroutine" and not isinstance(node.value, ast.Call):
            self.awaited_later(value, node)
            value = UNKNOWN
        self.now.may_raise()
        return value

    def awaited_later(self, coroutine: Value, node: ast.AST) -> None:
        """The effect of ``commit = session.commit()`` where it is awaited, or should have been."""
        resource = coroutine.resource
        effect = self.world.known.effect(resource.type, coroutine.name) if resource is not None else None
        if resource is not None and coroutine.name == "remove":
            self.now.finish(resource, node, "remove")
        elif resource is not None and effect is not None:
            self.now.apply(resource, effect, coroutine.name, node)

    def yielded(self, node: ast.Yield) -> Value:
        """The consumer works with what it gets, until it comes back or raises."""
        value = self.value(node.value) if node.value else NONE
        for resource in contained(value):
            if not resource.is_connection:
                life = self.now.life(resource)
                self.now.lives[resource] = life._replace(phases=HELD)
                self.now.steps.setdefault(resource, node)
        for resource in self.now.held():
            self.now.event(Happening.STREAMED, node, resource, "yield")
        self.scope.yields.append((value, node))
        self.now.may_raise()
        return UNKNOWN

    # -- iterating and binding

    def item_of(self, iterated: Value, node: ast.expr) -> Value:
        """One item of what is iterated; iterating a query runs it."""
        if iterated.kind == QUERY and iterated.resource is not None:
            self.now.take(iterated.resource, node)
        if iterated.kind in (QUERY, ROWS, RESULT) and PLAIN in iterated.extra:
            return UNKNOWN
        if iterated.kind == ENUMERATED and iterated.extra:
            return Value(TUPLE, extra=(UNKNOWN, self.item_of(iterated.extra[0], node)))
        if iterated.kind in (QUERY, ROWS, RESULT):
            return Value(ROW, iterated.name, iterated.resource)
        if iterated.kind == GENERATOR and iterated.resource is not None:
            return Value(SESSION, resource=iterated.resource)
        if iterated.kind == TUPLE and iterated.name != "dict" and len(set(iterated.extra)) == 1:
            only: Value = iterated.extra[0]
            return only
        return iterated if iterated.kind == OBJECT else UNKNOWN

    def bind(self, target: ast.expr, value: Value) -> None:
        """``target = value`` for every form of target."""
        match target:
            case ast.Name():
                if target.id not in self.scope.local_names and self.body.node is not None:
                    self.now.give(value, uncertain=False)  # a global or nonlocal name
                self.now.bind(target.id, value, constants=self.body.tested_names)
            case ast.Tuple() | ast.List():
                is_known = value.kind == TUPLE and value.name != "dict" and len(value.extra) == len(target.elts)
                parts = value.extra if is_known else None
                for position, element in enumerate(target.elts):
                    inner = element.value if isinstance(element, ast.Starred) else element
                    self.bind(inner, parts[position] if parts else UNKNOWN)
            case ast.Starred():
                self.bind(target.value, UNKNOWN)
            case ast.Attribute():
                store_attribute(self, target, value)
            case ast.Subscript():
                self.value(target.slice)
                store_item(self, target, value)

    def by_its_use(self, target: ast.expr | None) -> Value:
        """The session or factory that something unseen is bound to, where the function asks or calls it like one."""
        if not isinstance(target, ast.Name) or target.id not in self.scope.local_names:
            return UNKNOWN
        type_name = self.world.asked(self.body, target.id)
        if type_name:
            return Value(SESSION, resource=Resource(CAPTURED, target.id, type_name))
        return self.world.called(self.body, target.id)

    def change(self, owner: ast.expr) -> None:
        """``owner.attribute += 1``: a row of a session is changed."""
        row = self.value(owner)
        if row.kind == ROW and row.resource is not None:
            self.now.mark(row.resource, CHANGED)


def prefer(left: Value, right: Value) -> Value:
    """The one of two possible values that says more; neither where they are of different classes."""
    if left == right:
        return left
    if are_of_different_classes((left, right)):
        return UNKNOWN
    for kind in (SESSION, FACTORY_LIKE):
        for value in (left, right):
            if value.kind == kind or (kind is FACTORY_LIKE and value.kind in _TELLING):
                return value
    return left if right in (UNKNOWN, NONE) else right if left in (UNKNOWN, NONE) else UNKNOWN


FACTORY_LIKE = "factory-like"
_DATA = frozenset({"is_active", "dirty", "new", "deleted", "info", "identity_map", "autoflush", "invalidated"})
"""Attributes of sessions and connections that are no methods: they may be true or false."""
_TELLING = frozenset({"factory", "registry", "engine", "manager", "rows", "row", "query", "result", "object", CLASS})


def names_in(target: ast.expr) -> list[str]:
    """The plain names that a target binds."""
    return [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]
