"""The registry's session in the views of a Flask application for which a user has been loaded with it.

``login_required`` of Flask-Login calls the application's ``user_loader`` before the view, in the same application
context, so the view starts with the connection that the loader has taken (measured 0 -> 1).
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from ..project.hooks import Hook, hooks
from ..project.module import ClassInfo, Module
from ..project.project import Project
from ..session.body import Body
from ..session.values import AMBIENT, NONE, Resource
from ..story import registry_name
from ..view import View
from .held import Held

_OF_CLASSES = ("decorators", "method_decorators")
"""Where a class of views names the decorators of all its methods."""


def held_since_login(view: View, body: Body) -> Iterator[Held]:
    """What holds a connection because the user had to be loaded for the view; nothing where a loader may hold none."""
    if view.is_test or not view.mentions(b"login_required") or not requires_login(view, body):
        return
    loaders = nearest([hook for hook in hooks(view.project) if hook.kind == "user_loader"], view.module)
    held = [view.project.once(held_after, loader) for loader in loaders]
    for registry in sorted(frozenset.intersection(*held)) if held else ():
        name, loader = registry_name(registry), loaders[0].body.name.rpartition(".")[2]
        remedy = f"end the transaction of {name!r} before the wait"
        yield Held(name, loader, frozenset({registry.key}), frozenset(), remedy)


def nearest(loaders: list[Hook], module: Module) -> list[Hook]:
    """Those of the packages nearest to a module: where a repository has several applications, each has a loader."""
    own = module.name.split(".")
    shared = [
        sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(own, parts, strict=False)))
        for parts in (loader.module.name.split(".") for loader in loaders)
    ]
    return [loader for loader, length in zip(loaders, shared, strict=True) if length == max(shared)]


def requires_login(view: View, body: Body) -> bool:
    """Whether a view can be seen to run for users only who have logged in: by a decorator of it, or of its class."""
    owner = view.module.classes.get(body.owner)
    decorators = [*body.decorators, *(() if owner is None else of_class(owner))]
    requiring = view.project.known.conventions.requiring_login
    return any((view.module.names.resolve(decorator) or "") in requiring for decorator in decorators)


def of_class(owner: ClassInfo) -> Iterator[ast.expr]:
    """``decorators = [login_required]`` of a class of the file."""
    for name in _OF_CLASSES:
        listed = owner.values.get(name)
        yield from listed.elts if isinstance(listed, (ast.List, ast.Tuple)) else ()


def held_after(project: Project, loader: Hook) -> frozenset[Resource]:
    """The registries whose session surely holds a connection once a loader has found its user."""
    flow = project.flow(loader.module, loader.body, {}, {})
    found = [state.lives for state in flow.returned if state.result != NONE]
    held = [{r for r, life in lives.items() if r.origin == AMBIENT and life.surely_holds} for lives in found]
    return frozenset(set.intersection(*held)) if held else frozenset()
