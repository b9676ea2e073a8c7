"""Expressions: what they stand for, and what evaluating them does to sessions."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ..bearable import bearable
from ..body import Body
from ..events import Event, Happening
from ..functions.coroutines import TASK, coroutines_in, hear, is_made_by_plain
from ..functions.generated import go_through, held_between
from ..moment import Moment
from ..scope import Scope
from ..state import AT_ENTRY, CHANGED, HELD, State
from ..steps.blocks import savepoints
from ..summary import World
from ..syntax import names_below
from ..values import (
    CAPTURED,
    FALSE,
    FUNCTION,
    GENERATOR,
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
    constant,
    contained,
    truth,
)
from ..verbs import run_method
from .applied import APPLIED, next_applied
from .attributes import attribute
from .calls import evaluate_call
from .changing import change_below
from .compound import choice, comparison, comprehension, display, either, piped, subscript
from .going_through import exhaust
from .selects import ENUMERATED, PLAIN, ZIPPED
from .storing import store_attribute, store_item
from .tables import any_among


class Evaluation:
    """One statement of ``body`` being evaluated on one state."""

    def __init__(self, body: Body, world: World, scope: Scope, state: State, sink: dict[Event, None]) -> None:
        self.body = body
        self.world = world
        self.scope = scope
        self.now = Moment(state, sink, world)
        self.awaited: ast.AST | None = None
        self.gone_through: ast.AST | None = None
        """The argument of a call that goes through all that it is given."""

    def fork(self) -> Evaluation:
        """The same as it is by now, which goes another way from here on."""
        other = Evaluation(self.body, self.world, self.scope, self.now.before, self.now.sink)
        other.now.take_over(self.now)
        return other

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
                return attribute(self, node, self.value(node.value))
            case ast.Call():
                return evaluate_call(self, node)
            case ast.Await():
                return self.await_(node)
            case ast.NamedExpr():
                value = self.value(node.value)
                self.bind(node.target, value)
                return value
            case ast.Tuple() | ast.List() | ast.Set():
                return bearable(self.now, Value(TUPLE, extra=tuple(self.value(element) for element in node.elts)))
            case ast.Dict():
                return display(self, node)
            case ast.IfExp():
                return choice(self, node)
            case ast.BoolOp():
                return either(self, node)
            case ast.UnaryOp(op=ast.Not()):
                known = truth(self.value(node.operand))
                return UNKNOWN if known is None else (FALSE if known else TRUE)
            case ast.Compare():
                return comparison(self, node)
            case ast.Subscript():
                return subscript(self, node)
            case ast.Starred():
                return exhaust(self, self.value(node.value), node.value)
            case ast.Lambda():
                return Value(FUNCTION, f"{self.body.module}.<lambda>".lstrip("."), extra=(None, node))
            case ast.Yield():
                return self.yielded(node)
            case ast.YieldFrom():
                inner = self.value(node.value)
                self.item_of(inner, node.value)
                self.streamed(node, held_between(self, inner))
                return UNKNOWN
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return comprehension(self, node, [node.elt])
            case ast.DictComp():
                return comprehension(self, node, [node.key, node.value])
            case ast.BinOp():
                sides = (self.value(node.left), self.value(node.right))
                joined = bearable(self.now, Value(TUPLE, extra=sides))
                return joined if any(contained(side) for side in sides) else piped(self, node, sides)
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
            used = names_below(node)
            found += [r for name, known in self.now.names.items() if name in used for r in contained(known)]
        return found

    # -- names

    def name(self, name: str) -> Value:
        """A name: a local one as the path bound it, else what the enclosing scopes say."""
        if name in self.now.names:
            return self.now.names[name]
        if name in self.scope.local_names:
            return UNKNOWN
        return self.scope.outer(name)

    def is_self(self, node: ast.expr) -> bool:
        """Whether an expression is the object whose method this is."""
        return isinstance(node, ast.Name) and node.id == self.body.me

    def is_own(self, node: ast.expr) -> bool:
        """As :meth:`is_self`, or ``super()``."""
        is_super = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
        return is_super or self.is_self(node)

    def me(self) -> Value:
        """The object whose method this is; UNKNOWN in a function."""
        return self.now.names.get(self.body.me, UNKNOWN)

    def await_(self, node: ast.Await) -> Value:
        previous, self.awaited = self.awaited, node.value
        value = self.value(node.value)
        self.awaited = previous
        if value.kind == "coroutine" and (not isinstance(node.value, ast.Call) or is_made_by_plain(self, node.value)):
            self.awaited_later(value, node)
            value = UNKNOWN
        elif value.kind == OBJECT and value.name == TASK:
            self.wait_for(value, node)
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
            run_method(self.now, resource, effect, coroutine.name, node)
        elif resource is None:
            self.wait_for(coroutine, node)

    def wait_for(self, awaited: Value, node: ast.AST) -> None:
        """``await task``: what a coroutine or task that was made before waits for."""
        for coroutine in coroutines_in((awaited,)):
            if isinstance(node, ast.expr):
                hear(self, coroutine, node)

    def yielded(self, node: ast.Yield) -> Value:
        """The consumer works with what it gets, until it comes back or raises."""
        value = self.value(node.value) if node.value else NONE
        for resource in contained(value):
            if not resource.is_connection:
                life = self.now.life(resource)
                self.now.lives[resource] = life._replace(phases=HELD)
                self.now.steps.setdefault(resource, node)
        self.scope.yields.append((value, node))
        self.streamed(node)
        return UNKNOWN

    def streamed(self, node: ast.AST, inside: Iterable[Resource] = ()) -> None:
        """The consumer has an item, and takes as long as it likes; ``inside`` is what an inner generator holds."""
        held = dict.fromkeys((*self.now.held(), *inside))
        self.scope.streams.update(held)
        self.scope.saved.update(savepoints(self.now.names))
        for resource in held:
            if ("turns", resource) not in self.now.steps:  # an inner generator's own, which yields there
                self.now.event(Happening.STREAMED, node, resource, "yield")
        lives, before = self.now.lives, self.scope.between
        known = lives if before is None else before
        both = {*lives, *known}
        self.scope.between = {r: known.get(r, AT_ENTRY).join(lives.get(r, AT_ENTRY)) for r in both}
        self.now.may_raise()

    # -- iterating and binding

    def item_of(self, iterated: Value, node: ast.expr) -> Value:
        """One item of what is iterated; iterating a query runs it."""
        if iterated.kind == QUERY and iterated.resource is not None:
            self.now.take(iterated.resource, node)
        if iterated.kind == "generated":
            go_through(self, iterated, node)
            return UNKNOWN
        if iterated.kind == APPLIED:
            return next_applied(self, iterated, node)
        if iterated.kind in (QUERY, ROWS, RESULT) and PLAIN in iterated.extra:
            return UNKNOWN
        if iterated.kind == ENUMERATED and iterated.extra:
            return Value(TUPLE, extra=(UNKNOWN, self.item_of(iterated.extra[0], node)))
        if iterated.kind == ZIPPED:
            return Value(TUPLE, extra=tuple(self.item_of(each, node) for each in iterated.extra))
        if iterated.kind in (QUERY, ROWS, RESULT):
            return Value(ROW, iterated.name, iterated.resource, iterated.extra if iterated.kind == ROWS else ())
        if iterated.kind == GENERATOR and iterated.resource is not None:
            return Value(SESSION, resource=iterated.resource)
        if iterated.kind == TUPLE and iterated.name != "dict":
            return any_among(iterated.extra)
        return iterated if iterated.kind == OBJECT else UNKNOWN

    def bind(self, target: ast.expr, value: Value) -> None:
        """``target = value`` for every form of target."""
        match target:
            case ast.Name():
                if target.id not in self.scope.local_names and self.body.node is not None:
                    self.now.give(value, uncertain=False)  # a global or nonlocal name
                self.now.bind(target.id, self.as_others_know_it(target.id, value), constants=self.body.tested_names)
            case ast.Tuple() | ast.List():
                if value.kind == QUERY:
                    exhaust(self, value, target)
                is_known = value.kind == TUPLE and value.name == "" and len(value.extra) == len(target.elts)
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

    def as_others_know_it(self, name: str, value: Value) -> Value:
        """A registry that a module makes, by its dotted name, as the functions of the module have it."""
        resource = value.resource if self.body.node is None and value.kind == REGISTRY else None
        if resource is None or ":" not in resource.key:
            return value
        known = self.scope.outer(name)
        return known if known.kind == REGISTRY else value

    def by_its_use(self, target: ast.expr | None, value: Value = UNKNOWN) -> Value:
        """The session or factory that a value of which nothing is known is, where the function asks or calls what it is
        bound to like one; else the value."""
        if not isinstance(target, ast.Name) or target.id not in self.scope.local_names:
            return value
        type_name = self.world.asked(self.body, target.id)
        if type_name:
            return Value(SESSION, resource=Resource(CAPTURED, target.id, type_name))
        return self.world.called(self.body, target.id) if value == UNKNOWN else value

    def by_its_annotation(self, statement: ast.AnnAssign) -> Value:
        """What the annotation of a variable says of it: a session is somebody else's, ``db: Session = ctx.obj``."""
        told = self.world.declared(self.body, statement.annotation)
        if told.kind != SESSION or told.resource is None:
            return told
        match statement.target:
            case ast.Name(id=name) if name in self.scope.local_names:
                return told._replace(resource=told.resource._replace(origin=CAPTURED, key=name))
        return UNKNOWN

    def change(self, owner: ast.expr) -> None:
        """``owner.attribute += 1``: a row of a session is changed."""
        row = self.value(owner)
        if row.kind == ROW and row.resource is not None:
            self.now.mark(row.resource, CHANGED)
        else:
            change_below(self, owner)
