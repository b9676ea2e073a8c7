"""A project function as its callers see it."""

from __future__ import annotations

from .modules import Module
from .session.body import Body
from .session.values import Value

_PROPERTIES = frozenset({"property", "cached_property"})
_MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
_CACHES = frozenset({"functools.lru_cache", "functools.cache", "cachetools.cached"})


class Target:
    """A project function as its callers see it."""

    def __init__(self, module: Module, body: Body, decorators: frozenset[str]) -> None:
        self.module = module
        self.body = body
        self.path = module.path
        self.decorators = decorators
        self.is_async = body.is_async
        self.is_generator = body.is_generator
        self.is_manager = bool(decorators & _MANAGERS)
        self.is_fixture = "pytest.fixture" in decorators
        self.is_cached = bool(decorators & _CACHES)
        self.is_property = bool({d.rpartition(".")[2] for d in decorators} & _PROPERTIES)

    def bind(
        self, function: Value, positional: tuple[Value, ...], keywords: dict[str, Value]
    ) -> list[tuple[str, Value]]:
        """The parameters with the values given for them; ``self`` or ``cls`` first for a bound method."""
        names = [p.arg for p in self.body.parameters]
        owner = function.extra[0] if function.extra else None
        if isinstance(owner, Value) and "builtins.staticmethod" not in self.decorators:
            positional = (owner, *positional)
        bound = list(zip(names, positional, strict=False))
        return bound + [(name, value) for name, value in keywords.items() if name in names]
