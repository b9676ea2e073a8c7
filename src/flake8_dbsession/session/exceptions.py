"""Which exceptions an ``except`` clause takes, as far as sessions care."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..names import dotted

if TYPE_CHECKING:
    from .evaluate import Evaluation

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
    ``one()`` and its like raise when there is no row, "other" anything else.
    """
    if handler.type is None:
        return True, False
    return takes(handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type], raising)


def is_for_database(handler: ast.ExceptHandler) -> bool:
    """Whether the handler takes nothing but what the database or the session raises."""
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {(dotted(each) or "?").rpartition(".")[2] for each in types if each is not None}
    return bool(names) and names <= _DATABASE


def takes(types: list[ast.expr], raising: str) -> tuple[bool, bool]:
    """The same for a list of exception types."""
    names = {(dotted(t) or "?").rpartition(".")[2] for t in types}
    if names & _EVERYTHING:
        return True, False
    if raising == "db":
        return bool(names & _DATABASE), not names & _WHOLE_DATABASE
    if raising == "lookup":
        return bool(names & _LOOKUP), not names & _LOOKUP
    return True, True
