"""Questions that several rules ask before they report."""

from __future__ import annotations

import ast

from .session.events import Event, Happening
from .session.flow import Flow, Leak
from .session.state import CLOSED, GIVEN
from .session.values import Resource
from .story import name_of
from .view import View


def is_out_of_scope(view: View, flow: Flow) -> bool:
    """Test code and commands that end: what they hold ends with their process."""
    return view.is_test or ((view.is_script or view.units.is_short_lived(flow.body)) and bool(flow.returned))


def ignorable(view: View, flow: Flow, leak: Leak) -> bool:
    """A command may leave a session to the end of its process, but not one in each turn of a loop."""
    if view.is_test:
        return True
    endless = not flow.returned and in_loop(flow, leak.opened)
    return is_out_of_scope(view, flow) and not leak.lost and not endless


def is_closed_somewhere(flow: Flow, resource: Resource) -> bool:
    """Whether any path closes the session."""
    return any(e.resource == resource for e in flow.events(Happening.CLOSED))


def is_released_here(flow: Flow, resource: Resource | None) -> bool:
    """Whether the session is closed on every way out that knows it."""
    ends = [s.lives[resource] for s in (*flow.returned, *flow.raised) if resource is not None and resource in s.lives]
    closed = any(e.resource == resource for e in flow.events(Happening.CLOSED))
    return closed and not any(life.may_hold for life in ends)


def in_loop(flow: Flow, node: ast.AST) -> bool:
    """Whether the node stands in a loop or comprehension of the function."""
    line = node.lineno  # type: ignore[attr-defined]
    loops = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
    for loop in flow.body.own_nodes:
        if isinstance(loop, loops) and loop is not node and loop.lineno <= line <= (loop.end_lineno or 0):
            head = loop.iter if isinstance(loop, (ast.For, ast.AsyncFor)) and loop.lineno == line else None
            if head is None or not within(head, node):
                return True
    return False


def within(outer: ast.AST, node: ast.AST) -> bool:
    return any(part is node for part in ast.walk(outer))


def first_of_each_node(events: list[Event]) -> list[Event]:
    """One event for each place."""
    seen: dict[ast.AST, Event] = {}
    for event in events:
        seen.setdefault(event.node, event)
    return list(seen.values())


def owned_leaks(view: View, flow: Flow) -> list[tuple[Leak, str]]:
    """Every leak of a function with the name its session goes by ("" for none)."""
    leaks = [*flow.leaks(), *flow.registry_leaks()]
    named = [(leak, name_of(flow, leak.resource)) for leak in leaks]
    found = named + kept_leaks(view, flow) + constructor_leaks(view, flow)
    of_generators = {event.resource for event in flow.events(Happening.DISCARDED_GENERATOR)}
    return [(leak, name) for leak, name in found if leak.resource not in of_generators]  # ORM105 speaks of those


def kept_leaks(view: View, flow: Flow) -> list[tuple[Leak, str]]:
    """Sessions stored on ``self`` that neither this method nor anybody else in the class gives back."""
    found = []
    info = view.module.classes.get(flow.body.owner)
    if info is None or not flow.scope.kept:
        return []
    for leak in flow.leaks(with_kept=True):
        attribute = flow.scope.kept.get(leak.resource)
        if attribute is None or flow.body.name.endswith((".__init__", ".__enter__", ".__aenter__", ".setUp")):
            continue
        opened_at = leak.opened.lineno  # type: ignore[attr-defined]
        closes = [n.lineno for n in flow.body.own_nodes if is_release(n, attribute)]  # type: ignore[attr-defined]
        elsewhere = any(gives_back(m, attribute) for m in info.methods.values() if m is not flow.body.node)
        ends = [state.lives[leak.resource] for state in flow.returned if leak.resource in state.lives]
        closes_itself = any(line > opened_at for line in closes) and any(life.phases & CLOSED for life in ends)
        if closes_itself or not (closes or elsewhere):
            found.append((leak, f"self.{attribute}"))
    return found


_BACK = frozenset({"close", "aclose", "remove", "rollback", "commit", "reset", "invalidate"})


def constructor_leaks(view: View, flow: Flow) -> list[tuple[Leak, str]]:
    """Sessions that a constructor stores and the class uses, where nothing in the project closes that attribute."""
    info = view.module.classes.get(flow.body.owner)
    if info is None or not flow.body.name.endswith(".__init__"):
        return []
    found = []
    opened = {e.resource: e.node for e in flow.events(Happening.OPENED)}
    for resource, attribute in flow.scope.kept.items():
        if any(state.lives[resource].marks & GIVEN for state in flow.returned if resource in state.lives):
            continue
        others = [m for m in info.methods.values() if m is not flow.body.node]
        used = any(reads(method, attribute) for method in others)
        closed = any(gives_back(method, attribute) for method in info.methods.values())
        elsewhere = (f".{attribute}.close", f".{attribute}.remove", f".{attribute}.aclose")
        if used and not closed and not view.project.app.mentions(*elsewhere):
            leak = Leak(resource, opened[resource], None, always=True, on_error=False)
            found.append((leak, f"self.{attribute}"))
    return found


def reads(method: ast.AST, attribute: str) -> bool:
    return any(
        isinstance(n, ast.Attribute) and n.attr == attribute and isinstance(n.ctx, ast.Load) for n in ast.walk(method)
    )


def is_release(node: ast.AST, attribute: str) -> bool:
    """``self.<attribute>.close`` and its like."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr in _BACK
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == attribute
    )


def gives_back(method: ast.AST, attribute: str) -> bool:
    """Whether a method closes ``self.<attribute>``, hands it out, or passes its ``close`` on."""
    for node in ast.walk(method):
        if is_release(node, attribute):
            return True
        match node:
            case ast.Return(value=ast.Attribute(attr=name)) | ast.Yield(value=ast.Attribute(attr=name)):
                if name == attribute:
                    return True
            case ast.withitem(context_expr=ast.Attribute(attr=name)) if name == attribute:
                return True
            case ast.Call(args=[ast.Attribute(attr=name), *_]) if name == attribute:
                return True
    return False
