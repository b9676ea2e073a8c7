"""Whether a process runs a function again and again: what it serves reaches it, or a loop that goes on for good."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from ...known import Entry
from ...names import dotted
from ...session.body import Body
from ..app import MOST_FILES
from ..modules.module import Module
from .commands import Commands, goes_on, loops, means, uses
from .entries import Units
from .handing import entries_by_handing

_DEPTH = 5
"""How many functions may stand between the function and what is served."""

Serves = Callable[[Entry], bool]
"""Whether an entry is run again and again by one process."""


class Repeated:
    """What is known of the functions that run often. Callers that are not seen are no evidence."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self._served: dict[tuple[Serves, Body], bool] = {}

    def is_repeated(self, units: Units, body: Body, serves: Serves) -> bool:
        """Whether something served, a schedule or an endless loop runs the function.

        A loop has to call it itself: what it calls through others may depend on what it tells them.
        """
        users = [user for _, user in self._users(units, body)]
        by_itself = any(is_in_endless_loop(user, uses(user, body)[0]) or is_scheduled(user, body) for user in users)
        return by_itself or self.is_served(units, body, serves)

    def is_called_by_function(self, units: Units, body: Body) -> bool:
        """Whether a function calls it that does not make an object of it."""
        users = (user for _, user in self._users(units, body) if not user.name.endswith("__init__"))
        return any(uses(user, body)[0] for user in users)

    def is_served(self, units: Units, body: Body, serves: Serves, depth: int = _DEPTH) -> bool:
        """Whether an entry that is served runs the function, directly or through others, of whichever file."""
        key = (serves, body)
        if key not in self._served:
            self._served[key] = False  # functions that call each other are no evidence
            entries = [*units.entries(body), *entries_by_handing(self.commands.project, body)]
            itself = any(map(serves, entries)) or any(is_dependency(m, body) for m in self._speaking(units, body))
            is_by_others = body.outermost is body or not (entries or body.decorators)  # not so a view in a function
            self._served[key] = itself or (is_by_others and self._is_called_by_served(units, body, serves, depth))
        return self._served[key]

    def _is_called_by_served(self, units: Units, body: Body, serves: Serves, depth: int) -> bool:
        if body.outermost is not body:
            return self.is_served(units, body.outermost, serves, depth)
        callers = ((other, caller) for other, caller in self._users(units, body) if uses(caller, body)[0])
        return bool(depth) and any(self.is_served(other, caller, serves, depth - 1) for other, caller in callers)

    def calls_of(self, units: Units, body: Body) -> Iterator[tuple[Units, Body, ast.Call]]:
        """The calls of a function in others, of whichever file, with the functions in which they stand."""
        for other, user in self._users(units, body):
            called = uses(user, body)[0]
            yield from ((other, user, call) for call in user.own(ast.Call) if call.func in called)

    def _users(self, units: Units, body: Body) -> Iterator[tuple[Units, Body]]:
        """The functions of the application that speak of the function."""
        for other, user in self.commands.speaking(units, body, self._paths(units, body)):
            if user is not None and user.node is not None and self._mean(other.module, units, body):
                yield other, user

    def _speaking(self, units: Units, body: Body) -> Iterator[Module]:
        """The modules of the application that may speak of the function, its own first."""
        others = filter(None, map(self.commands.project.modules.at, self._paths(units, body)))
        yield units.module
        yield from (other for other in others if other is not units.module and self._mean(other, units, body))

    def _mean(self, speaker: Module, units: Units, body: Body) -> bool:
        return means(self.commands.project, speaker, units.module, body)

    def _paths(self, units: Units, body: Body) -> list[str]:
        """The files that hold its name; none of a project that is too large to be looked through."""
        is_small = len(self.commands.project.app.files) <= MOST_FILES
        return self.commands.holding(units.module, body) if is_small else []


def is_in_endless_loop(body: Body, nodes: list[ast.expr]) -> bool:
    """Whether one of the places stands in a loop of the function that is meant to go on for good."""
    return any(goes_on(loop, node) for loop in loops(body) for node in nodes)


def is_dependency(module: Module, body: Body) -> bool:
    """Whether a module fills a parameter of its endpoints by the function: ``Depends(get_session)``."""
    if b"Depends(" not in module.source.data or body.owner:
        return False
    calls = (node for node in ast.walk(module.source.tree) if isinstance(node, ast.Call) and node.args)
    given = (call.args[0] for call in calls if (dotted(call.func) or "").rpartition(".")[2] == "Depends")
    return any((dotted(each) or "").rpartition(".")[2] == body.name for each in given)


def is_scheduled(user: Body, body: Body) -> bool:
    """``scheduler.add_job(work, …)``, ``add_job(func=work, …)``: whichever object it is that schedules."""
    spoken = uses(user, body)[1]
    jobs = (c for c in user.own(ast.Call) if isinstance(c.func, ast.Attribute) and c.func.attr == "add_job")
    return any(given in spoken for job in jobs for given in (*job.args[:1], *(word.value for word in job.keywords)))
