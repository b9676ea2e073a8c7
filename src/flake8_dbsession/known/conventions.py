"""Names that say something where nothing can be followed: ``data/names.toml``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

_VERBS = ("get_", "make_")


class Conventions:
    """Names by convention, look-alikes, calls that cannot fail, and paths of short-lived code."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        names = {key: frozenset[str](words.split()) for key, words in tables["conventions"].items()}
        self.factories = names["factories"]
        """Calling one gives a session: ``SessionLocal``."""
        self.async_factories = names["async_factories"]
        """Calling one gives an AsyncSession."""
        self._handles = names["handles"] | self.factories | self.async_factories | names["registries"]
        self.registries = names["registries"]
        """A scoped registry: ``DBSession.query(…)``, ``DBSession.remove()``."""
        self.contexts = names["contexts"]
        """Calling one gives a context manager that closes the session it gives: ``session_scope``."""
        self.async_contexts = names["async_contexts"]
        """The same for ``async with``."""
        self.dependencies = names["dependencies"]
        """A generator that yields one session and closes it: ``get_db``."""
        self.flask_objects = names["flask_objects"]
        """A Flask-SQLAlchemy object, whose ``session`` is the registry: ``db``."""
        self.loggers = names["loggers"]
        """``logger.info(…)`` cannot fail, whatever library the logger is of."""
        self._strangers = frozenset[str](tables["look_alikes"]["names"].split())
        self._drivers = frozenset[str](tables["drivers"]["names"].split())
        self.apart = tuple(tables["apart"]["names"].split())
        """Packages whose schedulers run each task in a process of its own."""
        self.serving = tuple(tables["serving"]["names"].split())
        """Packages whose programs serve until somebody stops them."""
        self._serving = tuple(f"{name}." for name in self.serving)
        self.remembering = frozenset[str](tables["remembers"]["decorators"].split())
        """Decorators that remember what a function has answered: ``functools.cache``."""
        self.remembering_on_objects = frozenset[str](tables["remembers"]["properties"].split())
        """Those of methods that keep it on their object: ``functools.cached_property``."""
        self._remembering_ends = tuple(f".{end}" for end in tables["remembers"]["ends"].split())
        self._putting_off = tuple(tables["puts_off"]["decorators"].split())
        self._injecting = frozenset[str](tables["injects"]["annotations"].split())
        self.requiring_login = frozenset[str](tables["requires_login"]["decorators"].split())
        """Decorators of views that are for users only who have logged in: ``flask_login.login_required``."""
        self.loading_users = frozenset[str](tables["loads_users"]["methods"].split())
        """What gives a dependency that loads the user: ``fastapi_users.FastAPIUsers.current_user``."""
        self.feeding_bots = tuple(word.encode() for word in tables["feeds_bots"]["says"].split())
        """What an application says, all of it, that gives its bots what it receives, in its own thread."""
        self.not_feeding_bots = tuple(word.encode() for word in tables["feeds_bots"]["says_not"].split())
        self.never_returns = frozenset[str](tables["never_returns"]["functions"].split())
        """Calls that only ever raise or end the process: ``flask.abort``, ``sys.exit``."""
        self._sure = frozenset[str](tables["never_raises"]["functions"].split())
        self._sure_receivers = frozenset[str](tables["never_raises"]["receivers"].split())
        self._setting_up = frozenset[str](tables["setting_up"]["words"].split())
        self._of_tests = frozenset[str](tables["under_test"]["words"].split())
        self._of_settings = tuple(tables["settings"]["words"].split())
        self.tool_files = frozenset[str](tables["tools"]["files"].split())
        """Files that belong to a tool, where they stand in no package: ``setup.py``."""
        self.script_paths = tuple(
            (kind, pattern) for kind, words in tables["paths"].items() for pattern in words.split()
        )

    def is_factory(self, name: str, is_async: bool = False) -> bool:
        """Whether a variable of that name holds what gives a session when it is called."""
        bare = name.lstrip("_")
        return bare in (self.async_factories if is_async else self.factories) and not bare.startswith(_VERBS)

    def is_handle(self, name: str) -> bool:
        """Whether something of that name may be a factory or a registry."""
        return name.lstrip("_") in self._handles

    def is_look_alike(self, qualified: str) -> bool:
        return any(name in self._strangers for name in _beginnings(qualified))

    def is_putting_off(self, decorator: str) -> bool:
        """Whether a call of a function with that decorator only stands for its answer: ``airflow.decorators.task``."""
        return any(decorator == name or decorator.startswith(f"{name}.") for name in self._putting_off)

    def is_injecting(self, qualified: str) -> bool:
        """Whether an annotation stands for what it is given, which a container fills in: ``dishka.FromDishka``."""
        return f"{qualified.partition('.')[0]}.{qualified.rpartition('.')[2]}" in self._injecting

    def is_of_driver(self, qualified: str) -> bool:
        """Whether a name is one of a driver's: ``psycopg2.errors.UniqueViolation``."""
        return any(name in self._drivers for name in _beginnings(qualified))

    def is_serving(self, qualified: str) -> bool:
        """Whether a name is one of a package whose programs serve until somebody stops them."""
        return f"{qualified}.".startswith(self._serving)

    def never_raises(self, spellings: Iterable[str]) -> bool:
        names = [name.removeprefix("builtins.") for name in spellings]
        return any(name in self._sure or name.rpartition(".")[0] in self._sure_receivers for name in names)

    def is_remembering(self, name: str) -> bool:
        """Whether a decorator remembers what a function has answered, of a library or of a cache of the project."""
        return name in self.remembering or name.endswith(self._remembering_ends)

    def is_setting_up(self, name: str) -> bool:
        """Whether a function of that name prepares a database for its first use: ``init_db``, ``seed_users``."""
        return not name.startswith("__") and not self._setting_up.isdisjoint(name.lower().split("_"))

    def is_of_tests(self, name: str) -> bool:
        """Whether a setting of that name says that tests run the program: ``TESTING``, ``PYTEST_CURRENT_TEST``."""
        return not self._of_tests.isdisjoint(name.lower().split("_"))

    def is_of_settings(self, name: str) -> bool:
        """Whether a module or class of that name says how an application is to run: ``config``, ``StoreSettings``."""
        lower = name.lower()
        return any(lower.startswith(word) or lower.endswith(word) for word in self._of_settings)

    def script_kind(self, path: str) -> str:
        pure = PurePosixPath(path.replace("\\", "/"))
        return next((kind for kind, pattern in self.script_paths if _matches(pure, pattern)), "")


def _beginnings(qualified: str) -> Iterable[str]:
    """``a``, ``a.b`` and ``a.b.c`` of ``a.b.c``."""
    end = qualified.find(".")
    while end > 0:
        yield qualified[:end]
        end = qualified.find(".", end + 1)
    yield qualified


def _matches(path: PurePosixPath, pattern: str) -> bool:
    """Whether a pattern means the path: ``tests/`` by one of its folders, ``test_*.py`` by its last parts."""
    if pattern.endswith("/"):
        return f"/{pattern}" in f"/{path.parent}/"
    return path.match(pattern)
