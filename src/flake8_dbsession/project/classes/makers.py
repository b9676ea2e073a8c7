"""What the objects of a class are made with, where a parameter of the constructor says nothing of its type.

``def __init__(self, gateway): self.gateway = gateway``: whoever makes such an object knows what the gateway is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...files.sources import Answers
from ...names import last_part
from ...session.body import Body
from ...session.values import (
    CLASS,
    CONSTANT,
    ENGINE,
    FACTORY,
    FLASK_DB,
    NONE,
    OBJECT,
    PERHAPS,
    REGISTRY,
    UNKNOWN,
    Value,
    pool_of,
)
from ..functions.parameters import kept_from
from ..modules.module import ClassInfo, Module
from ..names.set_later import imported_by

if TYPE_CHECKING:
    from ..project import Project

_MOST_FILES = 12
"""What more files speak of is made in too many ways."""
_TOLD = frozenset({OBJECT, FACTORY, REGISTRY, FLASK_DB, ENGINE})


class Makers:
    """What the constructors of one project are given; each parameter is looked for once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._given = Answers(project.sources, self._find, lambda _: UNKNOWN)

    def given(self, info: ClassInfo, parameter: str) -> Value:
        """What all who make an object of a class give for a parameter of its constructor; UNKNOWN where they differ, or
        one of them cannot be followed."""
        return self._given((info.qualified, parameter))

    def _find(self, asked: tuple[str, str]) -> Value:
        qualified, parameter = asked
        info = self.project.class_info(qualified)
        init = info.methods.get("__init__") if info is not None else None
        if info is None or init is None or init.args.vararg is not None:
            return UNKNOWN
        _, *names = [each.arg for each in (*init.args.posonlyargs, *init.args.args)]
        if parameter not in (*names, *(each.arg for each in init.args.kwonlyargs)):
            return UNKNOWN
        place = names.index(parameter) if parameter in names else None
        values: set[Value] = set()
        for made in self.made_as(info):
            for module, body, call in self.makings(made):
                value = self._argument(module, body, call, place, parameter)
                if value.kind not in _TOLD and value != NONE:
                    return UNKNOWN
                values.add(plain(value))
        return agreed(values)

    def made_as(self, info: ClassInfo) -> list[ClassInfo]:
        """The class, and those that extend it and have no constructor of their own."""
        found = [info]
        for each in found:
            others = map(self.project.class_info, self.project.implementations.extended(each.qualified))
            found.extend(o for o in others if o is not None and o not in found and "__init__" not in o.methods)
        return found

    def makings(self, info: ClassInfo) -> Iterator[tuple[Module, Body, ast.Call]]:
        """The calls outside of tests that make an object of a class, with where they stand."""
        name = info.name.rpartition(".")[2]
        paths = [p for p in self.project.app.files_with(f"{name}(".encode()) if not self.project.config.is_test(p)]
        modules = filter(None, map(self.project.modules.at, paths if len(paths) <= _MOST_FILES else ()))
        for module in modules:
            for body in (module.top, *module.bodies.values()):
                for call in body.own(ast.Call):
                    if last_part(call.func) == name and self._value(module, body, call.func) == self._class(info):
                        yield module, body, call

    def _class(self, info: ClassInfo) -> Value:
        return Value(CLASS, info.qualified)

    def _argument(self, module: Module, body: Body, call: ast.Call, place: int | None, parameter: str) -> Value:
        """What a call gives for a parameter; None where it leaves the parameter out."""
        if any(isinstance(each, ast.Starred) for each in call.args) or any(k.arg is None for k in call.keywords):
            return UNKNOWN
        given = next((k.value for k in call.keywords if k.arg == parameter), None)
        if given is None and place is not None and place < len(call.args):
            given = call.args[place]
        return self._value(module, body, given) if given is not None else NONE

    def _value(self, module: Module, body: Body, expression: ast.expr) -> Value:
        """What an expression stands for in a function, where its parameters and names that are set once say so."""
        if body.node is None:
            return self.project.evaluate(module, expression)
        set_to: dict[str, list[ast.expr]] = {}
        for target, value in body.assigned():
            if isinstance(target, ast.Name):
                set_to.setdefault(target.id, []).append(value)
        asked = needed(expression, set_to)
        names = self._known_before(module, body, asked)
        for name in asked:
            if name in set_to:
                found = [self.project.evaluate(module, value, names) for value in set_to[name]]
                names[name] = found[0] if len(found) == 1 else UNKNOWN
        return self.project.evaluate(module, expression, names)

    def _known_before(self, module: Module, body: Body, asked: list[str]) -> dict[str, Value]:
        """What a function has under some names before its first statement, or by an import of its own."""
        names = dict.fromkeys(body.local_names.intersection(asked), UNKNOWN)
        names.update((p.arg, kept_from(self.project, module, body, p)) for p in body.parameters if p.arg in asked)
        if body.me:
            names[body.me] = Value(OBJECT, f"{module.name}.{body.owner}".lstrip("."))
        return names | imported_by(self.project, module, body)


def needed(expression: ast.expr, set_to: dict[str, list[ast.expr]]) -> list[str]:
    """The names that an expression is made of, those first of which others are made."""
    found: list[str] = []
    waiting = [expression]
    for each in waiting:
        for part in ast.walk(each):
            if isinstance(part, ast.Name) and part.id not in found:
                found.append(part.id)
                waiting.extend(set_to.get(part.id, ()))
    return found[::-1]


def plain(value: Value) -> Value:
    """A value as far as it is the same whoever makes the object: of an object only its class."""
    return Value(OBJECT, value.name) if value.kind == OBJECT else value


def agreed(values: set[Value]) -> Value:
    """The one value among what was given; one that some leave out may be missing. UNKNOWN where there are several."""
    told = [value for value in values if value.kind != CONSTANT]
    if len(told) != 1 or is_of_the_place(told[0]):
        return UNKNOWN
    return told[0].with_extra(PERHAPS) if told[0].kind == OBJECT and NONE in values else told[0]


def is_of_the_place(value: Value) -> bool:
    """Whether a registry is one that the function makes which makes the object."""
    return value.kind == REGISTRY and value.resource is not None and ":" in value.resource.key + pool_of(value)
