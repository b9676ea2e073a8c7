"""Names that say something where nothing can be followed: ``data/names.toml``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any


class Conventions:
    """Names by convention, look-alikes, calls that cannot fail, and paths of short-lived code."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        names = tables["conventions"]
        self.factories = frozenset[str](names["factories"].split())
        """Calling one gives a session: ``SessionLocal``."""
        self.async_factories = frozenset[str](names["async_factories"].split())
        self.contexts = frozenset[str](names["contexts"].split())
        """A call is a context manager that closes: ``session_scope``."""
        self.dependencies = frozenset[str](names["dependencies"].split())
        """Generators that yield a session once and close it: ``get_db``."""
        self.flask_objects = frozenset[str](names["flask_objects"].split())
        """A Flask-SQLAlchemy object, whose ``session`` is the registry: ``db``."""
        self.loggers = frozenset[str](names["loggers"].split())
        self.logger_methods = frozenset[str](names["logger_methods"].split())
        self._strangers = tuple[str, ...](tables["look_alikes"]["names"].split())
        self._sure = frozenset[str](tables["never_raises"]["functions"].split())
        self._sure_receivers = frozenset[str](tables["never_raises"]["receivers"].split())
        self.script_paths = tuple(
            (kind, pattern) for kind, patterns in tables["paths"].items() for pattern in patterns.split()
        )

    def is_look_alike(self, qualified: str) -> bool:
        """Whether the name belongs to a package whose sessions, engines and connections are never SQLAlchemy's."""
        return any(qualified == name or qualified.startswith(f"{name}.") for name in self._strangers)

    def never_raises(self, spellings: Iterable[str]) -> bool:
        names = [name.removeprefix("builtins.") for name in spellings]
        return any(name in self._sure or name.rpartition(".")[0] in self._sure_receivers for name in names)

    def script_kind(self, path: str) -> str:
        path = "/" + path.replace("\\", "/").lstrip("./")
        return next((kind for kind, pattern in self.script_paths if fnmatchcase(path, f"*/{pattern}")), "")
