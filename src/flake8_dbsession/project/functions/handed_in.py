"""The sessions that a decorator gives to the function that it decorates: ``with Session() as session: return
function(session, *given)``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...session.body import Body
from ...session.flow import Flow
from ...session.values import SESSION, Resource


class HandedIn(NamedTuple):
    """A session, and for which parameter it is given: its place, or its name."""

    parameter: int | str
    session: Resource


def sessions_handed_in(flow: Flow, calls: Iterable[ast.Call]) -> Iterator[HandedIn]:
    """What some calls in a solved function give of the sessions that it has by then."""
    for call in calls:
        for parameter, argument in arguments(flow.body, call):
            session = session_at(flow, call, argument)
            if session is not None:
                yield HandedIn(parameter, session)


def arguments(body: Body, call: ast.Call) -> Iterator[tuple[int | str, ast.expr]]:
    """The arguments whose parameters are known: all before a ``*`` one, those with a name, and the items that the
    function sets in ``**`` ones."""
    for place, argument in enumerate(call.args):
        if isinstance(argument, ast.Starred):
            break
        yield place, argument
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg, keyword.value
        elif isinstance(keyword.value, ast.Name):
            yield from items_of(body, keyword.value.id)


def items_of(body: Body, name: str) -> Iterator[tuple[str, ast.expr]]:
    """``named["session"] = session``."""
    for target, value in body.assigned():
        match target:
            case ast.Subscript(value=ast.Name(id=owner), slice=ast.Constant(value=str() as key)) if owner == name:
                yield key, value


def session_at(flow: Flow, call: ast.Call, argument: ast.expr) -> Resource | None:
    """The session that a name stands for where a call is made."""
    if not isinstance(argument, ast.Name):
        return None
    values = (state.names.get(argument.id) for state in flow.before(call))
    return next((value.resource for value in values if value is not None and value.kind == SESSION), None)
