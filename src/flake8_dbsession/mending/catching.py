"""Who catches what is raised at a place, and whether it stands in an ``except`` itself."""

from __future__ import annotations

import ast

from ..questions.asking import within
from ..session.flow import Flow
from ..session.steps.exceptions import takes, types_of

_RELEASES = frozenset({"close", "invalidate", "remove", "rollback"})


def in_handler(flow: Flow, statement: ast.stmt) -> bool:
    """Whether the statement stands in an ``except``."""
    handlers = [handler for each in flow.body.own(ast.Try) for handler in each.handlers]
    return any(handler.lineno <= statement.lineno <= (handler.end_lineno or 0) for handler in handlers)


def is_swallowed(flow: Flow, statement: ast.stmt) -> bool:
    """Whether an exception of the database that is raised there may be caught by a handler that goes on with the
    session as it is: a transaction that has only read ends by ``rollback()`` then, which leaves no failed session."""
    around = [each for each in flow.body.own(ast.Try) if any(within(part, statement) for part in each.body)]
    handlers = (handler for each in around for handler in each.handlers)
    return any(takes(types_of(h), "db")[0] or h.type is None for h in handlers if not gives_back(h))


def gives_back(handler: ast.ExceptHandler) -> bool:
    """Whether a handler raises again, or does what a failed session needs."""
    asked = (part.attr for part in ast.walk(handler) if isinstance(part, ast.Attribute))
    return isinstance(handler.body[-1], ast.Raise) or not _RELEASES.isdisjoint(asked)


def raises_again(flow: Flow, statement: ast.stmt) -> bool:
    """Whether the statement stands in an ``except`` that ends by raising: nobody goes on with the session here."""
    handlers = (handler for each in flow.body.own(ast.Try) for handler in each.handlers)
    return any(statement in handler.body and isinstance(handler.body[-1], ast.Raise) for handler in handlers)
