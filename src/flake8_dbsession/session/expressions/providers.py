"""Providers of a container of dependencies: functions that are told now what they are called with later on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..bearable import bearable
from ..values import PROVIDER, UNKNOWN, Value
from .call import Call

if TYPE_CHECKING:
    from .evaluate import Evaluation

Performing = Callable[["Evaluation", Value, Call, bool], Value]
"""What gives the value of a call, and lets it have its effects."""


def provider(ev: Evaluation, call: Call) -> Value:
    """``providers.Factory(Orders, session=session)``: each call makes other orders, with another session."""
    if not call.positional:
        return UNKNOWN
    given = (call.positional[0], call.positional[1:], tuple(call.keywords.items()))
    return bearable(ev.now, Value(PROVIDER, extra=given))


PROVIDERS = {f"dependency_injector.providers.{name}": provider for name in ("Callable", "Coroutine", "Factory")}
"""By its dotted name, what makes something anew at each call."""


def provided(ev: Evaluation, asked: Value, call: Call, perform: Performing) -> Call:
    """The call that a provider makes where it is called, with what the providers among its arguments give."""

    def given(value: Value) -> Value:
        return perform(ev, value, Call(call.node, (), {}), False) if value.kind == PROVIDER else value

    _, values, words = asked.extra
    told = {name: given(value) for name, value in words if name not in call.keywords}
    return Call(call.node, (*map(given, values), *call.positional), {**told, **call.keywords})
