"""What is known of libraries before any code is read: which calls wait, who runs a function, what a session does.

The knowledge is data (``data/*.toml``). It is asked by the dotted names that imports give: ``"time.sleep"``,
``"requests.Session.get"`` (a method of a type), ``"openai.OpenAI.chat.completions.create"`` (through attributes).
The same type under another name and its subclasses answer alike. What is not known is None, False or "".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import tomli

from .calls import Calls
from .conventions import Conventions
from .effects import Effects
from .entries import Entries
from .words import Argument, CallFact, Effect, Entry, Handover

__all__ = ["Argument", "CallFact", "Effect", "Entry", "Handover", "Known", "load"]

DATA = Path(__file__).parent.parent / "data"


_OWN = "own"
"""The theme of the user's calls."""


class Known:
    """The shipped tables, each read when it is first asked, and the user's ``own`` (of :func:`.own.read`)."""

    def __init__(self, data: Path = DATA, own: Mapping[str, Any] | None = None) -> None:
        self._data = data
        self._own: Mapping[str, Any] = own or {}
        self._sure: dict[str, bool] = {}

    def call(self, qualified: str) -> CallFact | None:
        """What a call of the function, class or method does."""
        return self._calls.call(qualified)

    def receiver(self, qualified: str) -> str | None:
        """The name under which a module or type is known: "redis.Redis" for ``redis.client.StrictRedis``."""
        return self._calls.receiver(qualified)

    def never_raises(self, qualified: str) -> bool:
        """Whether a call cannot fail in a way worth caring about: logging, ``print``, ``len``, the clock."""
        if qualified not in self._sure:
            self._sure[qualified] = self.conventions.never_raises(self._calls.spellings(qualified))
        return self._sure[qualified]

    def decorator(self, qualified: str) -> Entry | None:
        """Who runs a function decorated with ``qualified``, bare or called: ``"flask.Flask.route"``."""
        return self._entries.decorator(qualified)

    def decorator_by_convention(self, receiver: str, attribute: str) -> Entry | None:
        """The same for ``@app.route`` where nothing is known of ``app`` but its last name."""
        return self._entries.by_convention(receiver, attribute)

    def method(self, base: str, name: str) -> Entry | None:
        """Who runs method ``name`` of a class that has the base ``base``: ``"threading.Thread", "run"``."""
        return self._entries.method(base, name)

    def function(self, parameters: Sequence[str], name: str) -> Entry | None:
        """Who runs a function by its name and its first parameters: ``lambda_handler(event, context)``."""
        return self._entries.function(parameters, name)

    def given(self, qualified: str) -> tuple[str, ...]:
        """The types of what is passed to a function with the decorator ``qualified``, or to such a method, in order."""
        return self._entries.given(qualified)

    def given_to_names(self, names: str) -> Mapping[str, tuple[str, ...]]:
        """The packages that pass something to functions with just the parameters ``"update, context"``, each with the
        types of that, in order."""
        return self._entries.given_to_names.get(names, {})

    def given_by_name(self, name: str) -> Mapping[str, str]:
        """The packages that pass something to functions under the parameter's name, each with the type of that."""
        return self._entries.given_by_name.get(name, {})

    def handover(self, qualified: str) -> Handover | None:
        """How a call passes a callable on: ``"threading.Thread"``, ``"asyncio.gather"``."""
        return self._entries.handover(qualified)

    def setting(self, qualified: str) -> Handover | None:
        """Who runs a function that an attribute is set to: ``client.on_message = tell``, by the type of ``client``."""
        return self._entries.setting(qualified)

    def dependency_exit(self, version: str, scope: str = "") -> str:
        """When FastAPI leaves a dependency with ``yield``: "before-response" or "after-response".

        After the response means that the session is held while the response is streamed and while background tasks
        run. ``version`` is FastAPI's ("": the newest), ``scope`` what ``Depends`` was given ("function": 0.121.0 on).
        """
        return self._entries.dependency_exit(version, scope)

    @property
    def dependency_turns(self) -> tuple[str, ...]:
        """The releases of FastAPI from which on a dependency with ``yield`` is left at another time."""
        return self._entries.dependency_turns

    def sqlalchemy_type(self, qualified: str) -> str | None:
        """The short name of a type or function of SQLAlchemy, SQLModel or Flask-SQLAlchemy: "Session"."""
        return self._effects.type_of(qualified)

    def effect(self, type_name: str, method: str) -> Effect | None:
        """What a method of a type (by its short name) does to the connection; None where there is no such method."""
        return self._effects.effect(type_name, method)

    def methods(self, type_name: str) -> frozenset[str]:
        """Every public name of a type (by its short name) that has an effect, neutral ones included."""
        return self._effects.methods(type_name)

    def is_look_alike(self, qualified: str) -> bool:
        """Whether a name belongs to a package whose sessions and connections are never SQLAlchemy's."""
        return self.conventions.is_look_alike(qualified)

    def script_kind(self, path: str) -> str:
        """Which short-lived code a path (relative to the project) means: "migration", "command", "test"; else ""."""
        return self.conventions.script_kind(path)

    @property
    def script_paths(self) -> tuple[tuple[str, str], ...]:
        """Each kind of short-lived code with a pattern of its paths."""
        return self.conventions.script_paths

    @cached_property
    def conventions(self) -> Conventions:
        """Names that mean something where an import cannot be followed."""
        return Conventions(self._read("names"))

    @cached_property
    def _calls(self) -> Calls:
        own: Mapping[str, Any] = self._own.get("calls", {})
        names = [name for receiver, table in own.items() for name in (receiver, *table.get("also", "").split())]
        packages = {**self._read("packages"), _OWN: " ".join({name.partition(".")[0] for name in names})}
        return Calls(packages, lambda theme: own if theme == _OWN else self._read(f"calls/{theme}"))

    @cached_property
    def _entries(self) -> Entries:
        """The user's entries stand where the last word is had: of entries the last, of conventions the first."""
        shipped, own = self._read("entries"), self._own
        entries = [*shipped["entry"], *own.get("entry", ())]
        conventions = [*own.get("convention", ()), *shipped["convention"]]
        return Entries({**shipped, "entry": entries, "convention": conventions}, self._calls)

    @cached_property
    def _effects(self) -> Effects:
        return Effects(self._read("sqlalchemy"))

    def _read(self, name: str) -> dict[str, Any]:
        return tomli.loads((self._data / f"{name}.toml").read_text("utf-8"))


@lru_cache(maxsize=4)
def load(own: str = "") -> Known:
    """The shipped knowledge with the user's tables (as JSON), one for the process."""
    return Known(own=json.loads(own) if own else None)
