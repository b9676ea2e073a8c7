"""Flask-SQLAlchemy: the extension objects of a file, where they meet an app, and the ``SQLALCHEMY_…`` settings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from ..names import last_part
from .options import Item, Mappings, Options
from .scopes import Call, Reading, Scope, Setting
from .url import NOWHERE, Url, read_url
from .values import Reader

EXTENSION = "flask_sqlalchemy.SQLAlchemy"
ENGINE_OPTIONS = "SQLALCHEMY_ENGINE_OPTIONS"
DATABASE_URI = "SQLALCHEMY_DATABASE_URI"
_HOOKS = frozenset(
    {"apply_driver_hacks", "apply_pool_defaults", "_apply_driver_defaults", "_make_engine", "create_engine"}
)


class FlaskConfig(NamedTuple):
    """The ``SQLALCHEMY_…`` settings that hold together: of one class with what it inherits, of one module, or of one
    function for one mapping. ``own`` are the settings written there; ``url`` what they say about the server."""

    owner: str
    scope: Scope
    settings: dict[str, Setting]
    own: frozenset[str]
    url: Url
    options: Options


class Extension(NamedTuple):
    """``db = SQLAlchemy(…)``. ``name`` is the name bound at module level, "" elsewhere; ``options`` the
    ``engine_options``; ``bound``: an app is given at once; ``hooked``: a subclass changes how engines are made."""

    name: str
    call: Call
    options: Options
    bound: bool
    hooked: bool


def flask_configs(reading: Reading, reader: Reader, mappings: Mappings) -> Iterator[FlaskConfig]:
    """Each set of settings with at least one of its own, in the order of the file."""
    groups: dict[tuple[int, str], list[Setting]] = {}
    for setting in reading.settings:
        if not _names_itself(setting):
            key = (id(setting.scope), setting.holder if setting.holder != "{}" else str(id(setting.node)))
            groups.setdefault(key, []).append(setting)
    for group in groups.values():
        scope = group[0].scope
        if is_for_tests(scope):
            continue
        settings = {**_inherited(scope, reading, groups), **{s.key: s for s in group}}
        uri, engine_options = settings.get(DATABASE_URI), settings.get(ENGINE_OPTIONS)
        yield FlaskConfig(
            scope.name,
            scope,
            settings,
            frozenset(s.key for s in group),
            read_url(reader, uri.value, uri.scope) if uri else NOWHERE,
            mappings.contents(engine_options.value, engine_options.scope) if engine_options else Options(),
        )


def is_for_tests(scope: Scope) -> bool:
    """Whether a class says that tests are configured by it: ``TESTING = True``."""
    statements = scope.node.body if isinstance(scope.node, ast.ClassDef) else []
    return any(says_testing(statement) for statement in statements)


def says_testing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Assign(targets=[ast.Name(id="TESTING")], value=ast.Constant(value=True)):
            return True
        case ast.AnnAssign(target=ast.Name(id="TESTING"), value=ast.Constant(value=True)):
            return True
    return False


def _names_itself(setting: Setting) -> bool:
    """``SQLALCHEMY_X = "SQLALCHEMY_X"``: a constant for the key, no setting."""
    return isinstance(setting.value, ast.Constant) and setting.value.value == setting.key


def _inherited(scope: Scope, reading: Reading, groups: dict[tuple[int, str], list[Setting]]) -> dict[str, Setting]:
    """What a class takes over from its bases in this file."""
    settings: dict[str, Setting] = {}
    if isinstance(scope.node, ast.ClassDef):
        for base in reversed(scope.node.bases):
            parent = reading.classes.get(last_part(base))
            if parent and parent is not scope:
                settings |= _inherited(parent, reading, groups)
                settings |= {s.key: s for s in groups.get((id(parent), ""), [])}
    return settings


def extensions_of(reading: Reading, mappings: Mappings) -> Iterator[Extension]:
    """Every ``SQLAlchemy(…)`` of Flask-SQLAlchemy, or of a subclass written in this file."""
    subclasses = {name: scope for name, scope in reading.classes.items() if _is_extension_class(scope, reading)}
    for call in reading.calls_named("SQLAlchemy", *subclasses):
        own = subclasses.get(last_part(call.node.func))
        if own is None and reading.resolve(call.node.func, call.scope) != EXTENSION:
            continue
        given = mappings.of_call(call.node, call.scope)
        item = given.items.get("engine_options")
        options = mappings.contents(item.value, item.scope) if item else Options(unseen=given.unseen)
        bound = bool(call.node.args) or "app" in given.items
        hooked = own is not None and any(f"{own.name}.{hook}" in reading.functions for hook in _HOOKS)
        yield Extension(_bound_name(call), call, options, bound, hooked)


def _is_extension_class(scope: Scope, reading: Reading) -> bool:
    bases = scope.node.bases if isinstance(scope.node, ast.ClassDef) else []
    return any(reading.resolve(base, scope) == EXTENSION for base in bases)


def _bound_name(call: Call) -> str:
    match call.statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name if not call.scope.is_function or name in call.scope.shared else ""
    return ""


def starts_of(reading: Reading) -> Iterator[tuple[Call, str]]:
    """``x.init_app(app)`` calls, with the dotted name of ``x``."""
    for call in reading.calls_named("init_app"):
        if isinstance(call.node.func, ast.Attribute):
            name = reading.resolve(call.node.func.value, call.scope)
            if name:
                yield call, name


def item_of(options: Options, name: str) -> Item | None:
    """The option ``name`` where it is set, else None."""
    return options.items.get(name)
