"""What a method says about closing an attribute of its object: ``self.session.close()``, or that somebody will."""

from __future__ import annotations

import ast

from ..names import dotted

CLOSES = frozenset({"close", "aclose", "remove"})
_CLOSING_WORDS = ("clos", "clean", "dispose", "release", "remove", "teardown", "shutdown", "finaliz", "enter", "exit")
BACK = CLOSES | {"rollback", "commit", "reset", "invalidate"}


def is_attribute(node: ast.AST, name: str) -> bool:
    """``self.<name>``, whatever the object is called."""
    return isinstance(node, ast.Attribute) and node.attr == name


def speaks_of_closing(function: ast.expr) -> bool:
    """``closing(x)``, ``stack.enter_context(x)``, ``release_all(x)``."""
    name = (dotted(function) or "").rpartition(".")[2].lower()
    return any(word in name for word in _CLOSING_WORDS)


def is_release(node: ast.AST, attribute: str, verbs: frozenset[str]) -> bool:
    """``self.<attribute>.close`` and its like."""
    return isinstance(node, ast.Attribute) and node.attr in verbs and is_attribute(node.value, attribute)


def gives_back(method: ast.AST, attribute: str, verbs: frozenset[str]) -> bool:
    """Whether a method closes ``self.<attribute>``, hands it out, or passes its ``close`` on."""
    handed = (n.value for n in ast.walk(method) if isinstance(n, (ast.Return, ast.Yield)) and n.value is not None)
    return closes(method, attribute, verbs) or any(is_attribute(value, attribute) for value in handed)


def closes(method: ast.AST, attribute: str, verbs: frozenset[str] = CLOSES) -> bool:
    """Whether a method closes ``self.<attribute>``, or passes it or its ``close`` to what will."""
    for node in ast.walk(method):
        if is_release(node, attribute, verbs):
            return True
        match node:
            case ast.withitem(context_expr=value) if is_attribute(value, attribute):
                return True
            case ast.Attribute(value=owner, attr=name) if name.startswith("close_") and is_attribute(owner, attribute):
                return True  # ``self.session.close_connection()`` of a class of the project
            case ast.Call(func=function, args=given):
                if any(is_attribute(argument, attribute) for argument in given) and speaks_of_closing(function):
                    return True
    return False


def passes_close_on(method: ast.AST, attribute: str) -> bool:
    """``at_the_end(self.session.close)``: somebody will call it."""
    arguments = (a for n in ast.walk(method) if isinstance(n, ast.Call) for a in n.args)
    return any(is_release(argument, attribute, CLOSES) for argument in arguments)


def works_with(method: ast.AST, attribute: str) -> bool:
    """Whether a method that closes the session also uses it: then it closes after its own work only."""
    uses = (n for n in ast.walk(method) if isinstance(n, ast.Attribute) and is_attribute(n.value, attribute))
    return any(use.attr not in BACK for use in uses)
