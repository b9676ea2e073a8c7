"""Sessions in context variables: ``current: ContextVar[AsyncSession] = ContextVar("current")``."""

from __future__ import annotations

from ...names import Names
from ...session.values import ATTRIBUTE, CONTEXT, CONTEXT_VAR, MAYBE, OBJECT, SESSION, Value


def of_context(names: Names, name: str, held: Value) -> Value:
    """``current: ContextVar[AsyncSession]``: a variable with the session that whoever has set it is working with."""
    if held.kind != SESSION or held.resource is None:
        return Value(OBJECT, CONTEXT_VAR)
    key = f"{names.module}.{name}".lstrip(".")
    session = held._replace(resource=held.resource._replace(origin=ATTRIBUTE, key=key, flavour=CONTEXT))
    return Value(OBJECT, CONTEXT_VAR, extra=((CONTEXT, session.with_extra(MAYBE)),))
