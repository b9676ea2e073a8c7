"""What something without a type is, by what it is asked: ``session.query(Plant)``, ``db.scalars(select(Plant))``."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ..names import Names, dotted

_SHORT = frozenset({"db", "sess", "s"})
_OF_SESSIONS = frozenset({"exec", "scalars", "stream_scalars"})
_OF_ENGINES_TOO = frozenset({"execute", "scalar"})
"""An engine of old releases and a connection can be asked the same."""
_LIBRARIES = ("sqlalchemy.", "sqlmodel.")
QUESTIONS = _OF_SESSIONS | _OF_ENGINES_TOO | {"query"}
"""What a session may be asked."""


def may_be_session(name: str) -> bool:
    """Whether something may be called like that because it is a session."""
    return name in _SHORT or "session" in name.lower()


def session_type(names: Names, text: str, nodes: Iterable[ast.AST]) -> str:
    """The type of session that ``text`` (``session``, ``self.db``) is by the calls among ``nodes``; "" for none."""
    asked = None
    awaited: set[ast.AST] = set()
    for node in nodes:
        if isinstance(node, ast.Await):
            awaited.update(ast.walk(node.value))
        elif asked is None and isinstance(node, ast.Call) and is_question(names, node, text):
            asked = node
    if asked is None:
        return ""
    return "AsyncSession" if asked in awaited else "Session"


def is_question(names: Names, call: ast.Call, text: str) -> bool:
    """Whether only a session of SQLAlchemy can be asked this."""
    function = call.func
    if not isinstance(function, ast.Attribute) or not call.args or dotted(function.value) != text:
        return False
    if function.attr == "query":
        return is_mapped(call.args[0])
    verbs = _OF_SESSIONS | _OF_ENGINES_TOO if "session" in text.lower() else _OF_SESSIONS
    return function.attr in verbs and is_statement(names, call.args[0])


def is_mapped(argument: ast.expr) -> bool:
    """``Plant``, ``models.Plant``, ``Plant.name``: an attribute of it is a column."""
    parts = (dotted(argument) or "").split(".")
    return any(part[:1].isupper() and not part.isupper() for part in parts)


def is_statement(names: Names, argument: ast.expr) -> bool:
    """``select(Plant).where(…)``: a chain that begins with a function of SQLAlchemy."""
    while isinstance(argument, ast.Call):
        name = names.resolve(argument.func)
        if name is not None:
            return name.startswith(_LIBRARIES)
        argument = argument.func.value if isinstance(argument.func, ast.Attribute) else argument.func
    return False
