"""All that a rule may see of one file: its source, its names, its solved functions, and who runs them."""

from __future__ import annotations

import ast
import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from .model import Diagnostic, Note, Plan, Rule, Span
from .names import Names
from .project.modules.module import Module
from .project.project import Project
from .project.runs.commands import Commands
from .project.runs.daemons import called_for_good
from .project.runs.entries import Units
from .project.runs.importers import only_commands_import
from .project.runs.relevant import imports_sessions
from .project.runs.repeated import Repeated, Serves
from .relevance import can_matter
from .session.body import Body, of_lambda
from .session.flow import Flow
from .session.values import SESSION, Resource, Value
from .source import Source

About = ParamSpec("About")
Found = TypeVar("Found")

_AT_THE_START = frozenset({"startup"})


class View:
    """Lazy and read-only. Everything in it belongs to one file."""

    def __init__(self, source: Source, project: Project, only: frozenset[str] | None = None) -> None:
        self.source = source
        self.project = project
        self.only = only
        """The functions that stand in no other which are to be followed ("": the module itself); None: all."""
        self.config = project.config
        self.answers: dict[tuple[object, ...], Any] = {}
        """What was asked of the file's functions by several rules; see :func:`asked_once`."""
        self._mentioned: dict[bytes, bool] = {}

    @cached_property
    def is_relevant(self) -> bool:
        """Whether the file holds anything that could be a session, or imports a module of the project that does."""
        return can_matter(self.source.data) or imports_sessions(self.project, self.module)

    def mentions(self, word: bytes) -> bool:
        """Whether the bytes stand anywhere in the file: asked before it is searched for what the word may mean."""
        known = self._mentioned.get(word)
        if known is None:
            known = self._mentioned[word] = word in self.source.data
        return known

    @cached_property
    def is_test(self) -> bool:
        """Whether the file is test code, where what is held ends with the test: by its path, or since it holds tests
        of pytest, whatever it is called."""
        return self.config.is_test(self.source.path) or (bool(self.config.test_paths) and self._holds_tests)

    @property
    def _holds_tests(self) -> bool:
        if not self.mentions(b"pytest") or not any(each.imported == "pytest" for each in self.names.bindings.values()):
            return False
        return any(name.startswith("test_") for name in self.module.bodies)

    @cached_property
    def is_script(self) -> bool:
        """Whether the file is short-lived code by its path: a migration, a command, what no name can import."""
        stem, extension = os.path.splitext(os.path.basename(self.source.path))
        if extension == ".py" and not stem.isidentifier():
            return True
        if self.is_migration:
            return True
        kind = self.project.app.script_kind(self.source.path)
        beside = os.path.join(os.path.dirname(self.source.path), "_.py")
        by_folder = bool(kind) and self.project.app.script_kind(beside)
        return bool(by_folder) or (bool(kind) and not (kind == "command" and self.serves_requests))

    def is_called_for_good(self, body: Body) -> bool:
        """Whether an endless loop of the file calls the function, directly or through others."""
        return body in self._called_for_good

    @cached_property
    def _called_for_good(self) -> frozenset[Body]:
        return called_for_good(self.units)

    @cached_property
    def is_migration(self) -> bool:
        """Whether Alembic runs the file: a revision, or its ``env.py``, which opens a connection for each database."""
        return any(binding.imported in ("alembic.context", "alembic.op") for binding in self.names.bindings.values())

    @cached_property
    def serves_requests(self) -> bool:
        """Whether a server runs a function of the file: ``manage.py`` may be any module of an application."""
        entries = (entry for body in self.module.bodies.values() for entry in self.units.entries(body))
        return any(entry.kind == "request" for entry in entries)

    @cached_property
    def serves_for_good(self) -> bool:
        """Whether the process goes on for as long as something asks for functions of the file: requests, messages."""
        entries = (entry for body in self.module.bodies.values() for entry in self.units.entries(body))
        return any(entry.is_served for entry in entries)

    @cached_property
    def module(self) -> Module:
        return self.project.modules.of_file(self.source)

    @property
    def names(self) -> Names:
        return self.module.names

    @cached_property
    def flows(self) -> list[Flow]:
        """Every function of the file that can touch a session, solved; outer functions before the inner ones."""
        return list(self._solve())

    @cached_property
    def units(self) -> Units:
        """Who runs the functions of this file."""
        return Units(self.module, self.project, (r for flow in self.flows for r in flow.scope.registered))

    def serves_commands(self, body: Body) -> bool:
        """Whether only commands run the function, of whichever file, and none goes on for good."""
        return self._commands.are_served(self.units, body) or self._is_of_commands(body)

    def is_of_the_start(self, body: Body) -> bool:
        """Whether the function runs only while the process starts or stops, or is called by such functions only."""
        entries = self.units.entries(body)
        own = bool(entries) and all(entry.kind in _AT_THE_START for entry in entries)
        return own or self._starts.are_served(self.units, body)

    def _is_of_commands(self, body: Body) -> bool:
        """Whether nothing that serves imports the file, and commands do."""
        runs = (entry for entry in self.units.entries(body) if not entry.is_waited_for)
        return all(entry.is_short_lived for entry in runs) and only_commands_import(self.project, self.module)

    def is_repeated(self, body: Body, serves: Serves) -> bool:
        """Whether a process runs the function again and again, as far as can be seen in whichever file."""
        return self.repeated.is_repeated(self.units, body, serves)

    def is_served(self, body: Body, serves: Serves) -> bool:
        """Whether an entry that ``serves`` runs the function, directly or through others, of whichever file."""
        return self.repeated.is_served(self.units, body, serves)

    def units_of(self, module: Module) -> Units:
        """Who runs the functions of any module of the project, as far as the module itself says."""
        return self.units if module is self.module else self._commands.units(module)

    def is_called_by_function(self, body: Body) -> bool:
        """Whether a function of the application calls the function, and not only a module or constructor."""
        return self.repeated.is_called_by_function(self.units, body)

    @cached_property
    def _starts(self) -> Commands:
        return Commands(self.project, _AT_THE_START)

    @cached_property
    def _commands(self) -> Commands:
        return Commands(self.project)

    @cached_property
    def repeated(self) -> Repeated:
        """What is known of functions that run often, of whichever file."""
        return Repeated(self._commands)

    def _solve(self) -> Iterator[Flow]:
        solved: dict[str, Flow] = {}
        captured: dict[str, dict[str, Value]] = {}
        for name, body in {"": self.module.top, **self.module.bodies}.items():
            if self.only is not None and body.outermost.name not in self.only:
                continue
            outer_name = name.rpartition(".<locals>.")[0]
            if outer_name and outer_name in solved and outer_name not in captured:
                captured[outer_name] = enclosed(solved[outer_name])
            enclosing = captured.get(outer_name, {})
            try:
                is_quiet = self.is_test or not self.project.reach.touches(self.module, body)
                flows = self.project.flows
                solve = flows.quiet if is_quiet else flows.of_rules
                flow = solve(self.module, body, enclosing)
            except RecursionError:
                continue
            solved[name] = flow
            yield flow
            yield from self._solve_lambdas(flow)

    def _solve_lambdas(self, flow: Flow) -> Iterator[Flow]:
        """The lambdas of a function that call anything."""
        calling = [n for n in flow.body.own(ast.Lambda) if any(isinstance(p, ast.Call) for p in ast.walk(n.body))]
        enclosing = enclosed(flow) if calling else {}
        for node in calling:
            body = of_lambda(node, flow.body)
            with contextlib.suppress(RecursionError):
                if not self.is_test and self.project.reach.touches(self.module, body):
                    yield self.project.flow(self.module, body, {}, enclosing)

    def forget(self) -> None:
        """Let go of all that was asked and solved, which refers to itself and would not be found to be of no use."""
        self.__dict__.clear()

    # -- reporting

    def span(self, node: ast.AST) -> Span:
        return self.source.span(node)

    def diagnostic(
        self,
        rule: Rule,
        node: ast.AST,
        message: str,
        notes: Iterable[Note] = (),
        plan: Plan | None = None,
        refusal: str = "",
        body: Body | None = None,
    ) -> Diagnostic:
        """A report of ``rule`` at ``node``; at most five notes are kept."""
        return Diagnostic(
            path=self.source.path,
            span=self.span(node),
            code=rule.code,
            name=rule.name,
            message=message,
            notes=tuple(notes)[:5],
            plan=plan,
            refusal=refusal if plan is None else "",
            function=body.name if body is not None else "",
        )

    def note(self, sentence: str, node: ast.AST) -> Note:
        return Note(sentence, self.span(node))

    def text(self, node: ast.AST, limit: int = 40) -> str:
        """The source of an expression on one line, cut after ``limit`` characters."""
        text = " ".join(ast.unparse(node).split())
        return text if len(text) <= limit else text[: limit - 1] + "…"


def asked_once(question: Callable[Concatenate[View, About], Found]) -> Callable[Concatenate[View, About], Found]:
    """A question about a file, or something in it, that several rules ask: it is answered when the first one does."""

    @wraps(question)
    def answer(view: View, /, *about: About.args, **more: About.kwargs) -> Found:
        key = (question, about, *more.items())
        if key not in view.answers:
            view.answers[key] = question(view, *about, **more)
        found: Found = view.answers[key]
        return found

    return answer


def enclosed(flow: Flow) -> dict[str, Value]:
    """What the names of a solved function stand for, for the functions inside it."""
    names: dict[str, Value] = {}
    if flow.is_quiet:
        return names
    for states in flow.solution.before:
        for state in states:
            for name, value in state.names.items():
                if not name.startswith("<") and value.kind != "constant" and name not in names:
                    names[name] = as_captured(name, value)
    return names


def as_captured(name: str, value: Value) -> Value:
    if value.kind == SESSION and value.resource is not None and value.resource.origin != "ambient":
        resource: Resource = value.resource._replace(origin="captured", key=name)
        return value._replace(resource=resource)
    return value
