"""What is known of one module, and why: the values behind ``dbsession facts``.

Other files see of a module only this. Everything is a plain value without syntax, so it can be written as JSON and
read back (:mod:`.packing`); :mod:`.gather` takes it from the solved functions, :mod:`.text` tells it to people.
"""

from __future__ import annotations

from typing import NamedTuple

from ..known import Entry
from ..session.state import Life
from ..session.summary import Summary
from ..session.values import Value


class Step(NamedTuple):
    """Something that happens to a session on some path: the reason for what a function is said to do."""

    line: int
    happening: str
    session: str
    text: str


class Parameter(NamedTuple):
    """How a session is left that is given for a parameter: when the function returns, and when it raises.

    ``is_assumed``: nothing says that the parameter is a session; this is what would be done to one.
    """

    name: str
    returned: Life | None
    raised: Life | None
    is_assumed: bool


class FunctionFacts(NamedTuple):
    """One function: who runs it, what a call does, and the steps on the way."""

    name: str
    line: int
    is_async: bool
    is_generator: bool
    entries: tuple[Entry, ...]
    summary: Summary
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]


class Kept(NamedTuple):
    """What an object keeps in an attribute, the method that stores it, and the methods that give it back."""

    attribute: str
    value: Value
    stored_by: str
    released_by: tuple[str, ...]


class ClassFacts(NamedTuple):
    """One class that keeps sessions, registries or engines; ``is_manager``: its objects are for ``with``."""

    name: str
    line: int
    is_manager: bool
    keeps: tuple[Kept, ...]


class Named(NamedTuple):
    """A name at module level that stands for a factory, a registry, an engine or a session."""

    name: str
    line: int
    value: Value


class Handed(NamedTuple):
    """A function that this module gives to somebody else to run."""

    function: str
    entry: Entry
    given_by: str


class Teardown(NamedTuple):
    """Who gives back the connection of a registry when a unit of work ends: functions as ``name (path:line)``."""

    registry: str
    is_removed: bool
    by: tuple[str, ...]


class Release(NamedTuple):
    """A declared distribution: what is allowed, what is pinned, and the file that says so."""

    name: str
    allows: str
    pinned: str
    path: str


class Facts(NamedTuple):
    """All that is known of one module."""

    module: str
    path: str
    declared: tuple[Release, ...]
    names: tuple[Named, ...]
    teardowns: tuple[Teardown, ...]
    classes: tuple[ClassFacts, ...]
    functions: tuple[FunctionFacts, ...]
    handed_over: tuple[Handed, ...]

    def about(self, name: str) -> Facts | None:
        """The part that is about ``name``, a dotted name or its end; None where nothing here is called so."""
        functions = tuple(f for f in self.functions if _is_called(f.name, name, self.module))
        classes = tuple(c for c in self.classes if _is_called(c.name, name, self.module))
        names = tuple(n for n in self.names if _is_called(n.name, name, self.module))
        if not (functions or classes or names):
            return None
        keys = {n.value.resource.key for n in names if n.value.resource is not None}
        teardowns = tuple(t for t in self.teardowns if t.registry in keys)
        handed = tuple(h for h in self.handed_over if any(h.function == f"{self.module}.{f.name}" for f in functions))
        return self._replace(names=names, teardowns=teardowns, classes=classes, functions=functions, handed_over=handed)


def _is_called(own: str, name: str, module: str) -> bool:
    return f".{module}.{own}".endswith(f".{name}")
