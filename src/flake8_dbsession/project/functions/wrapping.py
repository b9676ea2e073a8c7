"""What the project's own decorators do around the functions that they decorate: those that retry sleep in between, and
those that may hand the function to a queue, or start it in a thread, tell nothing of what a call does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ...files.sources import Answers
from ...names import bare, is_none
from ...session.body import Body
from ...session.outside import summary_of
from ...session.state import CLOSED, FAILED, IDLE, UNSURE, Life
from ...session.steps.exceptions import takes_everything
from ...session.summary import Summary, Wait
from ...session.values import AMBIENT, CLASS, CONTEXT, FUNCTION, METHOD, OBJECT, Resource, Value
from ..modules.module import Module
from ..names.evidence import may_end_session
from .handed_in import HandedIn, sessions_handed_in
from .kept_answers import remembers_answers
from .targets import Target

if TYPE_CHECKING:
    from ..project import Project


class Wrapping:
    """The waits of each decorator of one project, found once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.waits = Answers(project.sources, self._waits, lambda _: ())
        """What the functions that a decorator puts in the place of others wait for."""
        self.ends = Answers(project.sources, self._ends, lambda _: ((), ()))
        """The registries that a decorator surely gives back after the function, and those where the function raises."""
        self.undoes = Answers(project.sources, self._undoes)
        """Whether a decorator rolls something back, or closes it, where the function fails."""
        self.settles = Answers(project.sources, self._settles)
        """Whether a decorator commits, rolls back or closes something whenever the function has returned."""
        self.holds = Answers(project.sources, self._holds, lambda _: frozenset())
        """The registries whose session surely has a connection wherever a decorator calls the function."""
        self.remembers = Answers(project.sources, self._remembers)
        """Whether a decorator puts the function's answers away, and gives them in place of calling it."""
        self.hands_in = Answers(project.sources, self._hands_in, lambda _: ())
        """The sessions that a decorator gives to the function."""
        self.puts_off = Answers(project.sources, self._puts_off)
        """Whether a decorator may give the function to something that runs it later, in place of calling it."""

    def wrapped(self, target: Target, summary: Summary) -> Summary:
        """A function's summary with what its decorators wait for, where the function gives no session back itself.

        Where a decorator may put a call off, only that it can raise.
        """
        if any(map(self.puts_off, target.decorators)):
            return Summary()
        for name in sorted(target.decorators):
            summary = ended(summary, *self.ends(name))
            if self.undoes(name):
                summary = undone(summary)
            if self.settles(name):
                summary = summary._replace(normal=tuple(map(settled, summary.normal)))
            if self.remembers(name):
                summary = summary.untaken
        if target.decorators - _PLAIN:
            summary = summary._replace(normal=tuple(map(left_to_decorators, summary.normal)))
        found = [wait for name in sorted(target.decorators) for wait in self.waits(name)]
        if not found:
            return summary
        lives = (*summary.normal, *summary.failed)
        released = tuple(sorted({resource for resource, life in lives if not life.may_leak}))
        line: int = getattr(target.body.node, "lineno", 0)
        waits = tuple((wait._replace(line=line), released, ()) for wait in found)
        return summary._replace(waits=(*summary.waits, *waits))

    def _undoes(self, decorator: str) -> bool:
        return any(is_undone(wrapper, call) for _, wrapper, call in self.wrappers(decorator))

    def _settles(self, decorator: str) -> bool:
        return any(is_settled(wrapper, call) for _, wrapper, call in self.wrappers(decorator))

    def _remembers(self, decorator: str) -> bool:
        return any(
            remembers_answers(wrapper, call) or self._is_remembering(module, wrapper)
            for module, wrapper, call in self.wrappers(decorator)
        )

    def _is_remembering(self, module: Module, wrapper: Body) -> bool:
        """Whether what stands in the place of a function is decorated by what remembers: ``@cachetools.cached(…)``."""
        names = (module.names.resolve(bare(decorator)) for decorator in wrapper.decorators)
        return any(name is not None and self.project.known.conventions.is_remembering(name) for name in names)

    def _hands_in(self, decorator: str) -> tuple[HandedIn, ...]:
        target = self._target(decorator)
        if target is None:
            return ()
        wrappers = [wrapper for wrapper, _ in runs(target.module, target.body)]
        flows = (self.project.flow(target.module, wrapper, {}) for wrapper in wrappers)
        return tuple(
            given for flow in flows for given in sessions_handed_in(flow, calls_of_given(target.module, flow.body))
        )

    def _puts_off(self, decorator: str) -> bool:
        target = self._target(decorator)
        if target is None:
            return False
        wrappers = [wrapper for wrapper, _ in runs(target.module, target.body)]
        return any(may_put_off(target.module, wrapper) for wrapper in wrappers) or (
            not wrappers and self.starts(target)
        )

    def starts(self, decorator: Target) -> bool:
        """Whether a decorator gives the function to a thread or process of its own, and waits for no end of it."""
        wrappers = list(inside(decorator.module, decorator.body))
        begun = any(self.is_begun(decorator.module, body, call) for body in wrappers for call in body.own(ast.Call))
        return begun and not any(asks_for_the_end(body) for body in wrappers)

    def is_begun(self, module: Module, wrapper: Body, call: ast.Call) -> bool:
        """``Thread(target=function)`` with what the decorator was given."""
        called = self.project.evaluate(module, call.func)
        owner = f"{called.extra[0].name}." if called.kind == METHOD else ""
        fact = self.project.known.handover(f"{owner}{called.name}")
        if fact is None or fact.callable is None or fact.inline or fact.entry.runs not in ("thread", "process"):
            return False
        function = fact.callable.of(call)
        return isinstance(function, ast.Name) and function.id in given_around(module, wrapper)

    def _target(self, decorator: str) -> Target | None:
        """What a function is given to: the decorator, or ``__call__`` of the objects that decorate."""
        value = self.project.value(decorator)
        if value.kind == CLASS:
            value = self.project.attribute(Value(OBJECT, value.name), "__call__")
        return self.project.target(value) if value.kind == FUNCTION else None

    def wrappers(self, decorator: str) -> list[tuple[Module, Body, ast.Call]]:
        """What a decorator of the project puts in the place of a function: each of its functions that call that one,
        with its module and the call."""
        target = self._target(decorator)
        return [(target.module, *found) for found in runs(target.module, target.body)] if target is not None else []

    def _holds(self, decorator: str) -> frozenset[Resource]:
        held = [self._held_at(*wrapper) for wrapper in self.wrappers(decorator)]
        return frozenset.intersection(*held) if held else frozenset()

    def _held_at(self, module: Module, wrapper: Body, call: ast.Call) -> frozenset[Resource]:
        """The registries that surely hold a connection before the statement in which the call stands."""
        flow = self.project.flow(module, wrapper, {})
        lives = [state.lives.items() for state in flow.before(call)]
        held = [{r for r, life in each if r.origin == AMBIENT and life.surely_holds} for each in lives]
        return frozenset(set.intersection(*held)) if held else frozenset()

    def _waits(self, decorator: str) -> tuple[Wait, ...]:
        return tuple(self._found(decorator))

    def _ends(self, decorator: str) -> tuple[tuple[Resource, ...], tuple[Resource, ...]]:
        wrappers = self.wrappers(decorator)
        if len(wrappers) != 1:
            return (), ()
        module, wrapper, _ = wrappers[0]
        summary = summary_of(self.project.flow(module, wrapper, {}))
        return tuple(given_back(summary.normal)), tuple(given_back(summary.failed))

    def _found(self, decorator: str) -> Iterator[Wait]:
        target = self._target(decorator)
        if target is None:
            return
        for wrapper, _ in runs(target.module, target.body):
            summary = summary_of(self.project.flow(target.module, wrapper, {}))
            for wait, *_ in summary.waits:
                if not wait.chain:  # how far others are followed depends on who asks
                    yield wait._replace(chain=((target.body.qualified, target.path, wait.line),))


def given_back(lives: Iterable[tuple[Resource, Life]]) -> Iterator[Resource]:
    """The registries that hold nothing, on whatever way."""
    return (r for r, life in lives if r.origin == AMBIENT and life.phases & IDLE and not life.phases & ~(IDLE | CLOSED))


def ended(summary: Summary, after: tuple[Resource, ...], failed: tuple[Resource, ...]) -> Summary:
    """A function's summary where a decorator gives back registries ``after`` it, or after it has ``failed``."""
    if not after and not failed:
        return summary
    normal = {**dict(summary.normal), **dict.fromkeys(after, Life(IDLE))}
    failures = tuple(
        (kind, tuple({**dict(lives), **dict.fromkeys(failed, Life(IDLE))}.items())) for kind, lives in summary.failures
    )
    return summary._replace(
        normal=tuple(normal.items()) if summary.normal else (),
        failed=tuple({**dict(summary.failed), **dict.fromkeys(failed, Life(IDLE))}.items()),
        failures=failures,
        swallows=tuple((r, handler) for r, handler in summary.swallows if r not in after),
        told=tuple((r, handler) for r, handler in summary.told if r not in after),
    )


_PLAIN = frozenset({"abc.abstractmethod", "builtins.classmethod", "builtins.property", "builtins.staticmethod"})
"""Decorators that do nothing around a call."""


def left_to_decorators(left: tuple[Resource, Life]) -> tuple[Resource, Life]:
    """The session of a context variable may be one that a decorator has opened, and ends: ``@transactional``."""
    resource, life = left
    return resource, Life(IDLE) if resource.flavour == CONTEXT else life


def is_undone(wrapper: Body, call: ast.Call) -> bool:
    """Whether whatever the call raises always leads to a ``rollback()``: ``except Exception: self.db.rollback()``."""
    around = (block for block in wrapper.own(ast.Try) if any(part is call for s in block.body for part in ast.walk(s)))
    handlers = (handler for block in around for handler in block.handlers if takes_everything(handler))
    always = (each for handler in handlers for each in handler.body if isinstance(each, ast.Expr))
    parts = (part for each in always for part in ast.walk(each))
    return any(may_end_session(part, "rollback") for part in parts)


def is_settled(wrapper: Body, call: ast.Call) -> bool:
    """Whether a ``commit()`` follows the call, of whatever: ``answer = function()``, ``self.db.commit()``."""
    always = (statement for statement in following(wrapper, call) if isinstance(statement, ast.Expr))
    parts = (part for statement in always for part in ast.walk(statement))
    return any(may_end_session(part, "rollback", "commit") for part in parts)


def following(wrapper: Body, call: ast.Call) -> Iterator[ast.stmt]:
    """The statements that run once the call has returned, whatever it has given."""
    tries = wrapper.own(ast.Try)
    blocks = [wrapper.statements, *(each.body for each in (*tries, *wrapper.own(ast.With, ast.AsyncWith)))]
    for block in blocks:
        place = next((i for i, each in enumerate(block) if any(part is call for part in ast.walk(each))), None)
        if place is not None and not any(isinstance(part, ast.Return) for part in ast.walk(block[place])):
            yield from block[place + 1 :]
    around = (each for each in tries if any(part is call for s in each.body for part in ast.walk(s)))
    yield from (statement for each in around for statement in each.finalbody)


def undone(summary: Summary) -> Summary:
    """A function's summary where its failure is followed by a rollback, which may be that of its session."""
    return summary._replace(
        failed=tuple(map(doubted, summary.failed)),
        failures=tuple((kind, tuple(map(doubted, lives))) for kind, lives in summary.failures),
    )


def settled(left: tuple[Resource, Life]) -> tuple[Resource, Life]:
    """A session that may be the one that is committed; that of one that has failed raises."""
    resource, life = left
    return resource, Life(UNSURE, life.marks) if life.may_hold and not life.phases & FAILED else life


def doubted(left: tuple[Resource, Life]) -> tuple[Resource, Life]:
    resource, life = left
    return resource, Life(UNSURE, life.marks) if life.phases & FAILED else life


def runs(module: Module, decorator: Body) -> Iterator[tuple[Body, ast.Call]]:
    """The calls inside a decorator of what it was given, a parameter of a function around, and where they stand."""
    for body in inside(module, decorator):
        call = next(calls_of_given(module, body), None)
        if call is not None:
            yield body, call


def calls_of_given(module: Module, body: Body) -> Iterator[ast.Call]:
    """The calls of what a function around was given."""
    given = given_around(module, body)
    return (c for c in body.own(ast.Call) if isinstance(c.func, ast.Name) and c.func.id in given)


def inside(module: Module, decorator: Body) -> Iterator[Body]:
    """The functions that a decorator defines."""
    return (body for body in module.bodies.values() if body.is_inside(decorator))


def asks_for_the_end(wrapper: Body) -> bool:
    """``thread.join()``, ``job.result()``."""
    return any(attribute.attr in ("join", "result", "get") for attribute in wrapper.own(ast.Attribute))


def may_put_off(module: Module, wrapper: Body) -> bool:
    """Whether what stands in the place of a function gives it to a method of something else and may return nothing."""
    called = {call.func.id for call in wrapper.own(ast.Call) if isinstance(call.func, ast.Name)}
    functions = called & given_around(module, wrapper)
    takers = (call for call in wrapper.own(ast.Call) if isinstance(call.func, ast.Attribute))
    is_given = any(
        isinstance(part, ast.Name) and part.id in functions and not is_of_another_module(module, call.func)
        for call in takers
        for part in call.args
    )
    return is_given and any(node.value is None or is_none(node.value) for node in wrapper.own(ast.Return))


def is_of_another_module(module: Module, function: ast.expr) -> bool:
    """``inspect.signature``: a function that the file imports."""
    name = module.names.resolve(function)
    return name is not None and not name.startswith(f"{module.name}.")


def given_around(module: Module, body: Body) -> set[str]:
    """The parameters of the functions around one that it does not bind itself."""
    return {p.arg for each in module.around(body) for p in each.parameters} - body.local_names
