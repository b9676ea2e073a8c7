"""What an annotation (and ``= Depends(…)``) says about a parameter or attribute."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from ...names import Names, dotted, is_none
from ...session.values import (
    CLASS,
    CONTEXT_VAR,
    DOUBTED,
    EITHER,
    ENGINE,
    FACTORY,
    GENERATOR,
    MANAGER,
    MAPPING,
    NAMED,
    OBJECT,
    OWN_CLASS,
    PARAMETER,
    REGISTRY,
    SESSION,
    TUPLE,
    UNKNOWN,
    Resource,
    Value,
    contained,
    late,
)
from ..modules.module import starred
from .contexts import of_context

if TYPE_CHECKING:
    from ..project import Project

_WRAPPERS = frozenset(
    {"typing.Optional", "typing.Annotated", "typing_extensions.Annotated", "typing.Final"} | {"typing.ClassVar"}
)
_UNION = "typing.Union"
_OPTIONAL = frozenset({"typing.Optional"})
_NEW_NAMES = frozenset({"typing.NewType", "typing_extensions.NewType", "typing.TypeVar", "typing_extensions.TypeVar"})
_LISTS = frozenset(
    {"builtins.list", "builtins.set", "builtins.frozenset", "typing.List", "typing.Sequence", "typing.Iterable"}
    | {"collections.abc.Sequence", "collections.abc.Iterable", "collections.abc.Collection", "typing.Collection"}
    | {"typing.Set", "typing.Iterator", "collections.abc.Iterator", "collections.deque", "typing.Deque"}
)
_TUPLES = frozenset({"builtins.tuple", "typing.Tuple"})
_TYPES = frozenset({"builtins.type", "typing.Type"})
_HELD = frozenset({OBJECT, CLASS, TUPLE, MAPPING})
"""What a collection is followed to."""
_MAPPINGS = frozenset(
    {"builtins.dict", "typing.Dict", "typing.DefaultDict", "typing.OrderedDict", "typing.Mapping"}
    | {"typing.MutableMapping", "collections.abc.Mapping", "collections.abc.MutableMapping"}
    | {"collections.OrderedDict", "collections.defaultdict", "weakref.WeakValueDictionary"}
)
_CALLABLES = frozenset({"typing.Callable", "collections.abc.Callable"})
_MANAGERS = frozenset(
    {"typing.ContextManager", "typing.AsyncContextManager"}
    | {"contextlib.AbstractContextManager", "contextlib.AbstractAsyncContextManager"}
)
_SESSIONS = frozenset(
    {
        "Session",
        "AsyncSession",
        "sqlmodel.Session",
        "sqlmodel.ext.asyncio.session.AsyncSession",
        "Connection",
        "AsyncConnection",
    }
)
_REGISTRIES = frozenset({"scoped_session", "async_scoped_session"})


def annotated(
    project: Project,
    names: Names,
    annotation: ast.expr | None,
    name: str,
    default: ast.expr | None = None,
    depth: int = 4,
) -> Value:
    """The value a name has by its annotation, or by the dependency it is filled from; UNKNOWN where neither tells."""
    if depth == 0:
        return UNKNOWN
    value = _meaning(project, names, annotation, name, depth) if annotation is not None else UNKNOWN
    if value.kind in (UNKNOWN.kind, OBJECT, SESSION) and isinstance(default, ast.Call):
        filled = injected(project, names, default, name)
        if value.kind == SESSION:
            return as_provided(value, [filled])
        return filled if value == UNKNOWN or filled.name == value.name else value
    return value


@lru_cache(maxsize=512)
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _meaning(project: Project, names: Names, annotation: ast.expr, name: str, depth: int) -> Value:
    match annotation:
        case ast.Constant(value=str(text)):
            try:
                return _meaning(project, names, _parsed(text), name, depth - 1)
            except (SyntaxError, ValueError):
                return UNKNOWN
        case ast.BinOp(op=ast.BitOr()):
            sides = (annotation.left, annotation.right)
            return optional(either(_meaning(project, names, side, name, depth) for side in sides), sides)
        case ast.Subscript():
            return _subscript(project, names, annotation, name, depth)
        case ast.Name() | ast.Attribute():
            return _plain(project, names, annotation, name, depth)
        case ast.Call(args=[ast.Constant(), *constraints]):
            bound = [k.value for k in annotation.keywords if k.arg == "bound"] or constraints
            kind = names.resolve(annotation.func) if len(bound) == 1 else ""
            return _meaning(project, names, bound[0], name, depth) if kind in _NEW_NAMES else UNKNOWN
    return UNKNOWN


def either(sides: Iterable[Value]) -> Value:
    """What ``Courier | Rider`` is known to be: the first side; of two kinds of session, a session of either."""
    known = [value for value in sides if value != UNKNOWN]
    sessions = [value.resource for value in known if value.kind == SESSION and value.resource is not None]
    first = next(iter(known), UNKNOWN)
    others = [each for each in sessions if first.resource is not None and each.is_async != first.resource.is_async]
    return first.with_extra(*first.extra, (EITHER, others[0].type)) if others else first


def optional(value: Value, parts: Iterable[ast.expr]) -> Value:
    """``Courier | None``: an object that may be missing; a session that may be is followed both ways elsewhere."""
    return late(value) if value.kind == OBJECT and any(map(is_none, parts)) else value


def _subscript(project: Project, names: Names, annotation: ast.Subscript, name: str, depth: int) -> Value:
    outer = names.resolve(annotation.value) or f"typing.{dotted(annotation.value)}"  # of a star import
    inside = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
    if outer == _UNION:
        told = either(_meaning(project, names, part, name, depth - 1) for part in inside) if depth > 1 else UNKNOWN
        return optional(told, inside)
    if outer in _WRAPPERS or project.known.conventions.is_injecting(outer):
        for part in inside:
            value = _meaning(project, names, part, name, depth - 1) if depth > 1 else UNKNOWN
            if value == UNKNOWN and isinstance(part, ast.Call):
                value = injected(project, names, part, name)
            if value.kind == SESSION:
                others = (injected(project, names, each, name) for each in inside if isinstance(each, ast.Call))
                return as_provided(value, others)
            if value != UNKNOWN:
                return late(value) if outer in _OPTIONAL and value.kind == OBJECT else optional(value, inside)
    if outer == CONTEXT_VAR and depth > 1:
        return of_context(names, name, _meaning(project, names, inside[0], name, depth - 1))
    if outer in _LISTS | _TUPLES | _MAPPINGS | _TYPES:
        return _collection(project, names, outer, inside, name, depth)
    if outer in _CALLABLES and len(inside) == 2:
        value = _meaning(project, names, _entered(names, inside[1]), name, depth - 1)
        if value.kind == OBJECT and _takes_session(project, names, inside[0], depth):
            return project.implementations.maker(value)
        return Value(FACTORY, value.resource.type) if value.kind == SESSION and value.resource else UNKNOWN
    return _plain(project, names, annotation.value, name, depth)


def _collection(project: Project, names: Names, outer: str, inside: list[ast.expr], name: str, depth: int) -> Value:
    """``list[Client]``, ``tuple[Client, ...]``, ``dict[str, Client]``, ``type[Client]``."""
    parts = [_meaning(project, names, each, name, depth - 1) if depth > 1 else UNKNOWN for each in inside]
    is_endless = len(inside) == 2 and isinstance(inside[1], ast.Constant) and inside[1].value is ...
    if outer in _LISTS and len(parts) == 1 and parts[0].kind in _HELD:
        return Value(TUPLE, extra=(parts[0],))
    if outer in _TUPLES and any(part.kind in _HELD for part in parts):
        followed = tuple(part if part.kind in _HELD else UNKNOWN for part in parts)
        return Value(TUPLE, extra=followed[:1] if is_endless else followed)
    if outer in _MAPPINGS and len(parts) == 2 and parts[1].kind in _HELD:
        return Value(MAPPING, extra=(parts[1],))
    if outer in _TYPES and parts[0].kind == OBJECT and project.class_info(parts[0].name) is not None:
        return Value(CLASS, parts[0].name)
    return UNKNOWN


def _takes_session(project: Project, names: Names, taken: ast.expr, depth: int) -> bool:
    """``[AsyncSession, int]``: whether something is called with a session, so that what it makes has that."""
    parts = taken.elts if isinstance(taken, ast.List) and depth > 1 else []
    return any(_meaning(project, names, part, "", depth - 1).kind == SESSION for part in parts)


def _entered(names: Names, annotation: ast.expr) -> ast.expr:
    """``ContextManager[Session]``: what a ``with`` block gets of it."""
    is_manager = isinstance(annotation, ast.Subscript) and names.resolve(annotation.value) in _MANAGERS
    inside = annotation.slice if isinstance(annotation, ast.Subscript) and is_manager else annotation
    return inside.elts[0] if is_manager and isinstance(inside, ast.Tuple) and inside.elts else inside


def _plain(project: Project, names: Names, annotation: ast.expr, name: str, depth: int) -> Value:
    qualified = names.resolve(annotation) or starred(names, annotation)
    if not qualified or qualified.startswith("builtins."):
        return UNKNOWN
    value = by_type(project, qualified, name)
    if value != UNKNOWN or depth <= 1:
        return value
    meaning = project.value(qualified)
    if meaning.kind == FACTORY:  # a subclass of Session
        own = dict(meaning.extra).get(OWN_CLASS, "")
        return Value(SESSION, own, given_session(project, name, meaning.name))
    if meaning.kind == CLASS:
        return Value(OBJECT, meaning.name)
    if meaning.kind == NAMED and meaning.name != qualified:
        value = by_type(project, meaning.name, name)
        if value != UNKNOWN:
            return value
    return _alias(project, qualified if meaning.kind != NAMED else meaning.name, name, depth)


def _alias(project: Project, qualified: str, name: str, depth: int) -> Value:
    """``SessionDep = Annotated[AsyncSession, Depends(get_session)]`` somewhere in the project."""
    module_name, _, last = qualified.rpartition(".")
    for _ in range(3):
        module = project.modules.find(module_name)
        binding = module.names.bindings.get(last) if module is not None else None
        if module is None or binding is None:
            return UNKNOWN
        if binding.values:
            return _meaning(project, module.names, binding.values[-1], name, depth - 1)
        module_name, _, last = binding.imported.rpartition(".")
    return UNKNOWN


def given_session(project: Project, name: str, type_name: str) -> Resource:
    """A session, or a connection, that somebody gives under a name."""
    given = Resource(PARAMETER, name, type_name)
    return given if given.is_connection or not project.keeps_rows else given._replace(keeps_rows=True)


def by_type(project: Project, qualified: str, name: str) -> Value:
    """A value of the type called ``qualified``."""
    short = project.known.sqlalchemy_type(qualified)
    if short in _SESSIONS:
        return Value(SESSION, resource=given_session(project, name, short))
    if short in _REGISTRIES:
        return Value(
            REGISTRY,
            name,
            Resource(PARAMETER, name, "AsyncSession" if "async" in short else "Session", flavour="scoped"),
        )
    if short in ("Engine", "AsyncEngine"):
        return Value(ENGINE, short)
    if short in ("sessionmaker", "async_sessionmaker"):
        return Value(FACTORY, "AsyncSession" if "async" in short else "Session")
    receiver = project.known.receiver(qualified)
    if receiver is not None:
        return Value(OBJECT, receiver)
    foreign = qualified.rpartition(".")[2][:1].isupper() and not project.modules.is_first_party(qualified)
    if not foreign or "." not in qualified or qualified.startswith("typing."):
        return UNKNOWN
    return Value(OBJECT, qualified, extra=(DOUBTED,))


def injected(project: Project, names: Names, call: ast.Call, name: str) -> Value:
    """``Depends(get_db)``: what the dependency returns or yields."""
    if (names.resolve(call.func) or "").rpartition(".")[2] not in ("Depends", "Security", "Provide") or not call.args:
        return UNKNOWN
    function = project.evaluate_in(names, call.args[0])
    qualified = names.resolve(call.args[0]) or ""
    if qualified.rpartition(".")[2] in project.known.conventions.dependencies and project.target(function) is None:
        return Value(SESSION, resource=given_session(project, name, "Session"))
    if function.kind != "function":
        return UNKNOWN
    summary = project.summary(function, ())
    if summary is None:
        return UNKNOWN
    for value in (summary.yields, summary.returns):
        if value.kind in (SESSION, MANAGER, GENERATOR) and value.resource is not None:
            return Value(SESSION, resource=Resource(PARAMETER, name, value.resource.type, value.resource.keeps_rows))
    given = next((v for v in (summary.yields, summary.returns) if v.kind == OBJECT), project.returned(function))
    return given._replace(extra=tuple(filter(is_told, given.extra))) if given.kind == OBJECT else UNKNOWN


def as_provided(declared: Value, filled: Iterable[Value]) -> Value:
    """A session of the declared type; whether its rows stay after a commit says the dependency that provides it."""
    provided = next((value.resource for value in filled if value.kind == SESSION), None)
    if declared.resource is None or provided is None:
        return declared
    return declared._replace(resource=declared.resource._replace(keeps_rows=provided.keeps_rows))


def is_told(kept: object) -> bool:
    """Whether something that an object keeps is there for all who get it: another object without a session."""
    value = kept[1] if isinstance(kept, tuple) and len(kept) == 2 else None
    return isinstance(value, Value) and value.kind == OBJECT and not contained(value)
