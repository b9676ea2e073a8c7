"""Which classes the project has, and what they extend."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...session.values import FUNCTION, NAMED, UNKNOWN, Value
from ..modules.module import ClassInfo, Module

if TYPE_CHECKING:
    from ..project import Project


class Lineages:
    """The classes of one project, found by their dotted names, and their bases. It remembers nothing."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def info(self, qualified: str) -> ClassInfo | None:
        """The project class of a dotted name, through imports and star imports; None for any other.

        Modules may import a name from each other in a circle that no class is in.
        """
        seen: set[str] = set()
        name = qualified
        while name and name not in seen:
            seen.add(name)
            module, rest = self.project.split(name)
            if module is None:
                return None
            info = module.classes.get(rest)
            if info is not None:
                return info
            name = self._named_at(module, rest)
        return None

    def _named_at(self, module: Module, name: str) -> str:
        """The dotted name that a name of a module is imported as, alone or with a star; "" for one of its own."""
        binding = module.names.bindings.get(name)
        if binding is not None:
            return binding.imported or ""
        starred = self.project.modules.starred(module, name)
        return f"{starred.name}.{name}" if starred is not None else ""

    def of(self, info: ClassInfo, seen: frozenset[str] = frozenset()) -> Iterator[ClassInfo | str]:
        """The class, then its bases depth first; a base outside the project is its dotted name."""
        yield info
        for base in info.bases:
            if base in seen:
                continue
            inner = self.info(base)
            if inner is None:
                yield base
                value = self.project.value(base)
                if value.kind == NAMED and value.name != base:
                    yield value.name
                for made in self.made_of(base):
                    yield from self.of(made, seen | {base, info.qualified})
            else:
                yield from self.of(inner, seen | {base, info.qualified})

    def made_of(self, base: str) -> Iterator[ClassInfo]:
        """What a base that a call gives takes its attributes from: ``Base = declarative_base(cls=Common)``."""
        module, rest = self.project.split(base)
        binding = module.names.bindings.get(rest) if module is not None else None
        if module is None or binding is None:
            return
        if binding.imported and binding.imported != base:
            yield from self.made_of(binding.imported)
        for call in binding.values:
            maker = module.names.resolve(call.func) if isinstance(call, ast.Call) else None
            if isinstance(call, ast.Call) and self.project.known.sqlalchemy_type(maker or "") == "declarative_base":
                given = (module.names.resolve(word.value) for word in call.keywords if word.arg == "cls")
                yield from (info for info in (self.info(name) for name in given if name) if info is not None)

    def own(self, name: str) -> list[ClassInfo]:
        """The class of a dotted name and its bases, as far as they are the project's."""
        info = self.info(name)
        return [base for base in self.of(info) if isinstance(base, ClassInfo)] if info is not None else []

    def foreign(self, name: str) -> tuple[str, ...]:
        """The dotted names of the library classes that a project class extends."""
        info = self.info(name)
        return tuple(base for base in self.of(info) if isinstance(base, str)) if info is not None else ()

    def inherited(self, owner: str, name: str, me: Value) -> Value:
        """The method that ``super()`` finds in the bases of a project class, bound to ``me``; UNKNOWN for none."""
        for base in self.own(owner)[1:]:
            if name in base.methods:
                return Value(FUNCTION, f"{base.qualified}.{name}", extra=(me, None))
        return UNKNOWN
