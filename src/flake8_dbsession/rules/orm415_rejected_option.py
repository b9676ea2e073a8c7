"""Give the pool class only the options it takes

What it does
    Reports an option that the engine's pool class answers with ``TypeError`` at start: ``pool_size`` with NullPool or
    StaticPool, ``max_overflow`` with SQLite in memory, a misspelt option such as ``pool_max_overflow``, a pool class
    that does not fit an async engine, and ``pool_recycle=None`` (``TypeError`` at the first checkout).

Why it matters
    The application does not start, or starts only where the database is another one: SQLite in tests, a server in
    production. Which options each pool class takes was measured on SQLAlchemy 1.4, 2.0 and 2.1.

Stays silent when
    The pool class cannot be said: it or the option is set on some ways only, comes from elsewhere, or depends on a
    release of SQLAlchemy that the project does not pin down (SQLite files: NullPool in 1.4, QueuePool since 2.0); or
    a ``try`` around the call catches ``TypeError``, which is how some choose their SQLite settings.

Fix safety
    There is no fix: which of two settings that do not fit should go, or what a misspelt one was meant to be, is yours
    to say.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Diagnostic, Rule
from ..pool.judge import SQLALCHEMY_RELEASES, FilePool, pool_of
from ..pool.made import Made
from ..pool.settings import knowledge
from ..view import View

_REFUSAL = "it is yours to say which of the two should go"


def check(view: View) -> Iterator[Diagnostic]:
    """Each engine that certainly cannot be made as it is written."""
    pool = pool_of(view)
    for made in (*pool.engines, *pool.inherited()):
        if not made.tolerant:
            for message, refusal in (*rejected(made, pool), *misspelt(made), *unfit(made, pool), *unset(made, pool)):
                yield view.diagnostic(RULE, made.node, message, refusal=refusal)


def rejected(made: Made, pool: FilePool) -> Iterator[tuple[str, str]]:
    """Options that the pool class does not take."""
    is_known = made.has("poolclass") or not made.url.variable
    pool_class = pool.pool_class(made) if is_known and not made.has("pool") else None
    names = sorted(n for n in made.options.items if made.certainly(n) and pool_class and n in pool_class.rejects)
    if pool_class and names:
        listed = ", ".join(repr(n) for n in names)
        why = "" if made.has("poolclass") else f", the pool of {place(made)},"
        yield f"TypeError at start: {pool_class.name}{why} does not take {listed}", _REFUSAL


def place(made: Made) -> str:
    """The database, as far as it decides the pool class."""
    return "SQLite in memory" if made.url.place == "memory" else "SQLite files before SQLAlchemy 2.0"


def misspelt(made: Made) -> Iterator[tuple[str, str]]:
    """Options that no pool class takes."""
    if not made.has("plugins"):
        for name, meant in knowledge().misspelt.items():
            if made.certainly(name):
                yield (
                    f"TypeError at start: there is no option {name!r}, {meant!r} is meant",
                    "rename the option by hand",
                )


def unfit(made: Made, pool: FilePool) -> Iterator[tuple[str, str]]:
    """A pool class for the other kind of engine; SQLAlchemy before 2.0 does not look."""
    pool_class = pool.pool_class(made) if made.certainly("poolclass") and not made.flask else None
    kind, article = ("async", "an") if made.is_async else ("sync", "a")
    if pool_class and pool_class.only not in ("", kind) and pool.major("sqlalchemy", SQLALCHEMY_RELEASES) == 2:
        yield f"ArgumentError at start: {pool_class.name} does not fit {article} {kind} engine", _REFUSAL


def unset(made: Made, pool: FilePool) -> Iterator[tuple[str, str]]:
    """``pool_recycle=None``."""
    value = pool.value(made.certainly("pool_recycle"))
    if value.known and value.data is None and not value.variable:
        yield (
            "TypeError at the first checkout: pool_recycle=None; -1 switches recycling off",
            "write -1 or a number of seconds",
        )


RULE = Rule("ORM415", "rejected-pool-option", "an option that the pool class answers with TypeError", check)
