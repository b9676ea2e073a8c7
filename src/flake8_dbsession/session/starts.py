"""What the names of a function stand for as it is entered, once for each combination that is followed."""

from __future__ import annotations

import ast
from collections.abc import Callable
from itertools import product

from .body import Body
from .values import NONE, SESSION, SOMETHING, UNKNOWN, Value, found_session


def starts(body: Body, given: dict[str, Value], known: Callable[[ast.arg], Value]) -> list[dict[str, Value]]:
    """The names at entry: parameters as given or annotated; an optional one with and without its default None.

    A session is optional, too, where the body asks for it and opens another. At most eight combinations are followed.
    """
    choices: list[list[tuple[str, Value]]] = []
    several = 1
    for parameter in body.parameters:
        name = parameter.arg
        value = given_as(given[name], known(parameter)) if name in given else known(parameter)
        default = body.defaults.get(name)
        asked = value.kind == SESSION and name in body.tested_names and name in body.rebound_names
        optional = name not in given and (asked or (isinstance(default, ast.Constant) and default.value is None))
        if optional and several < 8 and (value.kind == SESSION or name in body.rebound_names):
            several *= 2
            choices.append([(name, value), (name, NONE)])
        else:
            choices.append([(name, value)])
    extra = {name: value for name, value in given.items() if name not in {p.arg for p in body.parameters}}
    return [{**extra, **{name: value for name, value in chosen if value != UNKNOWN}} for chosen in product(*choices)]


def given_as(given: Value, known: Value) -> Value:
    """What a parameter is by what the call says; by what the function itself knows where the call only says that it is
    there."""
    if given != SOMETHING or known == UNKNOWN:
        return given
    return found_session(known) if known.kind == SESSION else known
