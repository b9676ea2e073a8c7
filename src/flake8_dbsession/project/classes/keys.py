"""What applications keep under keys: ``app["db"] = async_sessionmaker(engine)``, ``current_app.config["Session"]()``.

The key says whether it may be something of a database; the project tells what, where all that set the key agree.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...names import Names, last_part
from ...session.body import Body
from ...session.values import ENGINE, FACTORY, REGISTRY, UNKNOWN, Value
from ..names.set_later import as_known_in
from .implementations import MOST_EXTENDING

if TYPE_CHECKING:
    from ..project import Project

_KEEPERS = frozenset(
    {"app", "application", "bot_data", "config", "context", "current_app", "ctx", "extensions", "registry", "state"}
)
"""What an application, or what is one for all that serve, is called."""
_TELLING = ("database", "db", "engine", "factory", "maker", "session", "sql")
"""What a key says that is of a database."""


def kept_under(project: Project, body: Body, node: ast.Subscript) -> Value:
    """The factory, registry or engine that ``node`` reads where something unseen keeps it under a key."""
    module = project.modules.find(body.module)
    if module is None or last_part(node.value) not in _KEEPERS:
        return UNKNOWN
    key = key_of(module.names, node.slice)
    is_telling = any(word in key.lower() for word in _TELLING)
    return project.once(_kept, key, last_part(node.slice)) if is_telling else UNKNOWN


def key_of(names: Names, key: ast.expr) -> str:
    """A key as it is written, or the dotted name of one that a module makes, ``web.AppKey(…)``; "" for any other."""
    match key:
        case ast.Constant(value=str(text)):
            return repr(text)
        case ast.Name() | ast.Attribute():
            return names.resolve(key) or ""
    return ""


def _kept(project: Project, key: str, name: str) -> Value:
    """The one thing that all of the project outside of its tests keeps under the key; UNKNOWN where they differ."""
    values = list(_values(project, key, name))
    kinds = {(value.kind, value.name) for value in values}
    return values[0] if len(kinds) == 1 and values[0].kind in (ENGINE, FACTORY, REGISTRY) else UNKNOWN


def _values(project: Project, key: str, name: str) -> Iterator[Value]:
    written = (f"[{name}] =",) if name else (f"[{key}] =", f'["{key[1:-1]}"] =')
    modules = project.app.modules_with(*(text.encode() for text in written))
    ours = [module for module in modules if not project.config.is_test(module.path)]
    for module in ours if len(ours) <= MOST_EXTENDING else ():
        for body in (module.top, *module.bodies.values()):
            for target, value in body.assigned():
                if isinstance(target, ast.Subscript) and key_of(module.names, target.slice) == key:
                    yield as_known_in(project, module, body, value)
