"""The registry's session in the views of a Flask application for which a user has been loaded with it.

``login_required`` of Flask-Login calls the application's ``user_loader`` before the view, in the same application
context, so the view starts with the connection that the loader has taken (measured 0 -> 1).
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from ..names import bare
from ..project.modules.module import ClassInfo, Module
from ..project.project import Project
from ..project.runs.hooks import Hook, hooks
from ..session.body import Body
from ..session.values import AMBIENT, NONE, Resource
from ..view import View
from .held import Held, of_registry

_USERS = frozenset({"flask_login.current_user", "flask_login.utils.current_user"})
_OF_CLASSES = ("decorators", "method_decorators")
"""Where a class of views names the decorators of all its methods."""


def held_since_login(view: View, body: Body) -> Iterator[Held]:
    """What holds a connection because the user had to be loaded for the view; nothing where a loader may hold none."""
    if not requires_login(view, body):
        return
    loaders = nearest([hook for hook in hooks(view.project) if hook.kind == "user_loader"], view.module)
    held = [view.project.once(held_after, loader) for loader in loaders]
    for registry in sorted(frozenset.intersection(*held)) if held else ():
        yield of_registry(registry, loaders[0].body.name.rpartition(".")[2])


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
    named = (view.module.names.resolve(bare(d)) for d in decorators)
    requiring = view.project.known.conventions.requiring_login
    return any(name in requiring or view.project.once(refuses_strangers, name) for name in named if name)


def refuses_strangers(project: Project, decorator: str) -> bool:
    """Whether a decorator of the project turns away whom it does not know as a user with something:
    ``if not current_user.is_admin: abort(403)``."""
    return any(
        asks_for_user(module, check.test) and leaves(project, module, check.body[-1])
        for module, wrapper, call in project.wrapping.wrappers(decorator)
        for check in wrapper.own(ast.If)
        if check.lineno < call.lineno
    )


def asks_for_user(module: Module, test: ast.expr) -> bool:
    """Whether a condition reads something of Flask-Login's ``current_user``, and is met by those who have not logged
    in."""
    asked = [part for part in ast.walk(test) if isinstance(part, ast.Attribute)]
    denied = {p for part in ast.walk(test) if is_not(part) for p in ast.walk(part)}
    of_user = [each for each in asked if (module.names.resolve(each.value) or "") in _USERS]
    return bool(of_user) and all(each.attr != "is_authenticated" or each in denied for each in of_user)


def is_not(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def leaves(project: Project, module: Module, statement: ast.stmt) -> bool:
    """``abort(403)``, ``raise Forbidden()`` or ``return redirect(…)``."""
    match statement:
        case ast.Expr(value=ast.Call(func=function)):
            return (module.names.resolve(function) or "") in project.known.conventions.never_returns
    return isinstance(statement, (ast.Raise, ast.Return))


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
