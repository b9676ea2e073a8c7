"""The fix of a streamed response: the request's transaction ends before the response is made of what was read."""

from __future__ import annotations

from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.syntax import names_below
from ..session.values import AMBIENT, SESSION, Resource
from ..view import View
from .afterwards import node_of
from .common import Answer, statement_of
from .releasing import release_before

_NEEDED = "what the stream needs has to be read before, in a session of its own"


def end_before_stream(view: View, flow: Flow, event: Event) -> Answer:
    """``session.commit()`` before the statement that makes the streaming response, where the stream does without.

    A stream that works with the session, or with its rows, would take a connection again, which nobody gives back
    before its last byte.
    """
    if event.resource is None or is_needed(view, flow, event, event.resource):
        return None, _NEEDED
    return release_before(view, flow, event)


def is_needed(view: View, flow: Flow, event: Event, resource: Resource) -> bool:
    """Whether the session, or something that came of it, may go with the response."""
    statement, place = statement_of(flow, event.node), node_of(flow, event.node)
    if statement is None or place is None:
        return True
    inner = [other for other in view.flows if other.body.is_inside(flow.body)]
    streams = flow.events(Happening.STREAMED_LATER)
    if any(stream.resource == resource for stream in streams) or any(asks(other, resource) for other in inner):
        return True
    named = [item for state in flow.at(place) for item in state.names.items() if item[1].resource == resource]
    sessions = {name for name, value in named if value.kind == SESSION}
    mentioned = {name for other in inner if other.body.node is not None for name in names_below(other.body.node)}
    return not mentioned.isdisjoint(name for name, _ in named) or not sessions.isdisjoint(names_below(statement))


def asks(flow: Flow, registry: Resource) -> bool:
    """Whether a function runs SQL on the session of a registry, which it needs no name of this one for."""
    events = flow.events(Happening.QUERIED, Happening.TAKEN) if registry.origin == AMBIENT else ()
    return any(event.resource == registry for event in events)
