"""The functions of a project, solved: for those who call them, and for the rules.

Several calls may come to the same: what is given for a parameter may be what the function knows of it anyway, and what
nothing asks for makes no difference. A function is solved once for each set of names that it begins with, whoever asks.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...session.body import Body
from ...session.flow import Begins, Flow
from ...session.memory import Kept, Key
from ...session.outside import summary_of
from ...session.starts import starts
from ...session.summary import Summary
from ...session.values import CLASS, OBJECT, ROW, ROWS, Value
from ..classes.own_sessions import as_session
from ..modules.module import Module
from .parameters import as_declared, parameter_of, untold_in
from .solved import Frame, Known, Solved
from .targets import Target

if TYPE_CHECKING:
    from ..project import Project


class Flows:
    """What is known of the functions of one project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.sources = project.sources
        self.solved = Solved(project.sources)
        self.asked = 0
        """How often a summary was asked for."""
        self._remembered: dict[Body, dict[Key, Kept]] = {}
        self._summaries: dict[Begins, Known] = {}
        self._for_rules: dict[Body, list[tuple[Flow, int]]] = {}
        """Those of which no rule has heard yet, by their bodies."""
        self._known_to_rules: set[Body] = set()
        self._parameters: dict[tuple[Body, str], tuple[Value, int]] = {}

    def lose(self, sources: int, modules: Iterable[Module]) -> None:
        """Forget what rests on one of the sources, a set of bits, and what was remembered of some modules."""
        self.solved.lose(sources)
        self._summaries = {begins: known for begins, known in self._summaries.items() if not known.rests_on & sources}
        self._parameters = {of: known for of, known in self._parameters.items() if not known[1] & sources}
        for body, flows in self._for_rules.items():
            self._for_rules[body] = [(flow, rests_on) for flow, rests_on in flows if not rests_on & sources]
        for body, known in self._remembered.items():
            self._remembered[body] = {step: kept for step, kept in known.items() if not kept.met & sources}
        for module in modules:
            for body in (module.top, *module.bodies.values()):
                self._remembered.pop(body, None)
                self._known_to_rules.discard(body)

    def forget(self, module: Module) -> None:
        """Let go of what only those need who solve the functions of a module: its rules have been heard, and who calls
        them later mostly finds a summary."""
        for body in (module.top, *module.bodies.values()):
            self._remembered.pop(body, None)
            body.forget()

    def summary(self, function: Value, sessions: tuple[tuple[str, Value], ...]) -> Summary | None:
        """What a call does where the named parameters are ``sessions``; None where that cannot be seen."""
        self.asked += 1
        key = (function._replace(extra=function.extra[1:]), sessions)
        found = self.solved.recall(key)
        if found is not None:
            return found.summary
        target = self.project.target(function)
        if target is None:
            return None
        with self.solved.solving(key) as frame:
            try:
                summary = self._summary(target, dict(sessions), frame)
                frame.summary = self.project.wrapping.wrapped(target, summary)
            except RecursionError:  # the interpreter goes no deeper, from where it was asked
                self.solved.leads_back()
        return frame.summary

    def _summary(self, target: Target, given: dict[str, Value], frame: Frame) -> Summary:
        """What a function does, whatever decorates it."""
        flow = self.flow(target.module, target.body, given)
        known = self._summaries.get(flow.begins)
        if known is not None and known.summary is not None:
            self.sources.met |= known.rests_on
            return known.summary
        summary = summary_of(flow)
        if frame.is_alone:
            self._summaries[flow.begins] = Known(summary, self.sources.met)
            if flow.body not in self._known_to_rules:
                self._for_rules.setdefault(flow.body, []).append((flow, self.sources.met))
        return summary

    def of_rules(self, module: Module, body: Body, enclosing: dict[str, Value]) -> Flow:
        """A function as the rules see it: solved with what it knows by itself, and what the functions around bind."""
        flow, sources = self.flow(module, body, {}, enclosing), self.sources
        self._known_to_rules.add(body)
        for known, rests_on in self._for_rules.pop(body, ()):
            if not enclosing and known.begins == flow.begins:
                sources.met |= rests_on
                return known
        around, sources.met = sources.met, 0
        try:
            _ = flow.solution
            if not enclosing:
                self._summaries[flow.begins] = Known(summary_of(flow), sources.met)
        finally:
            sources.met |= around
        return flow

    def quiet(self, module: Module, body: Body, enclosing: dict[str, Value]) -> Flow:
        """A function that can reach no session, so that no path through it is followed."""
        self._known_to_rules.add(body)
        self._for_rules.pop(body, None)
        return self.flow(module, body, {}, enclosing, is_quiet=True)

    def flow(
        self,
        module: Module,
        body: Body,
        given: dict[str, Value],
        enclosing: dict[str, Value] | None = None,
        is_quiet: bool = False,
    ) -> Flow:
        """One function, with ``given`` parameters and what the functions around it bind; ``is_quiet`` as in `Flow`."""
        project = self.project
        project.modules.meet(module)
        if body.me and body.me not in given:
            kind = CLASS if any(isinstance(d, ast.Name) and d.id == "classmethod" for d in body.decorators) else OBJECT
            owner = Value(kind, f"{module.name}.{body.owner}".lstrip("."))
            given = {**given, body.me: as_session(project, owner, body.me) if kind == OBJECT else owner}

        def parameter(argument: ast.arg) -> Value:
            return self._parameter(module, body, argument)

        declared = [p for p in body.parameters if p.annotation is not None and p.arg in given and p.arg != body.me]
        given = {**given, **{p.arg: as_declared(project, given[p.arg], parameter(p)) for p in declared}}
        untold = frozenset(
            r for p in body.parameters if p.arg in given for r in untold_in(project, given[p.arg], parameter, p)
        )
        rows = frozenset(v.resource for v in given.values() if v.kind in (ROW, ROWS) and v.resource is not None)
        outer = project.outer(module, enclosing)
        remembered = self._remembered.setdefault(body, {}) if not enclosing else None
        return Flow(body, project, outer, lambda: starts(body, given, parameter), untold, rows, is_quiet, remembered)

    def _parameter(self, module: Module, body: Body, argument: ast.arg) -> Value:
        """What a parameter is by itself. It is found once, unless that leads to a function, which may be followed or
        not, or to a name that is still being found."""
        of, sources = (body, argument.arg), self.sources
        if of in self._parameters:
            value, rests_on = self._parameters[of]
            sources.met |= rests_on
            return value
        asked, around, sources.met = self.asked, sources.met, 0
        try:
            value = parameter_of(self.project, module, body, argument)
            if asked == self.asked and not sources.is_finding:
                self._parameters[of] = value, sources.met
        finally:
            sources.met |= around
        return value
