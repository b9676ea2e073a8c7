"""Plain scoped sessions of a project, and whether anything gives them back when a request ends."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from ...names import OF_REQUESTS, all_given, bare, dotted, imports_of, last_part
from ...session.body import Body
from ...session.expressions.removing import is_removal_by_name
from ...session.values import AMBIENT, OBJECT, REGISTRY, Resource, Value
from ..app import MOST_FILES
from ..modules.module import Module
from ..project import Project
from .entries import Units

_VIEWS = frozenset(
    {"route", "get", "post", "put", "patch", "delete", "errorhandler", "app_errorhandler", "register_error_handler"}
)
_ELSEWHERE = frozenset(
    {"test", "command", "startup", "task", "consumer", "thread", "process", "timer", "scheduler", "bot", "socket"}
)
"""What runs beside requests: what it gives back is its own."""
_MOST_MODULES = 200
"""An application that imports more is looked through so far."""
_SETTING_UP = frozenset({"configure", "create_all", "drop_all"})
_AROUND = frozenset({"middleware", "teardown"})
_GIVES_BACK = frozenset({"remove", "close"})
_ENGINES = frozenset({"create_engine", "engine_from_config"})


def registries(project: Project) -> list[Resource]:
    """The registries of no framework at module level or on classes, each once, in order."""
    return sorted(plain(value for module in making_registries(project) for value in registries_of(project, module)))


def plain(found: Iterable[Value]) -> set[Resource]:
    """The registries among the values that are not a framework's: of threads, of tasks, of what a function says."""
    resources = (value.resource for value in found)
    return {r for r in resources if r is not None and r.flavour.startswith("scoped")}


def making_registries(project: Project) -> Iterator[Module]:
    for module in project.app.modules_with(b"scoped_session("):
        if not project.config.is_test(module.path):
            yield module


def registries_of(project: Project, module: Module) -> Iterator[Value]:
    for name in (*module.names.bindings, *module.stored):
        value = project.value(f"{module.name}.{name}".lstrip("."))
        if value.kind == REGISTRY:
            yield value


def is_of_an_object(project: Project, registry: Resource) -> bool:
    """Whether an object at module level keeps the plain registry: ``db = Database()``, ``db.session``."""
    owner = registry.key.rpartition(".")[0]
    is_plain = registry.origin == AMBIENT and registry.flavour.startswith("scoped") and not registry.is_async
    return is_plain and ":" not in registry.key and project.value(owner).kind == OBJECT


def reached_from(project: Project, module: Module) -> Iterator[Module]:
    """The module and what it imports, directly or not, near ones first; at most :data:`_MOST_MODULES`."""
    waiting, seen = [module], {module.name}
    for place, each in enumerate(waiting):
        yield each
        names = dict.fromkeys(name for name in imports(each) if name not in seen) if place < _MOST_MODULES else {}
        seen.update(names)
        waiting.extend(found for found in map(project.modules.find, names) if found is not None)


def imports(module: Module) -> Iterator[str]:
    """The dotted names that may be modules that any statement of the file imports."""
    for body in (module.top, *module.bodies.values()):
        for statement in body.own(ast.Import, ast.ImportFrom):
            for _, name in imports_of(statement, module.name, module.is_package):
                yield name
                yield name.rpartition(".")[0]
            if isinstance(statement, ast.Import):
                yield from (alias.name for alias in statement.names)


def is_removed(project: Project, registry: Resource) -> bool:
    """Whether something that may run at the end of each request removes or closes the registry's session.

    Views and error handlers do not, nor what runs beside requests, nor tests, nor what sets the database up. A project
    that is too large to be looked through counts as one that does.
    """
    return project.once(_is_removed, registry)


def _is_removed(project: Project, registry: Resource) -> bool:
    return len(project.app.files) > MOST_FILES or any(True for _ in releasing(project, registry))


def is_removed_around(project: Project, registry: Resource) -> bool:
    """Whether something that surely runs around or after each request releases the registry."""
    return any(runs_around(units, body) for units, body in releasing(project, registry))


def releasing(project: Project, registry: Resource) -> Iterator[tuple[Units, Body]]:
    """The functions that may run at the end of each request and release the registry, with what runs their file."""
    return ((units, body) for units, body in giving_back(project, registry) if may_end_requests(units, body))


def giving_back(project: Project, registry: Resource) -> Iterator[tuple[Units, Body]]:
    """The functions that release the registry, whatever happens in them before, with what runs their file."""
    last = registry.key.rpartition(".")[2].encode()
    for module in project.app.modules_with(b"remove", b"close"):
        data = module.source.data
        if (last in data or b"import" in data) and not project.config.is_test(module.path):
            units = Units(module, project, ())
            for body in (module.top, *module.bodies.values()):
                found = list(releases(project, module, body, registry))
                if found and not all_in_handlers(body, found):
                    yield units, body


def may_end_requests(units: Units, body: Body) -> bool:
    entries = units.entries(body) or units.handed_over_by_name(body)
    elsewhere = bool(entries) and all(entry.kind in _ELSEWHERE or entry.after for entry in entries)
    return not elsewhere and not is_view(body) and (not sets_up(body) or tears_down(body))


def runs_around(units: Units, body: Body) -> bool:
    """Whether the function is a WSGI application, a middleware or a teardown."""
    names = {parameter.arg for parameter in body.parameters}
    entries = units.entries(body) or units.handed_over_by_name(body)
    around = (entry for entry in entries if entry.kind in _AROUND and not entry.after)
    return {"environ", "start_response"} <= names or any(around) or tears_down(body)


def speaks_of_g(project: Project, attribute: str) -> bool:
    """Whether what runs at the end of each request has to do with an attribute of ``g``."""
    for module in project.app.modules_with(b"teardown_"):
        units = Units(module, project, ())
        for body in module.bodies.values():
            of_g = (node for node in body.own(ast.Attribute) if node.attr == attribute)
            if any(module.names.resolve(node.value) in OF_REQUESTS for node in of_g) and runs_around(units, body):
                return True
    return False


def tears_down(body: Body) -> bool:
    """``app.teardown_appcontext(lambda error: Session.remove())``."""
    for call in body.own(ast.Call):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        ends = name.startswith("teardown_") or (name == "connect" and "_tearing_down" in (dotted(call.func) or ""))
        if ends and any(isinstance(part, ast.Attribute) and part.attr in _GIVES_BACK for part in in_lambdas(call)):
            return True
    return False


def in_lambdas(call: ast.Call) -> Iterator[ast.AST]:
    """What stands in the functions that a call is given without names."""
    return (part for each in all_given(call) if isinstance(each, ast.Lambda) for part in ast.walk(each))


def is_view(body: Body) -> bool:
    """Whether the function answers requests or errors."""
    return any(isinstance(d, ast.Attribute) and d.attr in _VIEWS for d in map(bare, body.decorators))


def sets_up(body: Body) -> bool:
    """Whether the function makes the engine, the registry's settings or the tables: it runs once."""
    for call in body.own(ast.Call):
        match call.func:
            case ast.Attribute(attr=name) if name in _SETTING_UP | _ENGINES:
                return True
            case ast.Name(id=name) if name in _ENGINES:
                return True
    return False


def releases(project: Project, module: Module, body: Body, registry: Resource) -> Iterator[ast.Attribute]:
    """Each ``Session.remove`` or ``Session.close`` in the function or a lambda in it, called or passed on."""
    inside = (part for node in body.own(ast.Lambda) for part in ast.walk(node) if isinstance(part, ast.Attribute))
    for part in (*body.own(ast.Attribute), *inside):
        if part.attr in _GIVES_BACK:
            values = (project.evaluate(module, each) for each in meanings(body, part.value, registry))
            if any(v.kind == REGISTRY and v.resource is not None and v.resource.key == registry.key for v in values):
                yield part
            elif is_of_an_object(project, registry) and last_part(part.value) == registry.key.rpartition(".")[2]:
                yield part  # ``self.session.remove()`` in a method of the object
    yield from (c.func for c in body.own(ast.Call) if isinstance(c.func, ast.Attribute) and is_removal_by_name(body, c))


def meanings(body: Body, owner: ast.expr, registry: Resource) -> Iterator[ast.expr]:
    """An expression, and what gave a local name its value: ``session = get_session()``; a registry that a function
    makes for itself is no other function's."""
    yield owner
    if isinstance(owner, ast.Name) and owner.id in body.local_names and ":" not in registry.key:
        yield from (value for target, value in body.assigned() if dotted(target) == owner.id)


def all_in_handlers(body: Body, found: list[ast.Attribute]) -> bool:
    """Whether every release stands in an ``except`` block: what goes well does not reach it."""
    inside = {id(part) for handler in body.own(ast.ExceptHandler) for part in ast.walk(handler)}
    return all(id(release) in inside for release in found)
