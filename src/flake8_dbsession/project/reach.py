"""Whether a function can reach a session at all: asked of its words before any path through it is followed.

A session comes into a function by a name: of a factory, registry or engine, of a parameter or attribute that is one,
or of a function or class of the project that reaches one itself. What only such names could bring in and none does,
holds nothing, so nothing can be said of it. The answer errs to one side: yes where it is not sure.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ..files.sources import Answers
from ..session.body import Body
from ..session.expressions.named_calls import TELLING_WORDS
from ..session.expressions.removing import is_removal_by_name
from ..session.values import (
    CLASS,
    CONTEXT_VAR,
    FUNCTION,
    MAPPING,
    METHOD,
    NAMED,
    OBJECT,
    PARTIAL,
    TABLE,
    TUPLE,
    UNKNOWN,
    Value,
)
from ..session.waiting import STREAMING_RESPONSES
from .mentioned import Chain, Words, words_in, words_of
from .modules.module import ClassInfo, Module
from .names.annotations import annotated
from .names.evidence import QUESTIONS, may_be_session

if TYPE_CHECKING:
    from .project import Project

Place = Body | ClassInfo

_SILENT = frozenset(
    {"unknown", "constant", "statement", NAMED, CLASS, OBJECT, FUNCTION, METHOD, PARTIAL, TUPLE, TABLE, MAPPING}
)
"""Kinds of value that are no session and lead to one only through what they stand for."""


class Looked(NamedTuple):
    """Whether a place tells, or what it leads to does; the places it leads to; and what was met to see that."""

    tells: bool
    steps: tuple[Place, ...]
    met: int


class Reach:
    """The answers for the functions and classes of one project, each found once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._known: dict[Place, bool] = {}
        self._looked_at: dict[Place, Looked] = {}
        self._silent: dict[Place, Looked] = {}
        """What was looked at to the end, and does not tell by itself."""
        self._met_behind: dict[Place, int] = {}
        """What the answers of those that were asked for rest on."""
        self._roots = Answers(project.sources, self._find_root)
        self._modules: dict[Body, Module] = {}

    def lose(self, sources: int) -> None:
        """Forget what names stand for that rests on one of the sources; who reaches a session stays known."""
        self._roots.lose(sources)
        self._silent = {place: looked for place, looked in self._silent.items() if not looked.met & sources}

    def forget(self, sources: int) -> None:
        """Names mean something else from here on: who reaches a session is found anew, and what was seen of places
        stays where it does not rest on one of the sources."""
        self._known.clear()
        self._looked_at.clear()
        self._met_behind.clear()
        self.lose(sources)
        self._roots.clear()

    def touches(self, module: Module, body: Body) -> bool:
        """Whether the function, with all that is defined in it, may meet a session, an engine or a registry."""
        start = self._function(module, body.outermost)
        if start not in self._known:
            self._explore(start)
        self._meet_all_behind(start)
        return self._known[start]

    def _explore(self, start: Place) -> None:
        """Go on from ``start`` until something tells; where nothing does, nothing on the way tells either."""
        came_from: dict[Place, Place | None] = {start: None}
        waiting = [start]
        while waiting:
            place = waiting.pop()
            looked = self._looked_at[place] = self._look_again(place)
            if looked.tells:
                self._tell(place, came_from)
                return
            for step in looked.steps:
                if step not in came_from and step not in self._known:
                    came_from[step] = place
                    waiting.append(step)
        self._known.update(dict.fromkeys(came_from, False))

    def _look_again(self, place: Place) -> Looked:
        """As :meth:`_look_at`: what a silent place leads to is the same each time, and may tell by now."""
        looked = self._silent.get(place)
        if looked is None:
            looked = self._look_at(place)
            if not looked.tells:
                self._silent[place] = looked
            return looked
        telling = next((step for step in looked.steps if self._known.get(step)), None)
        return looked if telling is None else looked._replace(tells=True, steps=(telling,))

    def _look_at(self, place: Place) -> Looked:
        """What a place leads to, up to the first step that tells."""
        sources, steps = self.project.sources, []
        around, sources.met = sources.met, 0
        try:
            for step in self._steps(place):
                if step is None or self._known.get(step):
                    return Looked(True, () if step is None else (step,), sources.met)
                steps.append(step)
            return Looked(False, tuple(steps), sources.met)
        finally:
            sources.met |= around

    def _tell(self, place: Place | None, came_from: dict[Place, Place | None]) -> None:
        behind: Place | None = None
        while place is not None:
            if behind is not None:
                self._looked_at[place] = self._looked_at[place]._replace(steps=(behind,))
            self._known[place] = True
            behind, place = place, came_from[place]

    def _meet_all_behind(self, start: Place) -> None:
        """Whether a place tells rests on what was met on the way to what tells, or on every way that there is."""
        waiting, seen, met = [start], {start}, 0
        while waiting:
            place = waiting.pop()
            if place in self._met_behind:
                met |= self._met_behind[place]
                continue
            looked = self._looked_at[place]
            met |= looked.met
            waiting.extend([step for step in looked.steps if step not in seen])
            seen.update(looked.steps)
        self._met_behind[start] = met
        self.project.sources.met |= met

    def _function(self, module: Module, body: Body) -> Body:
        self._modules[body] = module
        return body

    # -- one step: what a function or class mentions, None for something that tells

    def _steps(self, place: Place) -> Iterator[Place | None]:
        self.project.modules.meet(place.module if isinstance(place, ClassInfo) else self._modules[place])
        if isinstance(place, ClassInfo):
            yield from self._class_steps(place)
        else:
            yield from self._function_steps(self._modules[place], place)

    def _function_steps(self, module: Module, body: Body) -> Iterator[Place | None]:
        words = words_of(body, module)
        if not words.attributes.isdisjoint(TELLING_WORDS):
            yield None
        if "remove" in words.attributes and any(is_removal_by_name(body, call) for call in body.own(ast.Call)):
            yield None
        if ("super",) in words.chains and body.owner in module.classes:
            yield module.classes[body.owner]
        for name in sorted(words.attributes):  # a method of something unseen, by its telling name
            for method in self.project.methods_called(name):
                yield from self._called(method)
        own = dict(self._parameters(module, body))
        for chain in sorted(words.chains):
            if self._is_known_by_name(chain):
                yield None
            value = own.get(chain[0]) or self._imported(words, chain[0]) or self._root(module, chain[0])
            yield from self._follow(value, chain[1:])
            if value.kind in ("unknown", NAMED) and len(chain) > 1:  # flask.g is a name of a library
                yield from self._follow_stored(module, chain)
                if chain[-1] in QUESTIONS and may_be_session(chain[-2]):
                    yield None

    def _is_known_by_name(self, chain: Chain) -> bool:
        """Whether a chain may be a session by what it is asked, or a factory or registry by what it is called."""
        asks = may_be_session(chain[0]) and chain[1:] and chain[1] in QUESTIONS
        return bool(asks) or any(self.project.known.conventions.is_handle(part) for part in chain)

    def _class_steps(self, info: ClassInfo) -> Iterator[Place | None]:
        for base in self.project.lineage(info):
            if isinstance(base, str):
                yield from self._follow(self.project.value(base), ())
                continue
            for method in base.methods:
                body = base.module.bodies.get(f"{base.name}.{method}")
                if body is not None:
                    yield self._function(base.module, body)
            for expression in (*base.values.values(), *base.annotations.values()):
                for chain in sorted(words_in([expression], base.module).chains):
                    yield from self._follow(self._root(base.module, chain[0]), chain[1:])
            if any(text.startswith(f"{base.name}.") for text in base.module.stored):
                yield None

    def _parameters(self, module: Module, body: Body) -> Iterator[tuple[str, Value]]:
        for number, parameter in enumerate(body.parameters):
            if number == 0 and body.owner:
                yield parameter.arg, Value(OBJECT, f"{module.name}.{body.owner}".lstrip("."))
            elif parameter.annotation is not None:
                value = annotated(self.project, module.names, parameter.annotation, parameter.arg)
                if value != UNKNOWN:
                    yield parameter.arg, value

    def _imported(self, words: Words, name: str) -> Value | None:
        return self.project.value(words.imports[name]) if name in words.imports else None

    def _root(self, module: Module, name: str) -> Value:
        """What a name stands for at module level."""
        return self._roots((module, name))

    def _find_root(self, asked: tuple[Module, str]) -> Value:
        module, name = asked
        self.project.modules.meet(module)
        return self.project.outer(module)(name)

    def _follow(self, value: Value, rest: Chain) -> Iterator[Place | None]:
        """What a value with a chain of attributes behind it leads to."""
        for position in range(len(rest) + 1):
            if self._tells(value):
                yield None
                return
            attribute = rest[position] if position < len(rest) else ""
            match value.kind:
                case "named" if attribute:
                    value = self.project.value(f"{value.name}.{attribute}")
                case "class" | "object" if attribute:
                    value = self._attribute(value, attribute)
                case "class" | "object":
                    info = self.project.class_info(value.name)
                    if info is not None:
                        yield info
                    return
                case "function":
                    if len(value.extra) > 1 and value.extra[1] is not None:
                        yield None  # a lambda at module level
                        return
                    yield from self._called(value)
                    return
                case "table":
                    for _, function in value.extra:
                        yield from self._called(function)
                    return
                case "method" | "partial" | "tuple" | "mapping":
                    for part in value.extra:
                        yield from self._follow(part, ()) if isinstance(part, Value) else ()
                    return
                case _:
                    return

    def _called(self, function: Value) -> Iterator[Place]:
        target = self.project.target(function)
        if target is not None:
            yield self._function(target.module, target.body)
            for method in self.project.carried_out(function) if target.is_abstract else ():
                yield from self._called(method)

    def _follow_stored(self, module: Module, chain: Chain) -> Iterator[Place | None]:
        for length in range(2, len(chain) + 1):
            text = ".".join(chain[:length])
            if text in module.stored:
                yield from self._follow(self.project.stored(module.name, text), ())

    def _attribute(self, owner: Value, name: str) -> Value:
        return self.project.classes.unbound(owner, name)

    def _tells(self, value: Value) -> bool:
        if value.kind == NAMED:
            return value.resource is not None or self._is_telling_name(value.name)
        return value.kind not in _SILENT or (value.kind == OBJECT and value.name == CONTEXT_VAR and bool(value.extra))

    def _is_telling_name(self, name: str) -> bool:
        return name in STREAMING_RESPONSES or self.project.known.sqlalchemy_type(name) is not None
