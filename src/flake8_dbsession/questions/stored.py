"""Sessions that a method stores on its object: which of them does nobody give back?"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping

from ..project.app import MOST_FILES
from ..project.modules.module import ClassInfo, Module
from ..project.project import Project
from ..session.body import Body
from ..session.events import Happening
from ..session.flow import Flow
from ..session.leaks import Leak, leaks
from ..session.state import CLOSED, ENTRY, GIVEN, HOLDING, STORED, State
from ..session.values import AMBIENT, OBJECT, REGISTRY, SESSION, UNKNOWN, Resource, Value
from ..view import View
from .closing_attributes import BACK, CLOSES, closes, gives_back, is_attribute, is_release, passes_close_on, works_with

Named = tuple[Leak, str]

_BEGINNINGS = (".__init__", ".__enter__", ".__aenter__", ".setUp")


def stored_leaks(view: View, flow: Flow) -> list[Named]:
    """The sessions that a method opens, stores on its object and leaves to nobody, with the attribute's name."""
    if flow.body.owner not in view.module.classes:
        return []
    each_call = list(left_by_each_call(view, flow))
    told = {leak.resource for leak, _ in each_call}
    return each_call + [(leak, name) for leak, name in left_by_the_object(view, flow) if leak.resource not in told]


# -- opened at each call


def left_by_each_call(view: View, flow: Flow) -> Iterator[Named]:
    """Held when the method that opened them ends, so that its next call opens another."""
    if not flow.scope.kept or flow.body.name.endswith(_BEGINNINGS):
        return
    own = view.module.classes[flow.body.owner].methods
    for leak in leaks(flow, with_kept=True):
        attribute = flow.scope.kept.get(leak.resource)
        if attribute is None or asks_for(flow, attribute):
            continue
        opened_at = leak.opened.lineno  # type: ignore[attr-defined]
        closes = [n.lineno for n in flow.body.own_nodes if is_release(n, attribute, BACK)]  # type: ignore[attr-defined]
        ending = [m for m in own.values() if m is not flow.body.node and gives_back(m, attribute, BACK)]
        asked = asked_by_others(own, flow.body.node) if ending else []
        elsewhere = any(m in asked or gives_back(m, attribute, CLOSES) for m in ending)
        ends = [state.lives[leak.resource] for state in flow.returned if leak.resource in state.lives]
        closes_itself = any(line > opened_at for line in closes) and any(life.phases & CLOSED for life in ends)
        if closes_itself or not (closes or elsewhere):
            yield leak, f"self.{attribute}"


def asked_by_others(methods: Mapping[str, ast.AST], opener: ast.AST | None) -> list[ast.AST]:
    """The methods that are called without the one that opens: those for everybody, and what these call on the object.

    What only the opener leads to is a part of its work, which has been followed.
    """
    found = [m for name, m in methods.items() if m is not opener and (not name.startswith("_") or name.endswith("__"))]
    for method in found:
        named = {node.attr for node in ast.walk(method) if isinstance(node, ast.Attribute)}
        found += [m for name, m in methods.items() if name in named and m is not opener and m not in found]
    return found


# -- opened once for the object


def left_by_the_object(view: View, flow: Flow) -> Iterator[Named]:
    """Kept for as long as the object lives: another method leaves the connection taken, and nobody can close it.

    Of an object that is made once ORM304 speaks.
    """
    for attribute, resource, call in stored(flow):
        name = f"{view.module.name}.{flow.body.owner}"
        if has_closer(view, flow.body.owner, attribute) or is_closed_from_outside(view.project, name, attribute):
            continue
        heirs = heirs_of(view.project, name)
        is_closed = any(gives_back(m, attribute, CLOSES) for _, heir in heirs for m in heir.methods.values())
        if is_closed or view.project.is_made_once(name):
            continue
        own = view.module.classes[flow.body.owner].methods
        others = (*methods_beside(view, flow), *methods_of(view.project, heirs, but=own))
        if any(leaves_held(view, other, attribute) for other in others):
            yield Leak(resource, call, None, always=True, on_error=False), f"self.{attribute}"


def closed_at_the_end(view: View, flow: Flow) -> Iterator[tuple[str, ast.AST, bool]]:
    """The object's sessions that a method works with and closes, the only one to do so, and not on every way out.

    Each attribute with the close, and whether only an exception passes that by.
    """
    if flow.body.owner not in view.module.classes:
        return
    me = Value(OBJECT, f"{view.module.name}.{flow.body.owner}")
    for attribute, close in closes_of_itself(flow):
        resource = view.project.attribute(me, attribute).resource
        held = [error for state, error in ways_out(flow) if is_left_held(state, resource)]
        if not held or closed_elsewhere(view, flow, attribute):
            continue
        if makes_registry(view, flow, attribute) or opens_alone(view, flow, attribute):
            yield attribute, close, all(held)


def closes_of_itself(flow: Flow) -> Iterator[tuple[str, ast.AST]]:
    """``self.session.close()`` in a method: the attribute with the call."""
    if flow.body.owner and not flow.body.name.endswith(_BEGINNINGS):
        for call in flow.body.own(ast.Call):
            match call.func:
                case ast.Attribute(value=ast.Attribute(attr=attribute, value=ast.Name()), attr=verb) if verb in CLOSES:
                    yield attribute, call


def ways_out(flow: Flow) -> Iterator[tuple[State, bool]]:
    """Each state in which the function ends, with whether an exception ends it."""
    yield from ((state, True) for state in flow.raised)
    yield from ((state, False) for state in flow.returned)


def is_left_held(state: State, resource: Resource | None) -> bool:
    """Whether the session holds a connection that was taken in this function."""
    life = state.lives.get(resource) if resource is not None else None
    return life is not None and bool(life.phases & HOLDING) and not life.phases & ENTRY


def constructors(view: View, flow: Flow) -> Iterator[Flow]:
    return (f for f in view.flows if f.body.owner == flow.body.owner and f.body.name.endswith(".__init__"))


def makes_registry(view: View, flow: Flow, attribute: str) -> bool:
    """Whether the constructor of the method's class makes a registry for the object."""
    values = (constructor.scope.attributes.get(attribute, UNKNOWN) for constructor in constructors(view, flow))
    return any(value.kind == REGISTRY and value.resource and ":" in value.resource.key for value in values)


def opens_alone(view: View, flow: Flow, attribute: str) -> bool:
    """Whether it opens a session that no other method leaves held: ORM101 speaks of those."""
    if not any(attribute == kept for constructor in constructors(view, flow) for kept, *_ in stored(constructor)):
        return False
    return not any(leaves_held(view, other, attribute) for other in methods_beside(view, flow))


def closed_elsewhere(view: View, flow: Flow, attribute: str) -> bool:
    """Whether anybody else closes the attribute."""
    others = [m for m in view.module.classes[flow.body.owner].methods.values() if m is not flow.body.node]
    if any(gives_back(method, attribute, CLOSES) or passes_close_on(method, attribute) for method in others):
        return True
    return is_closed_from_outside(view.project, f"{view.module.name}.{flow.body.owner}", attribute)


def stored(flow: Flow) -> Iterator[tuple[str, Resource, ast.AST]]:
    """Each session that the method takes for its object: attribute, session and the call that gives it."""
    opened = {e.resource: e.node for e in flow.events(Happening.OPENED)}
    for resource, attribute in flow.scope.kept.items():
        if not any(s.lives[resource].marks & GIVEN for s in flow.returned if resource in s.lives):
            yield attribute, resource, opened[resource]
    for attribute, value in flow.scope.attributes.items():
        registry = value.resource
        if value.kind == SESSION and registry is not None and registry.origin == AMBIENT and ":" in registry.key:
            for target, assigned in flow.body.assigned():
                if is_attribute(target, attribute):
                    yield attribute, registry, assigned


def methods_beside(view: View, flow: Flow) -> Iterator[Flow]:
    """The solved methods that others call on the object."""
    for other in view.flows:
        is_public = not other.body.name.rpartition(".")[2].startswith("_")
        if other.body.owner == flow.body.owner and other is not flow and is_public:
            yield other


def heirs_of(project: Project, name: str) -> list[tuple[Module, ClassInfo]]:
    """The classes of the project that extend a class directly, each with its module."""
    found = ((project.split(heir)[0], project.class_info(heir)) for heir in project.implementations.extended(name))
    return [(module, heir) for module, heir in found if module is not None and heir is not None]


def methods_of(project: Project, classes: Iterable[tuple[Module, ClassInfo]], but: Collection[str]) -> Iterator[Flow]:
    """The solved methods that others call on objects of some classes, without those that what they extend has, too,
    and calls itself."""
    for module, info in classes:
        for body in module.bodies.values():
            name = body.name.rpartition(".")[2]
            if body.owner == info.name and not name.startswith("_") and name not in but:
                yield project.flow(module, body, {})


def leaves_held(view: View, flow: Flow, attribute: str) -> bool:
    """Whether a method returns with the attribute's session holding a connection that it took itself."""
    value = view.project.attribute(Value(OBJECT, f"{flow.body.module}.{flow.body.owner}"), attribute)
    lives = (state.lives[value.resource] for state in flow.returned if value.resource in state.lives)
    return any(life.phases & HOLDING and not life.phases & ENTRY for life in lives)


def has_closer(view: View, owner: str, attribute: str) -> bool:
    """Whether a method of the class or of its bases is there to end the session, or lets others do it."""
    for info in view.project.lineage(view.module.classes[owner]):
        for method in () if isinstance(info, str) else info.methods.values():
            if passes_close_on(method, attribute):
                return True
            if gives_back(method, attribute, CLOSES) and not works_with(method, attribute):
                return True
    return False


def shared_by_callers(view: View, flow: Flow) -> Iterator[tuple[str, ast.AST]]:
    """Each session that a method opens once, keeps on the object and hands to every caller, and that nobody closes.

    ``if not hasattr(self, "_db"): self._db = make()``, ``return self._db``: the attribute and the call that opens it.
    """
    if flow.body.owner not in view.module.classes:
        return
    own = view.module.classes[flow.body.owner].methods.values()
    name = f"{view.module.name}.{flow.body.owner}"
    for event in flow.events(Happening.OPENED):
        attribute = flow.scope.kept.get(event.resource) if event.resource is not None else None
        if event.resource is None or attribute is None or not asks_for(flow, attribute):
            continue
        lives = [state.lives[event.resource] for state in flow.returned if event.resource in state.lives]
        names = (attribute, flow.body.name.rpartition(".")[2])
        closed = any(closes(method, known) for method in own for known in names)
        if not lives or closed or not all(life.marks & GIVEN and not life.marks & STORED for life in lives):
            continue
        if not any(is_closed_from_outside(view.project, name, known) for known in names):
            yield f"self.{attribute}", event.node


def asks_for(flow: Flow, attribute: str) -> bool:
    """Whether a condition of the method asks if the attribute is there already."""
    parts = [part for test in flow.body.own(ast.If) for part in ast.walk(test.test)]
    named = (part.value for part in parts if isinstance(part, ast.Constant))
    return attribute in named or any(is_attribute(part, attribute) for part in parts)


def is_closed_from_outside(project: Project, owner: str, attribute: str) -> bool:
    """Whether code outside of the class ``owner`` closes an object's attribute: ``store.session.close()``, or ``with``.

    ``self.session.close()`` of an unrelated class and ``db.session.close()`` of a registry do not count. A project
    that is too large to look through counts as one that closes.
    """
    if len(project.app.files) > MOST_FILES:
        return True
    words = (*(f".{attribute}.{verb}".encode() for verb in CLOSES), f".{attribute} as ".encode())
    for module in project.app.modules_with(*words):
        for body in (module.top, *module.bodies.values()):
            if any(may_be_of(owner, closed.value, project, module, body) for closed in closed_in(body, attribute)):
                return True
    return False


def closed_in(body: Body, attribute: str) -> Iterator[ast.Attribute]:
    """``<x>.<attribute>`` wherever the function closes it or leaves a block over it."""
    for node in body.own(ast.Attribute):
        if is_release(node, attribute, CLOSES):
            yield node.value
    for item in body.own(ast.withitem):
        if is_attribute(item.context_expr, attribute):
            yield item.context_expr


def may_be_of(owner: str, node: ast.expr, project: Project, module: Module, body: Body) -> bool:
    """Whether the expression may be an object of the class."""
    if isinstance(node, ast.Name) and node.id == body.me:
        info = module.classes.get(body.owner)
        inherited = project.lineage(info) if info is not None else ()
        return any(not isinstance(base, str) and base.qualified == owner and base is not info for base in inherited)
    return project.evaluate(module, node).kind in ("unknown", "object")
