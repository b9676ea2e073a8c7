"""Which exceptions an ``except`` clause takes, as far as sessions care."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..names import dotted
from .state import UNSURE

if TYPE_CHECKING:
    from .body import Body
    from .evaluate import Evaluation

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
    name that is raised while a session is failed. What the database raises comes of no call that has no session.
    """
    if handler.type is None:
        return True, False
    is_lent = any(life.phases & UNSURE for life in ev.now.lives.values())
    if raising == OTHER and is_for_database(handler) and not is_lent:
        return False, True
    return takes(types_of(handler), raising)


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


def follows_a_failure(body: Body, node: ast.AST) -> bool:
    """Whether what is done at ``node`` is only done after the database has failed: a pause before the next attempt."""
    handlers = (handler for handler in body.own(ast.ExceptHandler) if is_for_database(handler))
    return any(part is node for handler in handlers for part in ast.walk(handler))


def last_names(types: list[ast.expr]) -> set[str]:
    """``IntegrityError`` for ``sqlalchemy.exc.IntegrityError``."""
    return {(dotted(each) or "?").rpartition(".")[2] for each in types}


def takes(types: list[ast.expr], raising: str) -> tuple[bool, bool]:
    """The same for a list of exception types."""
    names = last_names(types)
    if names & _EVERYTHING:
        return True, False
    if raising == "db":
        return bool(names & _DATABASE), not names & _WHOLE_DATABASE
    if raising == "lookup":
        return bool(names & _LOOKUP), not names & _LOOKUP
    return True, True
