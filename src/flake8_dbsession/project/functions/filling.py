"""What a framework passes to the functions that it runs, where they do not say so: ``async def who(self, ctx)``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...names import bare
from ...session.body import Body
from ...session.values import METHOD, NAMED, OBJECT, UNKNOWN, Value
from ..modules.module import Module
from ..names.annotations import by_type

if TYPE_CHECKING:
    from ..project import Project


def filled(project: Project, module: Module, body: Body, name: str) -> Value:
    """The object that a framework gives to a function for a parameter; UNKNOWN for any other function."""
    names = [parameter.arg for parameter in body.parameters][1 if body.owner else 0 :]
    if name not in names:
        return UNKNOWN
    runners = (*decorating(project, module, body), *overriding(project, module, body))
    for types in (*map(project.known.given, runners), *by_names(project, module, ", ".join(names))):
        if names.index(name) < len(types):
            return by_type(project, types[names.index(name)], name)
    for package, type_name in project.known.given_by_name(name).items():
        if imports(module, package):
            return by_type(project, type_name, name)
    return UNKNOWN


def by_names(project: Project, module: Module, names: str) -> Iterator[tuple[str, ...]]:
    """The types that the packages of a file give to a function with such parameters, whoever hands it over to them."""
    for package, types in project.known.given_to_names(names).items():
        if imports(module, package):
            yield types


def imports(module: Module, package: str) -> bool:
    """Whether a file imports something of a package."""
    return any((each.imported or "").partition(".")[0] == package for each in module.names.bindings.values())


def decorating(project: Project, module: Module, body: Body) -> Iterator[str]:
    """The dotted names of the decorators of a function, as the tables have them."""
    for decorator in body.decorators:
        yield known_name(project.evaluate(module, bare(decorator)))


def overriding(project: Project, module: Module, body: Body) -> Iterator[str]:
    """The methods of a library's classes that a method stands for."""
    info = module.classes.get(body.owner) if body.owner else None
    for base in project.lineage(info) if info is not None else ():
        if isinstance(base, str):
            yield f"{base}.{body.name.rpartition('.')[2]}"


def known_name(value: Value) -> str:
    """The dotted name under which a callable value is known, "" for none."""
    if value.kind == NAMED:
        return value.name
    if value.kind == METHOD and value.extra:
        owner: Value = value.extra[0]
        return f"{owner.name}.{value.name}" if owner.kind in (OBJECT, NAMED) else ""
    return value.name if value.kind in ("function", "class") else ""
