"""Which exceptions an ``except`` clause takes, as far as sessions care."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...names import dotted
from ..state import UNSURE

if TYPE_CHECKING:
    from ..expressions.evaluate import Evaluation

OTHER = "other"
_EVERYTHING = frozenset({"Exception", "BaseException"})
_DATABASE = frozenset(
    {"SQLAlchemyError", "DBAPIError", "DatabaseError", "StatementError", "OperationalError", "IntegrityError"}
    | {"DataError", "InternalError", "InterfaceError", "ProgrammingError", "InvalidRequestError", "DisconnectionError"}
    | {"PendingRollbackError", "StaleDataError", "FlushError"}
)
"""What a flush or commit raises; ObjectDeletedError comes of reading a row, TimeoutError of taking no connection."""
_WHOLE_DATABASE = frozenset({"SQLAlchemyError"})
_LOOKUP = frozenset(
    {"NoResultFound", "MultipleResultsFound", "NotFound", "HTTPException", "SQLAlchemyError", "InvalidRequestError"}
)


def accepts(handler: ast.ExceptHandler, raising: str, ev: Evaluation) -> tuple[bool, bool]:
    """Whether the handler may take an exception of this kind, and whether it may let it pass.

    "db" is what flush, commit and SQL raise (``sqlalchemy.exc.SQLAlchemyError`` and below), "lookup" what
    ``one()`` and its like raise when there is no row, "other" anything else, and "other:Name" an exception of that
    name that is raised while a session is failed. What the database raises comes of no call that has no session, and
    what its driver raises does not come through a session: SQLAlchemy wraps it.
    """
    if handler.type is None:
        return True, False
    types = [each for each in types_of(handler) if not is_of_driver(ev, each)]
    if not types:
        return raising != "db" or has_driver(ev), True
    is_lent = any(life.phases & UNSURE for life in ev.now.lives.values())
    if raising == OTHER and is_for_database(handler) and not is_lent:
        return False, True
    return takes(types, raising)


def takes_everything(handler: ast.ExceptHandler) -> bool:
    """``except:``, ``except Exception:``."""
    return handler.type is None or bool(_EVERYTHING & set(last_names(types_of(handler))))


def is_of_driver(ev: Evaluation, exception: ast.expr) -> bool:
    """``pymysql.DatabaseError``, ``psycopg2.errors.UniqueViolation``."""
    return ev.world.known.conventions.is_of_driver(ev.value(exception).name)


def has_driver(ev: Evaluation) -> bool:
    """Whether the function works with a connection as its driver gives it."""
    return any(resource.type == "PoolProxiedConnection" for resource in ev.now.lives)


def types_of(handler: ast.ExceptHandler) -> list[ast.expr]:
    """The types that a handler names."""
    if handler.type is None:
        return []
    return handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]


def expects(handler: ast.AST | None, raising: str) -> bool:
    """Whether the handler is surely meant for an exception of this kind, not only for one that may hide behind it."""
    if not isinstance(handler, ast.ExceptHandler) or not raising.startswith(OTHER):
        return True
    names = last_names(types_of(handler))
    return not names or bool(names & _EVERYTHING) or raising.removeprefix(f"{OTHER}:") in names


def is_for_database(handler: ast.ExceptHandler) -> bool:
    """Whether the handler takes nothing but what the database or the session raises."""
    names = last_names(types_of(handler))
    return bool(names) and names <= _DATABASE


def last_names(types: list[ast.expr]) -> set[str]:
    """``IntegrityError`` for ``sqlalchemy.exc.IntegrityError``."""
    return {(dotted(each) or "?").rpartition(".")[2] for each in types}


def takes(types: list[ast.expr], raising: str) -> tuple[bool, bool]:
    """The same for a list of exception types."""
    names = last_names(types)
    if names & _EVERYTHING or raising.removeprefix(f"{OTHER}:") in names:
        return True, False
    if raising == "db":
        return bool(names & _DATABASE), not names & _WHOLE_DATABASE
    if raising == "lookup":
        return bool(names & _LOOKUP), not names & _LOOKUP
    return True, True
