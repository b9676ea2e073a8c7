"""Objects with something of their own that functions make, whoever asks for them, and keep nowhere.

``Archive()`` in a helper, whose constructor makes an engine: each request that the helper works for leaves a pool.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import Enum, auto

from ..names import last_part
from ..project.app import MOST_FILES
from ..project.modules.module import ClassInfo, Module
from ..project.runs.entries import Units
from ..session.body import Body
from ..view import View
from .chosen import choosable, given_for, sources
from .kept_for_requests import place_of
from .often import runs_often

_DEPTH = 5
"""How many functions may stand between the one that makes the object and the one that drops it."""
_CACHES = frozenset({"lru_cache", "cache", "cached", "cached_property", "memoize"})
_CLOSES = frozenset({"close", "aclose", "dispose", "shutdown", "stop", "disconnect", "__exit__"})


class Fate(Enum):
    """What becomes of an object where it is made."""

    DROPPED = auto()
    HANDED_OUT = auto()
    KEPT = auto()


def made_for_calls(view: View, info: ClassInfo, chosen: frozenset[str]) -> str:
    """The function that makes an object of the class for whatever is served, for others to drop it or itself; "" for
    none that is seen.

    What is made is made of the ``chosen`` parameters of the constructor: where a request says which they are, each may
    be another one. A class that may give an object again makes none.
    """
    project = view.project
    if project.is_single(info.qualified) or len(project.app.files) > MOST_FILES:
        return ""
    init = view.module.bodies[f"{info.name}.__init__"]
    for units, body, call in (*by_its_name(view, info), *by_its_name_as_text(view, info)):
        asked = of_caller(body, init, call, chosen)
        if is_for_calls(view, units, body, call, asked, _DEPTH):
            return body.qualified
    return ""


def by_its_name(view: View, info: ClassInfo) -> Iterator[tuple[Units, Body, ast.Call]]:
    """The calls that make an object of a class, or of one that extends it: ``Archive()``.

    Not those of what is served itself, where a rule can tell of the object."""
    makers = view.project.makers
    for made in makers.made_as(info):
        for module, body, call in makers.makings(made):
            units = view.units_of(module)
            if not any(map(runs_often, units.entries(body))):
                yield units, body, call


def by_its_name_as_text(view: View, info: ClassInfo) -> Iterator[tuple[Units, Body, ast.Call]]:
    """The calls of what something is asked for by the name of the class: ``load(module, "Archive")(config)``."""
    name = info.name.rpartition(".")[2]
    texts = (f'"{name}"'.encode(), f"'{name}'".encode())
    for module in (m for text in texts for m in view.project.app.modules_with(text)):
        for body in module.bodies.values() if not view.config.is_test(module.path) else ():
            for call in body.own(ast.Call):
                if isinstance(call.func, ast.Call) and any(is_text(each, name) for each in call.func.args[1:]):
                    yield view.units_of(module), body, call


def is_text(expression: ast.expr, text: str) -> bool:
    return isinstance(expression, ast.Constant) and expression.value == text


def is_for_calls(
    view: View, units: Units, body: Body, made: ast.Call, chosen: frozenset[str], depth: int, is_dropped: bool = False
) -> bool:
    """Whether what a call makes in a function is dropped there, or by the callers that it is handed to, and the
    function runs again and again.

    ``chosen`` are the parameters of the function that say what is made.
    """
    if body.node is None or any(last_part(decorator) in _CACHES for decorator in body.decorators):
        return False
    fate = Fate.DROPPED if is_dropped else fate_of(units.module, body, made)
    if fate is Fate.KEPT:
        return False
    if fate is Fate.DROPPED and not chosen:
        return view.repeated.is_served(units, body, runs_often)
    return bool(depth) and any(
        is_for_calls(view, other, user, call, of_caller(user, body, call, chosen), depth - 1, fate is Fate.DROPPED)
        for other, user, call in view.repeated.calls_of(units, body)
        if is_surely_called(view, body)
    )


def is_surely_called(view: View, body: Body) -> bool:
    """Whether a call by the name of a method can mean no method of another class."""
    defining = f"def {body.name.rpartition('.')[2]}(".encode()
    return not body.owner or len(list(view.project.app.modules_with(defining))) == 1


def of_caller(caller: Body, called: Body, call: ast.Call, chosen: frozenset[str]) -> frozenset[str]:
    """The parameters of the caller that say what a function is told for its ``chosen`` parameters."""
    told = given_for(called, call, chosen)
    waiting = [part.id for each in told for part in ast.walk(each) if isinstance(part, ast.Name)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen and name in caller.local_names:
            waiting.extend(sources(caller, name))
        seen.add(name)
    return choosable(caller) & seen


def fate_of(module: Module, body: Body, made: ast.Call) -> Fate:
    """What becomes of what a call makes: it is bound to anything but a local name, handed out, or closed at the end."""
    for node in body.own_nodes:
        match node:
            case ast.Return(value=ast.expr() as value) if value is made:
                return Fate.HANDED_OUT
            case ast.withitem(context_expr=value) if value is made:
                return Fate.KEPT
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
                if any(part is made for part in ast.walk(value)):
                    return fate_in(module, body, target)
    return Fate.DROPPED


def fate_in(module: Module, body: Body, target: ast.expr) -> Fate:
    """What becomes of what a target is set to: a request keeps nothing for the next one."""
    if isinstance(target, ast.Attribute):
        return Fate.KEPT if place_of(module, target) is None else Fate.DROPPED
    if not isinstance(target, ast.Name) or target.id not in body.local_names:
        return Fate.KEPT
    used = [node for node in body.own(ast.Return) if isinstance(node.value, ast.Name) and node.value.id == target.id]
    if used:
        return Fate.HANDED_OUT
    return Fate.KEPT if is_used_up(body, target.id) else Fate.DROPPED


def is_used_up(body: Body, name: str) -> bool:
    """Whether the name is no local one, or what it stands for is closed, kept or handed out."""
    closes = any(
        isinstance(node, ast.Attribute)
        and node.attr in _CLOSES
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        for node in body.own_nodes
    )
    return name not in body.local_names or closes or any(escapes(node, name) for node in body.own_nodes)


def escapes(node: ast.AST, name: str) -> bool:
    """``engine.dispose()``, ``return engine``, ``x.y = engine``, ``d[k] = engine``, or an object that is given it."""
    match node:
        case ast.Attribute(value=ast.Name(id=owner), attr="dispose"):
            return owner == name
        case ast.Return(value=ast.expr() as value) | ast.Yield(value=ast.expr() as value):
            return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(value)) and not isinstance(
                value, ast.Call
            )
        case ast.Assign(value=ast.Name(id=kept)) | ast.AnnAssign(value=ast.Name(id=kept)):
            return kept == name
        case (
            ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner))], value=ast.Call(args=args, keywords=words))
            | ast.AnnAssign(target=ast.Attribute(value=ast.Name(id=owner)), value=ast.Call(args=args, keywords=words))
        ):
            given = [n for argument in (*args, *words) for n in ast.walk(argument)]
            return owner != "g" and any(isinstance(n, ast.Name) and n.id == name for n in given)
        case ast.Assign(targets=[ast.Subscript()], value=value):
            return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(value))
        case ast.AsyncFunctionDef() | ast.FunctionDef() | ast.Lambda():
            return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))
    return False
