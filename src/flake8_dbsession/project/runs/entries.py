"""Who runs the functions of a file: requests, threads, consumers, tasks, commands.

An entry is found at the function itself (a decorator, a method that a framework's class calls) or where the
function is handed over (``Thread(target=work)``, ``basic_consume(on_message_callback=work)``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property

from ...known import Entry
from ...names import all_given, bare, dotted, last_part
from ...session.body import Body
from ...session.values import CLASS, FUNCTION, METHOD, OBJECT, UNKNOWN, Value
from ..functions.filling import known_name
from ..functions.targets import Target
from ..modules.module import Module
from ..names.annotations import annotated
from ..project import Project

COMMAND = Entry("script", "command")


class Units:
    """The entries of one module."""

    def __init__(self, module: Module, project: Project, registered: Iterable[tuple[str, Entry]]) -> None:
        self.module = module
        self.project = project
        self._entries: dict[Body, list[Entry]] = {}
        self._bases: dict[str, list[str]] = {}
        """The library classes that each class of the file extends."""
        self.handed_over: dict[str, list[Entry]] = {}
        for function, entry in registered:
            self.handed_over.setdefault(function, []).append(entry)

    def entries(self, body: Body) -> list[Entry]:
        """Every way in which something outside runs the function; empty where only project code calls it."""
        if body not in self._entries:
            self._entries[body] = self._found(body)
        return self._entries[body]

    def _found(self, body: Body) -> list[Entry]:
        found = [*self._configured(body), *self._decorated(body), *self._overridden(body), *self._of_command(body)]
        found += self._named(body)
        is_started = body.name in self.main and not self.is_imported(body.name)
        if is_started or body.qualified in self.project.app.installed_for(self.module.path):
            found.append(COMMAND)
        return found + self.handed_over.get(body.qualified, [])

    @property
    def main(self) -> frozenset[str]:
        """The functions that the file calls once when it is run as a script."""
        return self.module.main

    def is_imported(self, function: str) -> bool:
        """Whether another module of the application, which imports the file, speaks of the function: then what stands
        under ``__main__`` tries it out. A ``main`` is for those who start the program."""
        return function != "main" and any(self.project.app.importing(self.module, function.encode()))

    def is_short_lived(self, body: Body, also: frozenset[str] = frozenset()) -> bool:
        """Whether every known way to run it ends the process (or the test) afterwards, or is of a kind that counts
        ``also``; whoever waits for it at once, as ``asyncio.run`` does, runs it for those who begin that."""
        entries = [entry for entry in self.entries(body) if not entry.is_waited_for]
        return bool(entries) and all(e.is_short_lived or e.kind in also for e in entries)

    def callers(self, body: Body) -> list[Body]:
        """The functions of the file that call a function or method of it by its name."""
        name = body.name.rpartition(".")[2]
        named = self._calling.get(name, ())
        return [e for e, on_itself in named if e is not body and calls(e, on_itself, body)]

    @cached_property
    def _calling(self) -> dict[str, list[tuple[Body, bool]]]:
        """The functions of the file by the names that they call, and whether as a method of their own object."""
        found: dict[str, dict[tuple[Body, bool], None]] = {}
        for body in self.module.bodies.values():
            for called in called_in(body):
                found.setdefault(called[0], {})[body, called[1]] = None
        return {name: list(bodies) for name, bodies in found.items()}

    def handed_over_by_name(self, body: Body) -> list[Entry]:
        """Who runs a function that others of the file hand over: ``start_background_task(work)``."""
        givers = self._givers.get(body.name.rpartition(".")[2], ())
        flows = (self.project.flow(self.module, giver, {}) for giver in givers)
        return [entry for flow in flows for function, entry in flow.scope.registered if function == body.qualified]

    @cached_property
    def _givers(self) -> dict[str, list[Body]]:
        """The functions of the file, its own statements included, by the names that they give to a call."""
        found: dict[str, dict[Body, None]] = {}
        for body in (self.module.top, *self.module.bodies.values()):
            for argument in (argument for call in body.own(ast.Call) for argument in all_given(call)):
                found.setdefault(last_part(argument), {})[body] = None
        return {name: list(bodies) for name, bodies in found.items()}

    def behind(self, body: Body) -> list[Entry]:
        """The entries of a function and of all functions of the file that call it, directly or not."""
        waiting = [body]
        for each in waiting:
            waiting.extend(caller for caller in self.callers(each) if caller not in waiting)
        return [entry for each in waiting for entry in self.entries(each)]

    def _configured(self, body: Body) -> list[Entry]:
        kind = self.project.config.advice("entry_points", body.qualified)
        return [Entry("configuration", kind or "task", "thread")] if kind is not None else []

    def _decorated(self, body: Body) -> list[Entry]:
        found = []
        for inner in map(bare, body.decorators):
            entry = self.decorator(inner, body.owner, self._of_function_around(body, inner))
            if entry is not None:
                found.append(entry)
        return found

    def _of_function_around(self, body: Body, decorator: ast.expr) -> dict[str, Value]:
        """What the function around another one has under the name that a decorator begins with: ``app = FastAPI()``."""
        around = self.module.bodies.get(body.name.rpartition(".<locals>.")[0])
        root = decorator
        while isinstance(root, ast.Attribute):
            root = root.value
        if around is None or not isinstance(root, ast.Name) or root.id not in around.local_names:
            return {}
        types = (p.annotation for p in around.parameters if p.arg == root.id and p.annotation is not None)
        told = (annotated(self.project, self.module.names, each, root.id) for each in types)
        made = (value for target, value in around.assigned() if isinstance(target, ast.Name) and target.id == root.id)
        values = [*told, *(self.project.evaluate(self.module, value) for value in made)]
        return {root.id: values[0]} if len(values) == 1 else {}

    def _of_command(self, body: Body) -> list[Entry]:
        """What runs the methods of a class that a decorator makes a command: ``@app.command class Purge: …``."""
        info = self.module.classes.get(body.owner)
        decorators = info.node.decorator_list if info is not None else []
        entries = map(self.decorator, map(bare, decorators))
        return [entry for entry in entries if entry is not None and entry.is_short_lived][:1]

    def decorator(self, decorator: ast.expr, owner: str = "", around: dict[str, Value] | None = None) -> Entry | None:
        """What a decorator makes of a function, or of a method of the class ``owner``; None for nothing known.

        ``around`` is what names of the function around it stand for.

        A method of the project that is called like one of a library's, does what it does.
        """
        known, meaning = self.project.known, self._meaning(decorator, owner, around)
        name = known_name(meaning)
        entry = known.decorator(name) if name else None
        if entry is None and isinstance(decorator, ast.Attribute) and decorator.attr in ("command", "group"):
            entry = self._of_group(self.project.target(self._meaning(decorator.value, owner)))
        if entry is None and isinstance(decorator, ast.Attribute) and meaning.kind != FUNCTION:
            receiver = (dotted(decorator.value) or "").rpartition(".")[2]
            entry = known.decorator_by_convention(receiver, decorator.attr)
        return entry

    def _meaning(self, decorator: ast.expr, owner: str, around: dict[str, Value] | None = None) -> Value:
        """What stands behind the ``@``, where names may be those of the class, too: ``group = Group()``."""
        if owner and isinstance(decorator, ast.Name):
            value = self.project.attribute(Value(CLASS, f"{self.module.name}.{owner}"), decorator.id)
            if value != UNKNOWN:
                return value
        if owner and isinstance(decorator, ast.Attribute):
            value = self._meaning(decorator.value, owner)
            if value.kind == OBJECT:
                return Value(METHOD, decorator.attr, extra=(value,))
        return self.project.evaluate(self.module, decorator, around)

    def _of_group(self, group: Target | None) -> Entry | None:
        """Who runs the subcommands of a function that a decorator has made a group: as a rule a command line."""
        named = group.decorators if group is not None else frozenset()
        entry = next((e for e in map(self.project.known.decorator, sorted(named)) if e and e.kind == "bot"), None)
        return entry or (COMMAND if any(name.endswith(".group") for name in named) else None)

    def _named(self, body: Body) -> list[Entry]:
        """``def lambda_handler(event, context)``: what a service runs by its name."""
        own = [parameter.arg for parameter in body.parameters if parameter.arg != body.me]
        is_inside = "<locals>" in body.name
        entry = self.project.known.function(own, body.name.rpartition(".")[2]) if own and not is_inside else None
        return [entry] if entry is not None else []

    def _overridden(self, body: Body) -> list[Entry]:
        if not body.owner:
            return []
        info = self.module.classes.get(body.owner)
        if info is None:
            return []
        method = body.name.rpartition(".")[2]
        if info.name not in self._bases:
            self._bases[info.name] = [base for base in self.project.lineage(info) if isinstance(base, str)]
        entries = (self.project.known.method(base, method) for base in self._bases[info.name])
        return [entry for entry in entries if entry is not None][:1]


def called_in(body: Body) -> Iterator[tuple[str, bool]]:
    """What a function calls by a plain name, or as a method of ``self`` or ``cls``."""
    return names_called(body.own(ast.Call))


def names_called(those: Iterable[ast.Call]) -> Iterator[tuple[str, bool]]:
    """The names of calls, and whether they are of a method of one's own object."""
    for call in those:
        match call.func:
            case ast.Name(id=called):
                yield called, False
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=called):
                yield called, True


def calls(caller: Body, on_itself: bool, body: Body) -> bool:
    """Whether that is a call of the function: by its plain name, or a method on an object of its class."""
    return caller.owner == body.owner if on_itself else not body.owner
