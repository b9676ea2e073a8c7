"""Whether only commands run a function, from whichever file of the application: it ends with their process."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from ...known import Entry
from ...session.body import Body
from ..app import MOST_FILES
from ..modules.module import Module
from ..project import Project
from .entries import Units

_LOCAL = ".<locals>."
_DEPTH = 5
"""How many functions may stand between the helper and the command."""
_MOST_SPEAKING = 12
"""What more files speak of is no helper of commands, and nobody looks whether they do."""


class Commands:
    """What is known of the functions that commands call, or that run as a process starts, where ``also`` says so."""

    def __init__(self, project: Project, also: frozenset[str] = frozenset()) -> None:
        self.project = project
        self._also = also
        self._units: dict[str, Units] = {}
        self._served: dict[Body, bool] = {}

    def are_served(self, units: Units, body: Body, depth: int = _DEPTH) -> bool:
        """Whether everybody who calls the function is a command or a script, or is only called by such, and none goes
        on for good.

        Somebody who speaks of it without calling it may do anything with it.
        """
        if body not in self._served:
            self._served[body] = False  # of functions that call each other nothing comes
            is_run = any(not entry.is_waited_for for entry in units.entries(body)) or self._may_be_run(body)
            self._served[body] = bool(depth) and not is_run and self._only_by_commands(units, body, depth)
        return self._served[body]

    def _may_be_run(self, body: Body) -> bool:
        """Whether the base of the method's class, which is a library's, may call it."""
        return bool(body.owner and self.project.foreign_bases(f"{body.module}.{body.owner}"))

    def _only_by_commands(self, units: Units, body: Body, depth: int) -> bool:
        paths = self.holding(units.module, body) if _LOCAL not in body.name else []
        if len(self.project.app.files) > MOST_FILES or len(paths) > _MOST_SPEAKING:
            return False  # somebody else may
        callers = 0
        for other, caller in self.speaking(units, body, paths):
            if caller is not None and not self._ends(other, caller, body, depth):
                return False
            callers += means(self.project, other.module, units.module, body)
        return bool(callers)

    def _ends(self, units: Units, caller: Body, body: Body, depth: int) -> bool:
        """Whether the caller makes a command of it, or is or serves a command and comes to an end."""
        calls, others = uses(caller, body)
        calls += [node for node in others if is_run_at_once(units, caller, node) or is_chosen_at_once(caller, node)]
        if not all(node in calls or is_registered(units, caller, node) for node in others):
            return False
        if not calls:
            return True
        if any(goes_on(loop, call) for loop in loops(caller.outermost) for call in calls):
            return False
        if caller.node is None:
            return body.name in units.main or self._is_script(units)
        run = caller if units.entries(caller) else caller.outermost
        return units.is_short_lived(run, self._also) or self.are_served(units, run, depth - 1)

    def _is_script(self, units: Units) -> bool:
        """Whether a file serves nobody, and no other module of the application imports it."""
        module = units.module
        last = module.name.rpartition(".")[2].encode()
        is_imported = any(self.project.app.importing(module, b"import " + last, last + b" import"))
        entries = (entry for each in module.bodies.values() for entry in units.entries(each))
        return not is_imported and all(entry.is_short_lived for entry in entries)

    def speaking(self, units: Units, body: Body, paths: list[str]) -> Iterator[tuple[Units, Body | None]]:
        """Each function of its own file and of those at ``paths`` that speaks of it; None for a script."""
        yield from ((units, each) for each in speaking(units.module, body))
        for module in filter(None, map(self.project.modules.at, paths)):
            speakers = list(speaking(module, body)) if module.path != units.module.path else []
            is_command = bool(speakers) and self.project.app.script_kind(module.path) == "command"
            for each in speakers:
                yield self.units(module), None if is_command else each

    def holding(self, module: Module, body: Body) -> list[str]:
        """The files outside of tests that hold a function's name, and that of its module unless it is a method or a
        package has it, too; no more than a few over :data:`_MOST_SPEAKING`, and none for a file of which nobody else
        has anything."""
        if self._is_alone(module):
            return []
        is_had_elsewhere = body.owner or any(packages_with(self.project, module))
        beside = b"" if is_had_elsewhere else module.name.rpartition(".")[2].encode()
        files = self.project.app.files_with(last_name(body).encode(), beside=(beside,))
        telling = (path for path in files if not self.project.config.is_test(path))
        return list(itertools.islice(telling, _MOST_SPEAKING + 1))

    def _is_alone(self, module: Module) -> bool:
        """Whether a file is run as a script, and no other file imports it."""
        last = module.name.rpartition(".")[2].encode()
        others = (other for other in self.project.app.modules_with(last) if other is not module)
        return bool(module.main) and not any(module.name in other.imported_anywhere for other in others)

    def units(self, module: Module) -> Units:
        """Who runs the functions of a module, as far as the module itself says."""
        if module.path not in self._units:
            self._units[module.path] = Units(module, self.project, ())
        return self._units[module.path]


def speaking(module: Module, body: Body) -> Iterator[Body]:
    """The functions of a module, and its own statements, that speak of something called like the function; of one that
    stands in another function only that can, and what stands in there, too."""
    around = body.name.rpartition(_LOCAL)[0]
    for each in (module.top, *module.bodies.values()):
        is_near = not around or each.name == around or each.name.startswith(f"{around}{_LOCAL}")
        if each is not body and is_near and any(uses(each, body)):
            yield each


def means(project: Project, speaker: Module, module: Module, body: Body) -> bool:
    """Whether what a file speaks of is surely the function of ``module``, and not only called like it.

    The file imports the module, or a package around it that does so for others.
    """
    if body.owner or speaker is module:
        return True
    return not speaker.imported_anywhere.isdisjoint((module.name, *packages_with(project, module)))


def packages_with(project: Project, module: Module) -> Iterator[str]:
    """The packages around a module that have what is in it for others: ``from .bills import send_bills``."""
    parts = module.name.split(".")
    for name in (".".join(parts[:count]) for count in range(1, len(parts))):
        package = project.modules.find(name)
        if package is not None and module.name in package.imported:
            yield name


def uses(caller: Body, body: Body) -> tuple[list[ast.expr], list[ast.expr]]:
    """Where something called like the function is called, and where it is spoken of without; methods have an object."""
    named = caller.named.get(last_name(body))
    if named is None:
        return [], []
    nodes = [node for node in named if isinstance(node, ast.Attribute) or not body.owner]
    called = {id(call.func) for call in caller.own(ast.Call)} if nodes else set()
    return [n for n in nodes if id(n) in called], [n for n in nodes if id(n) not in called]


def loops(function: Body) -> Iterator[ast.While]:
    """The loops of a function and of those inside of it."""
    for statement in function.statements:
        yield from (node for node in ast.walk(statement) if isinstance(node, ast.While))


def goes_on(loop: ast.While, call: ast.expr) -> bool:
    """Whether the call stands in a loop that may be meant to go on for good: ``while True``, ``while self.running``,
    ``while running`` where only a failure sets that to something else."""
    asks = any(isinstance(part, (ast.Constant, ast.Attribute)) for part in ast.walk(loop.test))
    inside = loop.lineno <= call.lineno <= (loop.end_lineno or 0)
    return inside and (asks or (isinstance(loop.test, ast.Name) and only_failures_end(loop, loop.test.id)))


def only_failures_end(loop: ast.While, flag: str) -> bool:
    """Whether handlers of exceptions set the flag of a loop to a constant, and nothing else in the loop sets it."""
    handlers = [part for part in ast.walk(loop) if isinstance(part, ast.ExceptHandler)]
    failing = {part for handler in handlers for part in ast.walk(handler) if isinstance(part, ast.Assign)}
    setting = [part for part in ast.walk(loop) if isinstance(part, ast.Name) and part.id == flag]
    stops = [each for each in failing if isinstance(each.value, ast.Constant) and sets(each, flag)]
    return bool(stops) and len(stops) == sum(isinstance(part.ctx, ast.Store) for part in setting)


def sets(statement: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)


def is_registered(units: Units, caller: Body, node: ast.expr) -> bool:
    """``app.command()(work)``, ``typer.run(work)``, ``parser.set_defaults(func=work)``: the function is given to a
    command line."""
    call = next((call for call in caller.own(ast.Call) if node in call.args), None)
    if call is None:
        return any(is_default_of_parser(call, node) for call in caller.own(ast.Call))
    entry = units.decorator(call.func.func) if isinstance(call.func, ast.Call) else run_by(units, call)
    return entry is not None and entry.is_short_lived


def is_default_of_parser(call: ast.Call, node: ast.expr) -> bool:
    """``parser.set_defaults(func=work)``, as the documentation of argparse chooses the function of a command."""
    is_setting = isinstance(call.func, ast.Attribute) and call.func.attr == "set_defaults"
    return is_setting and any(keyword.value is node for keyword in call.keywords)


def is_run_at_once(units: Units, caller: Body, node: ast.expr) -> bool:
    """``anyio.run(work)``: whoever gives the function away waits for it, as if it was called."""
    call = next((call for call in caller.own(ast.Call) if node in call.args), None)
    entry = run_by(units, call) if call is not None else None
    return entry is not None and entry.is_waited_for


def is_chosen_at_once(caller: Body, node: ast.expr) -> bool:
    """``actions = {"send": self.send}``, of which the function calls one itself, and does nothing else with them:
    ``actions[arguments.action]()``."""
    tables = [(t, value) for t, value in caller.assigned() if isinstance(value, ast.Dict) and node in value.values]
    for table, _ in tables:
        if isinstance(table, ast.Name) and table.id in caller.local_names:
            uses = [n for n in caller.own(ast.Name) if n.id == table.id and isinstance(n.ctx, ast.Load)]
            called = [c.func.value for c in caller.own(ast.Call) if isinstance(c.func, ast.Subscript)]
            return bool(uses) and all(use in called for use in uses)
    return False


def run_by(units: Units, call: ast.Call) -> Entry | None:
    """How a call of a library runs the function that it is given, if it does."""
    name = units.module.names.resolve(call.func)
    handover = units.project.known.handover(name) if name is not None else None
    return handover.entry if handover is not None else None


def last_name(body: Body) -> str:
    return body.name.rpartition(".")[2]
