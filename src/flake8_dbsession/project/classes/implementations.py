"""Which methods of the project may be meant by a call: those of classes that carry it out, and of a telling name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...files.sources import Answers
from ...session.values import CLASS, FUNCTION, OBJECT, SESSION, UNKNOWN, Resource, Value
from ..modules.module import ClassInfo
from .protocols import carries_out, is_protocol, wanted

if TYPE_CHECKING:
    from ..project import Project

_ABSTRACT = "abc.ABC"
MOST_EXTENDING = 12
"""A class that more files or classes extend is the door of a plug-in system, or the root of a tree of nodes that visit
each other: which of them runs, nobody can say."""


class Implementations:
    """The methods that carry out what a class of one project leaves to others; each is looked for once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.extended = Answers(project.sources, self._extended)
        """The project's classes that extend a class directly, outside of tests."""
        self._conforming = Answers(project.sources, self._find_conforming)
        self._carried_out = Answers(project.sources, self._find_carried_out, lambda _: ())
        self._called = Answers(project.sources, self._find_called)

    def _extended(self, qualified: str) -> list[str]:
        return [info.qualified for info in self._extending(qualified)]

    def _extending(self, qualified: str) -> Iterator[ClassInfo]:
        own = self.project.class_info(qualified)
        paths = self.project.app.extending(qualified.rpartition(".")[2].encode())
        for path in paths if len(paths) <= MOST_EXTENDING else ():
            module = self.project.modules.at(path) if not self.project.config.is_test(path) else None
            for info in module.classes.values() if module is not None else ():
                if own is not None and any(self.project.class_info(base) is own for base in info.bases):
                    yield info

    def _find_conforming(self, qualified: str) -> list[str]:
        return list(self._found_conforming(qualified))

    def _found_conforming(self, qualified: str) -> Iterator[str]:
        """The project's classes, outside of tests, that have what a protocol asks for."""
        own = self.project.class_info(qualified)
        methods = wanted(self.project.lineages.own(qualified)) if is_protocol(own) else {}
        defining = [self.project.app.defining(name.encode()) for name in methods]
        paths = min(defining, key=len, default=())
        for path in paths if len(paths) <= MOST_EXTENDING else ():
            module = self.project.modules.at(path) if not self.project.config.is_test(path) else None
            for info in module.classes.values() if module is not None else ():
                bases = [base for base in self.project.lineage(info) if isinstance(base, ClassInfo)]
                if methods.keys() & info.methods and carries_out(bases, methods):
                    yield info.qualified

    def maker(self, made: Value) -> Value:
        """What makes an object of a class, or of the only class that carries out a protocol or an abstract one."""
        others = dict.fromkeys((*self.extended(made.name), *self._conforming(made.name)))
        info = self.project.class_info(made.name)
        if is_protocol(info) or (info is not None and _ABSTRACT in info.bases):
            return Value(CLASS, next(iter(others))) if len(others) == 1 else UNKNOWN
        return Value(CLASS, made.name) if not others else UNKNOWN

    def carried_out(self, method: Value) -> tuple[Value, ...]:
        """The methods of other classes that carry out an abstract method of an object."""
        return self._carried_out(method.name)

    def _find_carried_out(self, method: str) -> tuple[Value, ...]:
        found = tuple(self._implementations(method))
        return found if len(found) <= MOST_EXTENDING else ()

    def _implementations(self, method: str) -> Iterator[Value]:
        owner, _, name = method.rpartition(".")
        for each in dict.fromkeys((*self.extended(owner), *self._conforming(owner))):
            found = self.project.attribute(Value(OBJECT, each), name)
            target = self.project.target(found) if found.kind == FUNCTION else None
            if target is not None and not target.is_abstract:
                yield found
            elif target is not None:
                yield from self.carried_out(found._replace(name=f"{each}.{name}"))

    def kept_by_others(self, method: Value, carried_out: Value) -> tuple[Resource, ...]:
        """The sessions on objects of other classes that carry out the same, which those of the method's do not have."""
        own = method.extra[0]
        others = {each.extra[0] for each in self.carried_out(carried_out)}
        kept = (item for other in others for item in self._kept(other))
        return tuple(sorted({session for name, session in kept if self.project.attribute(own, name) == UNKNOWN}))

    def _kept(self, owner: Value) -> Iterator[tuple[str, Resource]]:
        """The attributes that methods of a class set to sessions."""
        info = self.project.class_info(owner.name)
        for name in info.attribute_values if info is not None else ():
            value = self.project.attribute(owner, name)
            if value.kind == SESSION and value.resource is not None:
                yield name, value.resource

    def methods_called(self, name: str) -> tuple[Value, ...]:
        """The methods of the project's classes, outside of tests, that have a telling name."""
        return self._called(name) if is_telling(name) else ()

    def _find_called(self, name: str) -> tuple[Value, ...]:
        found = tuple(self._defined(name))
        return found if len(found) <= MOST_EXTENDING else ()

    def _defined(self, name: str) -> Iterator[Value]:
        paths = [p for p in self.project.app.defining(name.encode()) if not self.project.config.is_test(p)]
        for path in paths if len(paths) <= MOST_EXTENDING else ():
            module = self.project.modules.at(path)
            for info in module.classes.values() if module is not None else ():
                found = self.project.attribute(Value(OBJECT, info.qualified), name) if name in info.methods else UNKNOWN
                if found.kind == FUNCTION:
                    yield found


def is_telling(name: str) -> bool:
    """Whether the name of a method has several words, so that few things have one of the same name."""
    return "_" in name.strip("_") and not name.startswith("__")
