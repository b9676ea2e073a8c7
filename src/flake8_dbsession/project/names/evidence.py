"""What something without a type is, by what it is asked: ``session.query(Plant)``, ``db.scalars(select(Plant))``,
``session.get(Plant, 5)``.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator

from ...names import Names, dotted, last_part, spelled

_SHORT = frozenset({"db", "sess", "s"})
_OF_SESSIONS = frozenset({"exec", "scalars", "stream_scalars"})
_OF_ENGINES_TOO = frozenset({"execute", "scalar"})
"""An engine of old releases and a connection can be asked the same."""
_OF_ROWS = frozenset({"add", "add_all", "expunge", "flush", "merge", "refresh"})
"""No engine or connection has these."""
_LOOKUPS = frozenset({"get", "get_one"})
_LIBRARIES = ("sqlalchemy.", "sqlmodel.")
QUESTIONS = _OF_SESSIONS | _OF_ENGINES_TOO | _LOOKUPS | {"query"}
"""What a session may be asked."""
_GIVING_BACK = frozenset({"aclose", "close", "remove"})


def may_be_session(name: str) -> bool:
    """Whether something may be called like that, or be kept under that key, because it is a session."""
    key = name.partition("[")[2].strip("'\"]")
    return (key or name) in _SHORT or "session" in (key or name).lower()


def may_end_session(part: ast.AST, *verbs: str) -> bool:
    """``self.db.commit()`` by one of the verbs, of whatever it is; ``session.close()`` of what may be a session: files
    are closed, too."""
    match part:
        case ast.Attribute(value=owner, attr=verb):
            return verb in verbs or (verb in _GIVING_BACK and may_be_session(last_part(owner)))
    return False


def session_type(names: Names, text: str, nodes: Iterable[ast.AST]) -> str:
    """The type of session that ``text`` (``session``, ``self.db``) is by the calls among ``nodes``; "" for none."""
    calls: list[ast.Call] = []
    awaited: set[ast.AST] = set()
    statements: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Assign):
            statements.update(statement_names(names, node))
        elif isinstance(node, ast.Await):
            awaited.update(ast.walk(node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and spelled(node.func.value) == text:
            calls.append(node)
    verbs = _OF_SESSIONS | _OF_ENGINES_TOO if has_rows(calls) or "session" in text.lower() else _OF_SESSIONS
    asked = next((call for call in calls if is_question(names, call, verbs, statements) or asks_for_any(call)), None)
    if asked is None:
        return ""
    return "AsyncSession" if asked in awaited else "Session"


def has_rows(calls: Iterable[ast.Call]) -> bool:
    """Whether something is told of rows as well, ``db.add(plant)``, as only a session can be."""
    return any(isinstance(call.func, ast.Attribute) and call.func.attr in _OF_ROWS for call in calls)


def statement_names(names: Names, assigned: ast.Assign) -> Iterator[str]:
    """The names that stand for a statement from here on: ``found = select(Plant)``."""
    if is_statement(names, assigned.value):
        yield from (target.id for target in assigned.targets if isinstance(target, ast.Name))


def is_question(names: Names, call: ast.Call, verbs: frozenset[str], statements: Collection[str]) -> bool:
    """Whether a call asks what only a session can be asked: for a table, or by one of the verbs for a statement, be it
    one of the names."""
    if not isinstance(call.func, ast.Attribute) or not call.args:
        return False
    if call.func.attr == "query":
        return is_mapped(call.args[0])
    if call.func.attr in _LOOKUPS and len(call.args) == 2:
        return is_class_name((dotted(call.args[0]) or "").rpartition(".")[2])
    if call.func.attr not in verbs:
        return False
    statement = call.args[0]
    return is_statement(names, statement) or (isinstance(statement, ast.Name) and statement.id in statements)


def asks_for_any(call: ast.Call) -> bool:
    """``self.session.get(self.model, key)``, ``session.query(cls)``: for a row of any model."""
    match call:
        case ast.Call(func=ast.Attribute(value=owner, attr="query"), args=[asked]):
            pass
        case ast.Call(func=ast.Attribute(value=owner, attr="get" | "get_one"), args=[asked, _]):
            pass
        case _:
            return False
    return may_be_session(last_part(owner)) and is_any_model(last_part(asked))


def is_any_model(name: str) -> bool:
    """What a class of rows is called where it may be any: ``model``, ``model_class``, ``cls``."""
    return name == "cls" or "model" in name.lower().strip("_").split("_")


def is_mapped(argument: ast.expr) -> bool:
    """``Plant``, ``models.Plant``, ``Plant.name``: an attribute of it is a column."""
    parts = (dotted(argument) or "").split(".")
    return any(map(is_class_name, parts))


def is_class_name(name: str) -> bool:
    """``Plant``; not ``URL``, a constant."""
    return name[:1].isupper() and not name.isupper()


def is_statement(names: Names, argument: ast.expr) -> bool:
    """``select(Plant).where(…)``: a chain that begins with a function of SQLAlchemy."""
    while isinstance(argument, ast.Call):
        name = names.resolve(argument.func)
        if name is not None:
            return name.startswith(_LIBRARIES)
        argument = argument.func.value if isinstance(argument.func, ast.Attribute) else argument.func
    return False
