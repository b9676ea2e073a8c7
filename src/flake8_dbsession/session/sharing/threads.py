"""Sessions of registries in a thread of its own: a callable that is run there asks another one than its caller."""

from __future__ import annotations

from collections.abc import Callable

from ...known import Handover
from ..events import Event, Happening
from ..moment import Moment
from ..state import Life
from ..values import AMBIENT, Resource, Value


def in_thread(now: Moment, fact: Handover, perform: Callable[[], Value]) -> Value:
    """What ``perform`` gives, in which a callable is run as ``fact`` says; what it does to the sessions that its thread
    has to itself is that thread's affair, however it ends."""
    lives, told = dict(now.lives), set(now.sink)
    value = perform()
    others = {resource for resource in now.lives if is_of_thread(resource, fact)}
    if others:
        restore(now, lives, others, told)
    return value


def is_of_thread(resource: Resource, fact: Handover) -> bool:
    """Whether a registry has another session in the thread that the callable runs in.

    An executor of asyncio's own takes no context along, so what a scope function says there is another, too.
    """
    is_registry = resource.origin == AMBIENT and resource.flavour != "flask" and not resource.is_async
    return is_registry and (resource.flavour == "scoped" or fact.name.endswith(".run_in_executor"))


def restore(now: Moment, before: dict[Resource, Life], others: set[Resource], told: set[Event]) -> None:
    """The sessions of ``others`` are as they were ``before``, and nothing is told of them but what was ``told``, and
    what the thread waits for while the caller, who waits for the thread, holds a connection."""

    def as_before(lives: dict[Resource, Life]) -> dict[Resource, Life]:
        own = {resource: life for resource, life in lives.items() if resource not in others}
        return {**own, **{resource: before[resource] for resource in others & before.keys()}}

    now.failures = [(raising, as_before(lives)) for raising, lives in now.failures]
    now.lives = as_before(now.lives)
    for resource in others - before.keys():
        now.steps.pop(resource, None)
    holding = {resource for resource in others & before.keys() if before[resource].surely_holds}
    for event in [each for each in now.sink if each.resource in others and each not in told]:
        if event.happening is not Happening.WAITED or event.resource not in holding:
            del now.sink[event]
